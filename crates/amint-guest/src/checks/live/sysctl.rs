//! Does the kernel run with the wanted settings?

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::checks::boot_facts::shortened;
use crate::checks::live::snapshot::SETTINGS;
use crate::checks::live::{Snapshot, judged};
use crate::checks::{Seen, Verdict};
use crate::promises::Promises;

/// Judges the values under `/proc/sys`.
pub(crate) fn judge(snapshot: &Snapshot, promises: &Promises) -> Verdict {
    let wanted = &promises.kernel_settings;
    if wanted.is_empty() {
        return Verdict::skipped("nobody says which kernel settings are wanted");
    }
    let text = match snapshot.section("sysctl") {
        Ok(text) => text,
        Err(reason) => return judged(promises, vec![("KRN-001", Seen::Unknown(reason.clone()))], &reason),
    };
    let values: BTreeMap<String, &str> = text
        .lines()
        .filter_map(|line| line.strip_prefix(SETTINGS)?.split_once(':'))
        .map(|(path, value)| (path.replace('/', "."), value))
        .collect();
    let mut wrong = Vec::new();
    let mut missing = 0_u32;
    for (key, right) in wanted {
        match values.get(key.as_str()) {
            Some(value) if right.iter().any(|right| right == value.trim()) => {}
            Some(value) => wrong.push(format!("{key} is {}", shortened(value, 40))),
            // A kernel without the feature has no switch for it.
            None => missing += 1,
        }
    }
    let count = wanted.len() - usize::try_from(missing).unwrap_or_default();
    let seen = if count == 0 {
        Seen::Unknown("no setting can be read".to_owned())
    } else if wrong.is_empty() {
        Seen::Holds
    } else {
        Seen::Violated(wrong.join(", "))
    };
    let mut summary = format!("{count} settings are in force");
    if missing > 0 {
        // Writing to a string cannot fail.
        let _ = write!(summary, ", {missing} do not exist in this kernel");
    }
    judged(promises, vec![("KRN-001", seen)], &summary)
}

#[cfg(test)]
mod tests {
    use amint_types::Severity;
    use amint_types::report::CheckOutcome;

    use super::*;
    use crate::promises::tests::passed;

    fn verdict(rows: &str) -> Verdict {
        let mut promises = passed(&[("KRN-001", Severity::Medium)]);
        let right = |key: &str, values: &[&str]| {
            (key.to_owned(), values.iter().map(|&value| value.to_owned()).collect())
        };
        promises.kernel_settings = vec![right("kernel.a", &["2", "1"]), right("net.b", &["0"])];
        judge(&Snapshot::parse(&format!("@@sysctl\n{rows}@@end\n")), &promises)
    }

    #[test]
    fn right_values_pass_and_others_are_named() {
        assert_eq!(verdict("/proc/sys/kernel/a:1\n/proc/sys/net/b:0\n").outcome, CheckOutcome::Pass);
        let verdict = verdict("/proc/sys/kernel/a:0\n/proc/sys/net/b:0\n");
        assert_eq!(verdict.outcome, CheckOutcome::Noted);
        assert_eq!(verdict.detail, "KRN-001 (medium): kernel.a is 0");
    }

    #[test]
    fn setting_that_the_kernel_lacks_is_told_and_none_at_all_is_no_pass() {
        let partial = verdict("/proc/sys/kernel/a:2\n");
        assert_eq!(partial.outcome, CheckOutcome::Pass);
        assert_eq!(partial.detail, "1 settings are in force, 1 do not exist in this kernel");
        assert_ne!(verdict("").outcome, CheckOutcome::Pass);
    }
}
