//! Do files and machine say the same of each rule?

use amint_types::Severity;
use amint_types::report::{CheckOutcome, Disagreement, RuleOutcome};

use crate::checks::confirmed::confirmed_by;
use crate::checks::{Seen, Verdict};
use crate::promises::Promises;

/// Findings of one rule that are quoted.
const FINDINGS_MAX: usize = 3;

/// Returns the rules of which the files said one thing and `verdicts` another, with both evidences, by rule.
pub(crate) fn disagreements<'a>(
    promises: &Promises,
    verdicts: impl Iterator<Item = (&'a str, &'a Verdict)>,
) -> Vec<Disagreement> {
    let mut found = Vec::new();
    for (check, verdict) in verdicts {
        for (rule, is_violated, machine) in statements(check, verdict) {
            let Some(result) = promises.rule(rule) else { continue };
            let file = match (&result.outcome, is_violated) {
                (RuleOutcome::Pass, true) => "the files pass".to_owned(),
                (RuleOutcome::NotApplicable { reason }, true) => format!("not applicable: {reason}"),
                (RuleOutcome::Fail { findings } | RuleOutcome::Waived { findings, .. }, false) => {
                    let told = findings.iter().take(FINDINGS_MAX).map(|finding| {
                        let line = finding.evidence.line.map(|line| format!(":{line}")).unwrap_or_default();
                        format!("{}{line}: {}", finding.evidence.path, finding.message)
                    });
                    let told: Vec<String> = told.collect();
                    let more = findings.len().saturating_sub(FINDINGS_MAX);
                    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
                    format!("{}{more}", told.join("; "))
                }
                _ => continue,
            };
            // A machine that is better than its files is told, and stops nothing.
            let severity = if is_violated { result.severity } else { Severity::Info };
            found.push(Disagreement {
                rule: rule.to_owned(),
                severity,
                check: check.to_owned(),
                file,
                machine,
            });
        }
    }
    found.sort_by(|left, right| left.rule.cmp(&right.rule).then(left.check.cmp(&right.check)));
    found
}

/// What one check says of rules: whether each is violated, and what was seen.
fn statements<'a>(check: &str, verdict: &'a Verdict) -> Vec<(&'static str, bool, String)> {
    if verdict.seen.is_empty() {
        // A check that does not tell its rules apart speaks against all of them, and for none alone.
        let first = verdict.detail.lines().next().unwrap_or_default().to_owned();
        let is_failed = verdict.outcome == CheckOutcome::Fail;
        return confirmed_by(check)
            .iter()
            .filter(|_| is_failed)
            .map(|rule| (*rule, true, first.clone()))
            .collect();
    }
    let statement = |(rule, seen): &'a (&'static str, Seen)| match seen {
        Seen::Holds => Some((*rule, false, "the machine keeps the rule".to_owned())),
        Seen::Violated(text) => Some((*rule, true, text.clone())),
        Seen::Unknown(_) => None,
    };
    verdict.seen.iter().filter_map(statement).collect()
}

/// Sums disagreements up as a check of its own.
pub(crate) fn verdict_on(promises: &Promises, found: &[Disagreement]) -> Verdict {
    if promises.scan.is_none() {
        return Verdict::skipped("nobody judged the files of this image");
    }
    let Some(severity) = found.iter().map(|one| one.severity).max() else {
        return Verdict::pass("no rule is seen otherwise on the machine than in the files");
    };
    let lines: Vec<String> = found
        .iter()
        .map(|one| {
            format!(
                "{} ({}): files: {}; machine ({}): {}",
                one.rule, one.severity, one.file, one.check, one.machine
            )
        })
        .collect();
    let mut verdict = if severity >= promises.gate {
        Verdict::fail(lines.join("\n"))
    } else {
        Verdict::noted(lines.join("\n"))
    };
    verdict.severity = Some(severity);
    verdict
}

#[cfg(test)]
mod tests {
    use amint_types::report::{Evidence, Finding};

    use super::*;
    use crate::promises::tests::passed;

    fn verdict(seen: Seen) -> Verdict {
        let mut verdict = Verdict::pass("detail");
        verdict.seen = vec![("SSH-001", seen)];
        verdict
    }

    fn found(promises: &Promises, verdict: &Verdict, check: &str) -> Vec<Disagreement> {
        disagreements(promises, [(check, verdict)].into_iter())
    }

    #[test]
    fn files_that_pass_and_a_machine_that_does_not_disagree() {
        let promises = passed(&[("SSH-001", Severity::Critical)]);
        let found = found(&promises, &verdict(Seen::Violated("it is `yes`".to_owned())), "live-sshd");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].machine, "it is `yes`");
        let verdict = verdict_on(&promises, &found);
        assert_eq!(
            (verdict.outcome, verdict.detail.as_str()),
            (
                CheckOutcome::Fail,
                "SSH-001 (critical): files: the files pass; machine (live-sshd): it is `yes`"
            )
        );
    }

    #[test]
    fn machine_that_is_better_than_its_files_is_noted() {
        let mut promises = passed(&[("SSH-001", Severity::Critical)]);
        let evidence = Evidence { path: "/etc/ssh/sshd_config".to_owned(), line: Some(7), excerpt: None };
        let finding = Finding { message: "it is `yes`".to_owned(), evidence, severity: None };
        promises.scan.as_mut().unwrap().rules[0].outcome = RuleOutcome::Fail { findings: vec![finding] };
        let found = found(&promises, &verdict(Seen::Holds), "live-sshd");
        assert_eq!(found[0].file, "/etc/ssh/sshd_config:7: it is `yes`");
        assert_eq!(verdict_on(&promises, &found).outcome, CheckOutcome::Noted);
    }

    #[test]
    fn those_that_say_the_same_and_those_that_nobody_judged_do_not_count() {
        let promises = passed(&[("SSH-001", Severity::Critical)]);
        assert_eq!(found(&promises, &verdict(Seen::Holds), "live-sshd"), []);
        assert_eq!(found(&promises, &verdict(Seen::Unknown("x".to_owned())), "live-sshd"), []);
        let violated = verdict(Seen::Violated("x".to_owned()));
        assert_eq!(found(&Promises::default(), &violated, "live-sshd"), []);
        assert_eq!(verdict_on(&promises, &[]).outcome, CheckOutcome::Pass);
        assert_eq!(verdict_on(&Promises::default(), &[]).outcome, CheckOutcome::Skipped);
    }

    #[test]
    fn failed_check_speaks_against_the_rules_that_it_confirms() {
        let promises = passed(&[("SSH-003", Severity::Critical)]);
        let found = found(&promises, &Verdict::fail("root runs commands"), "ssh-root-refused");
        assert_eq!(found[0].rule, "SSH-003");
        assert_eq!(self::found(&promises, &Verdict::pass("fine"), "ssh-root-refused"), []);
    }
}
