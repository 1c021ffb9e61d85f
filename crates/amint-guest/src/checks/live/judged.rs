//! From what was seen of single rules to the verdict of a check.

use crate::checks::{Seen, Verdict};
use crate::promises::Promises;

/// Judges what was seen of rules: a check fails when a violation is as bad as the gate, and what could not be
/// found out counts as a violation. Rules that no profile of the image asks for are only told.
pub(crate) fn judged(promises: &Promises, seen: Vec<(&'static str, Seen)>, summary: &str) -> Verdict {
    let asked: Vec<_> =
        seen.iter().filter_map(|(rule, seen)| Some((rule, seen, promises.severity(rule)?))).collect();
    if asked.is_empty() {
        let mut verdict = Verdict::skipped(format!("no profile of this image asks for it; {summary}"));
        verdict.seen = seen;
        return verdict;
    }
    let wrong: Vec<_> = asked.iter().filter(|(_, seen, _)| **seen != Seen::Holds).collect();
    let severity = wrong.iter().map(|(.., severity)| *severity).max();
    let mut lines = Vec::new();
    for (rule, seen, severity) in &wrong {
        match seen {
            Seen::Violated(text) => lines.push(format!("{rule} ({severity}): {text}")),
            Seen::Unknown(text) => lines.push(format!("{rule} ({severity}): not found out: {text}")),
            Seen::Holds => {}
        }
    }
    let mut verdict = match severity {
        None => Verdict::pass(summary),
        Some(severity) if severity >= promises.gate => Verdict::fail(lines.join("\n")),
        Some(_) => Verdict::noted(lines.join("\n")),
    };
    verdict.severity = severity;
    verdict.seen = seen;
    verdict
}

#[cfg(test)]
mod tests {
    use amint_types::Severity;
    use amint_types::report::CheckOutcome;

    use super::*;
    use crate::promises::tests::passed;

    fn outcome(promises: &Promises, seen: Seen) -> (CheckOutcome, Option<Severity>) {
        let verdict = judged(promises, vec![("SSH-001", seen)], "summary");
        (verdict.outcome, verdict.severity)
    }

    #[test]
    fn violation_fails_the_check_from_the_gate_on() {
        let violated = || Seen::Violated("yes".to_owned());
        let severe = passed(&[("SSH-001", Severity::High)]);
        assert_eq!(outcome(&severe, violated()), (CheckOutcome::Fail, Some(Severity::High)));
        let mild = passed(&[("SSH-001", Severity::Medium)]);
        assert_eq!(outcome(&mild, violated()), (CheckOutcome::Noted, Some(Severity::Medium)));
        assert_eq!(outcome(&mild, Seen::Holds), (CheckOutcome::Pass, None));
        let other = passed(&[("KRN-001", Severity::High)]);
        assert_eq!(outcome(&other, violated()), (CheckOutcome::Skipped, None));
    }

    #[test]
    fn what_is_not_found_out_is_no_pass() {
        let severe = passed(&[("SSH-001", Severity::High)]);
        assert_eq!(outcome(&severe, Seen::Unknown("gone".to_owned())).0, CheckOutcome::Fail);
    }
}
