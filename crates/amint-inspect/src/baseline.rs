//! Comparing a scan with an earlier one, so that only what is new fails an image.

use std::collections::BTreeSet;

use amint_types::scan::{Baseline, FindingKind, RuleState, ScanDocument, ScanFinding};
use amint_types::scan_difference::matched;

/// Marks the findings that an earlier scan has too, and tells how many are known, new and fixed.
///
/// A finding is the same one when its id is; a vulnerability also when the package was updated and has it still. What
/// weighs more than it did, or was accepted until its waiver ended, counts as new.
pub(crate) fn compare(document: &mut ScanDocument, earlier: &ScanDocument) {
    let old: Vec<&ScanFinding> = earlier.findings.iter().filter(|finding| finding.is_counted()).collect();
    let new: Vec<&ScanFinding> = document.findings.iter().filter(|finding| finding.is_counted()).collect();
    let by_id = matched(old.into_iter(), new.into_iter(), |finding| &finding.id);
    let of_vulnerability = |finding: &&&ScanFinding| finding.kind == FindingKind::Vulnerability;
    let by_subject = matched(
        by_id.gone.iter().filter(of_vulnerability).copied(),
        by_id.new.iter().filter(of_vulnerability).copied(),
        |finding| (&finding.rule, &finding.package, &finding.path),
    );
    let mut known = BTreeSet::new();
    for (old, new) in by_id.pairs.iter().chain(&by_subject.pairs) {
        let weighs_more = new.severity > old.severity || (new.is_exploited && !old.is_exploited);
        if !weighs_more {
            known.insert(new.id.clone());
        }
    }
    let is_gone = |finding: &&&ScanFinding| {
        finding.kind != FindingKind::Vulnerability
            || by_subject.gone.iter().any(|gone| std::ptr::eq(*gone, **finding))
    };
    let gone: Vec<&&ScanFinding> = by_id.gone.iter().filter(is_gone).collect();
    let fixed = gone.iter().filter(|finding| was_looked_for(document, finding)).count();
    let not_looked_for = gone.len() - fixed;
    for finding in &mut document.findings {
        finding.is_known = finding.is_counted() && known.contains(&finding.id);
    }
    let count = |is_known| {
        let counted = document.findings.iter().filter(|finding| finding.is_counted());
        counted.filter(|finding| finding.is_known == is_known).count()
    };
    document.baseline = Some(Baseline {
        target: earlier.target.clone(),
        scanned_at: earlier.scanned_at,
        known: count(true),
        new: count(false),
        fixed,
        not_looked_for,
    });
}

/// Tells whether this scan would have found it: what nobody looked for is not fixed.
fn was_looked_for(document: &ScanDocument, finding: &ScanFinding) -> bool {
    match finding.kind {
        FindingKind::Vulnerability => !document.data.is_empty(),
        FindingKind::Rule if is_rule(&finding.rule) => document
            .rules
            .iter()
            .any(|asked| asked.rule == finding.rule && asked.state != RuleState::NotEvaluated),
        _ => true,
    }
}

fn is_rule(id: &str) -> bool {
    amint_scan::rules().iter().any(|rule| rule.meta().id == id)
}

#[cfg(test)]
mod tests {
    use amint_types::Severity;
    use amint_types::scan::{AskedRule, DataSource};

    use super::*;
    use crate::testing::document;

    fn vulnerability(version: &str, severity: Severity) -> ScanFinding {
        ScanFinding {
            id: format!("CVE-2026-1 {version}"),
            package: Some("curl".to_owned()),
            version: Some(version.to_owned()),
            ..ScanFinding::new(
                FindingKind::Vulnerability,
                "CVE-2026-1",
                "bad",
                severity,
                "/var/lib/dpkg/status",
            )
        }
    }

    fn rule(rule: &str, title: &str) -> ScanFinding {
        let id = format!("{rule} {title}");
        ScanFinding { id, ..ScanFinding::new(FindingKind::Rule, rule, title, Severity::High, "/etc/a") }
    }

    fn of(findings: Vec<ScanFinding>) -> ScanDocument {
        let mut document = document();
        document.findings = findings;
        document.rules = vec![AskedRule { rule: "SSH-001".to_owned(), state: RuleState::Fail, reason: None }];
        document.data = vec![DataSource { source: "debian/trixie".to_owned(), date: document.scanned_at }];
        document
    }

    fn counts(old: Vec<ScanFinding>, new: Vec<ScanFinding>) -> (usize, usize, usize, usize, usize) {
        let mut document = of(new);
        compare(&mut document, &of(old));
        let blocking = document.blocking().count();
        let baseline = document.baseline.unwrap();
        (baseline.known, baseline.new, baseline.fixed, baseline.not_looked_for, blocking)
    }

    #[test]
    fn only_what_is_new_reaches_the_gate() {
        let old = vec![rule("SSH-001", "a"), rule("SSH-001", "b")];
        let new = vec![rule("SSH-001", "a"), rule("SSH-001", "c")];
        assert_eq!(counts(old, new), (1, 1, 1, 0, 1));
    }

    #[test]
    fn a_package_that_was_updated_and_has_the_same_vulnerability_is_known() {
        let old = || vec![vulnerability("1", Severity::High)];
        assert_eq!(counts(old(), vec![vulnerability("2", Severity::High)]), (1, 0, 0, 0, 0));
        assert_eq!(
            counts(old(), vec![vulnerability("2", Severity::Critical)]),
            (0, 1, 0, 0, 1),
            "it weighs more"
        );
        let exploited = ScanFinding { is_exploited: true, ..vulnerability("1", Severity::High) };
        assert_eq!(counts(old(), vec![exploited]), (0, 1, 0, 0, 1));
    }

    #[test]
    fn what_nobody_looked_for_is_not_fixed() {
        assert_eq!(counts(vec![rule("SSH-001", "a"), rule("SSH-004", "a")], vec![]), (0, 0, 1, 1, 0));
    }

    #[test]
    fn what_was_waived_then_is_new_when_the_waiver_has_ended() {
        let mut waived = rule("SSH-001", "a");
        let until = "2026-10-01".parse().unwrap();
        waived.waived =
            Some(amint_types::scan::Waived { reason: "known".to_owned(), owner: "team".to_owned(), until });
        assert_eq!(counts(vec![waived], vec![rule("SSH-001", "a")]), (0, 1, 0, 0, 1));
    }
}
