//! Was the kernel started with arguments that switch its guards off?

use amint_types::weakening_arguments;

use crate::checks::live::{Snapshot, judged};
use crate::checks::{Seen, Verdict};
use crate::promises::Promises;

/// Judges `/proc/cmdline`.
pub(crate) fn judge(snapshot: &Snapshot, promises: &Promises) -> Verdict {
    let (seen, summary) = match snapshot.section("cmdline") {
        Ok(text) if !text.trim().is_empty() => {
            let weak: Vec<&str> = weakening_arguments(text).collect();
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
