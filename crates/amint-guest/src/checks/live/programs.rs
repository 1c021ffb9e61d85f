//! Does every running program come from a package?

use std::collections::BTreeSet;

use crate::checks::boot_facts::shortened;
use crate::checks::live::{Snapshot, judged};
use crate::checks::{Seen, Verdict};
use crate::promises::Promises;

/// How many programs are named.
const NAMES_MAX: usize = 10;

/// Judges the programs of all processes.
pub(crate) fn judge(snapshot: &Snapshot, promises: &Promises) -> Verdict {
    let (seen, summary) = match snapshot.section("programs") {
        Ok(text) => look(text),
        Err(reason) => (Seen::Unknown(reason), String::new()),
    };
    judged(promises, vec![("VUL-005", seen)], &summary)
}

fn look(text: &str) -> (Seen, String) {
    let of = |kind: &str| -> BTreeSet<&str> {
        text.lines().filter_map(|line| line.strip_prefix(kind)?.strip_prefix(' ')).collect()
    };
    let (running, owned, deleted) = (of("runs"), of("owned"), of("deleted"));
    if running.is_empty() {
        return (Seen::Unknown("no process can be seen".to_owned()), String::new());
    }
    if of("manager").is_empty() {
        return (Seen::Unknown("there is no package manager to ask".to_owned()), String::new());
    }
    // A package may know its program by the name that it had before /usr was merged.
    let is_owned = |program: &str| {
        owned.contains(program) || program.strip_prefix("/usr").is_some_and(|short| owned.contains(short))
    };
    let mut wrong: Vec<String> = running
        .iter()
        .filter(|program| !is_owned(program))
        .map(|program| format!("{} belongs to no package", shortened(program, 120)))
        .collect();
    wrong.extend(
        deleted.iter().map(|program| format!("{} runs, and its file was removed", shortened(program, 120))),
    );
    let count = running.len();
    if wrong.is_empty() {
        return (Seen::Holds, format!("{count} running programs, each from a package"));
    }
    let more = wrong.len().saturating_sub(NAMES_MAX);
    wrong.truncate(NAMES_MAX);
    if more > 0 {
        wrong.push(format!("and {more} more"));
    }
    (Seen::Violated(wrong.join("; ")), format!("{count} running programs"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_outside_packages_are_named() {
        let good =
            "runs /usr/bin/bash\nruns /usr/sbin/sshd\nmanager dpkg\nowned /bin/bash\nowned /usr/sbin/sshd\n";
        assert_eq!(look(good).0, Seen::Holds);
        let planted = format!("runs /usr/bin/basher\nruns /opt/x\ndeleted /tmp/y\n{good}");
        assert_eq!(
            look(&planted).0,
            Seen::Violated(
                "/opt/x belongs to no package; /usr/bin/basher belongs to no package; \
                 /tmp/y runs, and its file was removed"
                    .to_owned()
            )
        );
    }

    #[test]
    fn machine_without_a_package_manager_is_unknown() {
        assert!(matches!(look("runs /bin/x\n").0, Seen::Unknown(_)));
        assert!(matches!(look("manager dpkg\n").0, Seen::Unknown(_)));
    }
}
