//! Was the kernel started with arguments that switch its guards off?

use crate::checks::live::{Snapshot, judged};
use crate::checks::{Seen, Verdict};
use crate::promises::Promises;

/// Arguments that take protection away (kernel-parameters.txt, kernel-command-line(7)); with `=` at the end any
/// value counts.
const WEAKENING: [&str; 16] = [
    "selinux=0",
    "enforcing=0",
    "apparmor=0",
    "audit=0",
    "mitigations=off",
    "nokaslr",
    "nopti",
    "pti=off",
    "nosmep",
    "nosmap",
    "nospectre_v2",
    "init=",
    "rdinit=",
    "systemd.debug-shell",
    "systemd.debug_shell",
    "single",
];

/// Judges `/proc/cmdline`.
pub(crate) fn judge(snapshot: &Snapshot, promises: &Promises) -> Verdict {
    let (seen, summary) = match snapshot.section("cmdline") {
        Ok(text) if !text.trim().is_empty() => {
            let is_weak = |word: &&str| {
                WEAKENING.iter().any(|weak| {
                    if weak.ends_with('=') {
                        word.starts_with(weak)
                    } else {
                        *word == *weak || (weak.starts_with("systemd.") && **word == format!("{weak}=1"))
                    }
                })
            };
            let weak: Vec<&str> = text.split_whitespace().filter(is_weak).collect();
            let seen = if weak.is_empty() {
                Seen::Holds
            } else {
                Seen::Violated(format!("started with {}", weak.join(" ")))
            };
            (seen, crate::checks::boot_facts::shortened(text.trim(), 400))
        }
        Ok(_) => (Seen::Unknown("the command line is empty".to_owned()), String::new()),
        Err(reason) => (Seen::Unknown(reason), String::new()),
    };
    judged(promises, vec![("KRN-003", seen)], &summary)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(line: &str) -> Seen {
        let snapshot = Snapshot::parse(&format!("@@cmdline\n{line}\n@@end\n"));
        judge(&snapshot, &Promises::default()).seen.remove(0).1
    }

    #[test]
    fn weakening_arguments_are_named_and_alike_ones_are_not() {
        assert_eq!(seen("root=LABEL=root ro console=ttyS0 initcall_debug selinux=1"), Seen::Holds);
        assert_eq!(
            seen("ro mitigations=off init=/bin/sh systemd.debug-shell=1"),
            Seen::Violated("started with mitigations=off init=/bin/sh systemd.debug-shell=1".to_owned())
        );
        assert!(matches!(seen(""), Seen::Unknown(_)));
    }
}
