//! Does `AppArmor` or `SELinux` guard programs?

use crate::checks::boot_facts::shortened;
use crate::checks::live::{Snapshot, judged};
use crate::checks::{Seen, Verdict};
use crate::promises::Promises;

/// Judges what the kernel says of its security modules.
pub(crate) fn judge(snapshot: &Snapshot, promises: &Promises) -> Verdict {
    let (seen, summary) = match snapshot.section("protection") {
        Ok(text) => look(text),
        Err(reason) => (Seen::Unknown(reason), String::new()),
    };
    judged(promises, vec![("MAC-001", seen)], &summary)
}

fn look(text: &str) -> (Seen, String) {
    let (mut is_apparmor, mut enforced, mut complaining, mut selinux) = (false, 0_u64, 0_u64, None);
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["apparmor", "Y"] => is_apparmor = true,
            ["selinux", state] => selinux = Some(state),
            // As `uniq -c` counts: the number, `profile`, the mode.
            [count, "profile", mode] => {
                let count: u64 = count.parse().unwrap_or_default();
                if mode == "enforce" {
                    enforced = enforced.saturating_add(count);
                } else {
                    complaining = complaining.saturating_add(count);
                }
            }
            _ => {}
        }
    }
    match selinux {
        Some("Enforcing") => return (Seen::Holds, "SELinux is enforcing".to_owned()),
        Some(state) if !is_apparmor => {
            let text = format!("SELinux is {}", shortened(&state.to_lowercase(), 20));
            return (Seen::Violated(text.clone()), text);
        }
        _ => {}
    }
    let summary = format!("AppArmor enforces {enforced} profiles, {complaining} only complain");
    if !is_apparmor {
        let text = "neither AppArmor nor SELinux is on".to_owned();
        return (Seen::Violated(text.clone()), text);
    }
    if enforced > 0 { (Seen::Holds, summary) } else { (Seen::Violated(summary.clone()), summary) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_the_two_must_enforce() {
        assert_eq!(look("apparmor Y\n     12 profile enforce\n      2 profile complain\n").0, Seen::Holds);
        assert_eq!(look("selinux Enforcing\n").0, Seen::Holds);
        for (text, expected) in [
            ("", "neither AppArmor nor SELinux is on"),
            ("apparmor N\n", "neither AppArmor nor SELinux is on"),
            ("apparmor Y\n", "AppArmor enforces 0 profiles, 0 only complain"),
            ("apparmor Y\n  3 profile complain\n", "AppArmor enforces 0 profiles, 3 only complain"),
            ("selinux Permissive\n", "SELinux is permissive"),
        ] {
            assert_eq!(look(text).0, Seen::Violated(expected.to_owned()), "{text:?}");
        }
    }
}
