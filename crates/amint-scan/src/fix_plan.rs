//! From findings to the smallest change of a recipe that clears them.

use std::collections::BTreeMap;

use amint_types::Severity;
use amint_types::report::{Evidence, Finding};
use amint_types::scan::{FindingKind, PackageKind, ScanFinding};

use crate::{RecipeChange, rules};

/// One change of the recipe and what it clears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedChange {
    /// The change.
    pub change: RecipeChange,
    /// The findings that it clears, in the order of the report.
    pub clears: Vec<ScanFinding>,
}

/// What clears the findings of a scan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FixPlan {
    /// Changes of the recipe, each told once.
    pub changes: Vec<PlannedChange>,
    /// Findings that only a person can clear.
    pub by_hand: Vec<ScanFinding>,
}

/// Plans what clears the findings that count: what does not apply or is accepted stays, and so does mere information.
pub fn fix_plan(findings: &[ScanFinding]) -> FixPlan {
    let mut changes: BTreeMap<RecipeChange, Vec<ScanFinding>> = BTreeMap::new();
    let mut by_hand = Vec::new();
    let asks = |finding: &&ScanFinding| finding.is_counted() && finding.severity > Severity::Info;
    for finding in findings.iter().filter(asks) {
        match change_for(finding) {
            Some(change) => changes.entry(change).or_default().push(finding.clone()),
            None => by_hand.push(finding.clone()),
        }
    }
    let changes = changes.into_iter().map(|(change, clears)| PlannedChange { change, clears });
    FixPlan { changes: without_what_another_does(changes.collect()), by_hand }
}

fn change_for(finding: &ScanFinding) -> Option<RecipeChange> {
    if finding.kind == FindingKind::Vulnerability {
        let is_mended = finding.fixed_version.is_some() && finding.is_fix_available != Some(false);
        return (is_mended && is_of_system(finding)).then_some(RecipeChange::UpdatePackages);
    }
    if let Some(rule) = rules().iter().find(|rule| rule.meta().id == finding.rule) {
        let evidence =
            Evidence { path: finding.path.clone(), line: finding.line, excerpt: finding.evidence.clone() };
        return rule.recipe_change(&Finding {
            message: finding.title.clone(),
            evidence,
            severity: Some(finding.severity),
        });
    }
    // Packages that are older than those in the archive.
    let is_outdated = finding.rule == "VUL-002" && finding.fixed_version.is_some();
    (is_outdated && is_of_system(finding)).then_some(RecipeChange::UpdatePackages)
}

/// Tells whether the package manager of the system updates the package.
fn is_of_system(finding: &ScanFinding) -> bool {
    let kinds = PackageKind::ALL.into_iter().filter(|kind| kind.is_of_system());
    let purl = finding.purl.as_deref().unwrap_or_default();
    kinds.into_iter().any(|kind| purl.starts_with(&format!("pkg:{}/", kind.as_str())))
}

/// Drops changes of a unit that another change of the same unit does already: a unit of a package that goes needs no
/// more, and one that is masked is disabled.
fn without_what_another_does(mut changes: Vec<PlannedChange>) -> Vec<PlannedChange> {
    let masked: Vec<String> = changes
        .iter()
        .filter_map(|planned| match &planned.change {
            RecipeChange::MaskService(unit) => Some(unit.clone()),
            _ => None,
        })
        .collect();
    let mut moved: Vec<(String, Vec<ScanFinding>)> = Vec::new();
    changes.retain_mut(|planned| match &planned.change {
        RecipeChange::DisableService(unit) if masked.contains(unit) => {
            moved.push((unit.clone(), std::mem::take(&mut planned.clears)));
            false
        }
        _ => true,
    });
    for (unit, clears) in moved {
        let mask = RecipeChange::MaskService(unit);
        if let Some(planned) = changes.iter_mut().find(|planned| planned.change == mask) {
            planned.clears.extend(clears);
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::process::Command;

    use amint_types::report::RuleOutcome;

    use super::*;
    use crate::testing::Fixture;

    /// A tree with a flaw of many kinds.
    fn flawed() -> Fixture {
        let mut fixture =
            Fixture::with_sshd("PasswordAuthentication yes\nPermitRootLogin yes\nX11Forwarding yes\n")
                .file("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
                .file("/etc/shadow", "root:*:1::::::\n")
                .file("/etc/machine-id", "0123456789abcdef0123456789abcdef\n")
                .file("/root/.ssh/authorized_keys", "ssh-ed25519 AAAA builder@host\n")
                .file("/root/.bash_history", "ls\n")
                .file("/var/log/syslog", "started\n")
                .file("/var/tmp/left", "x")
                .file("/etc/ssh/ssh_host_ed25519_key", "key")
                .file("/etc/fstab", "/dev/sda1 / ext4 defaults 0 1\n");
        fixture.request.user = "ec2-user".to_owned();
        fixture
    }

    fn found(fixture: &Fixture) -> Vec<ScanFinding> {
        let mut findings = Vec::new();
        for result in fixture.scan().rules {
            if let RuleOutcome::Fail { findings: of_rule } = result.outcome {
                findings.extend(of_rule.into_iter().map(|found| ScanFinding {
                    line: found.evidence.line,
                    evidence: found.evidence.excerpt,
                    ..ScanFinding::new(
                        FindingKind::Rule,
                        &result.rule,
                        found.message,
                        result.severity,
                        found.evidence.path,
                    )
                }));
            }
        }
        findings
    }

    fn keys(findings: &[ScanFinding]) -> BTreeSet<(String, String, String)> {
        let key = |finding: &ScanFinding| (finding.rule.clone(), finding.path.clone(), finding.title.clone());
        findings.iter().map(key).collect()
    }

    /// Does in a tree what a build does by a recipe; changes that need a package manager or systemd are not made.
    fn apply(change: &RecipeChange, fixture: &Fixture) -> bool {
        let root = fixture.host("/");
        match change {
            RecipeChange::Harden => {
                fixture.harden_twice();
                true
            }
            RecipeChange::RemovePath(path) => {
                let path = fixture.host(path);
                if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
                true
            }
            RecipeChange::Run(command) => {
                // No shell lies in the tree, so paths of the image become paths of the tree.
                let command = command.replace(" /", &format!(" {}/", root.display()));
                Command::new("sh").args(["-ec", &command]).status().unwrap().success()
            }
            _ => false,
        }
    }

    #[test]
    fn a_flawed_tree_becomes_clean_of_all_that_the_plan_claims_to_clear() {
        let fixture = flawed();
        let mut before = found(&fixture);
        before.retain(|finding| finding.severity > Severity::Info);
        let plan = fix_plan(&before);
        let ids: BTreeSet<&str> = before.iter().map(|finding| finding.rule.as_str()).collect();
        for id in ["SSH-001", "SSH-003", "SEC-008", "SSH-008", "SEC-005"] {
            assert!(ids.contains(id), "{id} is not planted: {ids:?}");
        }
        let planned: usize = plan.changes.iter().map(|planned| planned.clears.len()).sum();
        assert_eq!(planned + plan.by_hand.len(), before.len(), "each finding is told once");
        let mut claimed = Vec::new();
        for planned in &plan.changes {
            if apply(&planned.change, &fixture) {
                claimed.extend(planned.clears.iter().cloned());
            }
        }
        assert!(!claimed.is_empty());
        let after = keys(&found(&fixture));
        let left: Vec<_> = keys(&claimed).into_iter().filter(|key| after.contains(key)).collect();
        assert_eq!(left, [], "the plan claims to clear them");
    }

    fn vulnerability(purl: &str, fixed: Option<&str>, is_available: Option<bool>) -> ScanFinding {
        ScanFinding {
            purl: Some(purl.to_owned()),
            fixed_version: fixed.map(str::to_owned),
            is_fix_available: is_available,
            ..ScanFinding::new(FindingKind::Vulnerability, "CVE-2026-1", "bad", Severity::High, "/a")
        }
    }

    #[test]
    fn an_update_clears_what_is_fixed_in_the_archive_and_a_person_the_rest() {
        let mut waived = vulnerability("pkg:deb/debian/curl@1", None, None);
        waived.not_affected = Some("not built".to_owned());
        let findings = [
            vulnerability("pkg:deb/debian/curl@1", Some("2"), Some(true)),
            vulnerability("pkg:deb/debian/curl@1", Some("2"), None),
            vulnerability("pkg:deb/debian/curl@1", Some("2"), Some(false)),
            vulnerability("pkg:deb/debian/curl@1", None, Some(false)),
            vulnerability("pkg:pypi/requests@1", Some("2"), None),
            waived,
        ];
        let plan = fix_plan(&findings);
        assert_eq!(plan.changes.len(), 1);
        assert_eq!(
            (&plan.changes[0].change, plan.changes[0].clears.len()),
            (&RecipeChange::UpdatePackages, 2)
        );
        assert_eq!(plan.by_hand.len(), 3);
    }

    #[test]
    fn information_and_files_of_the_system_lead_to_no_change() {
        let found = |severity, path: &str| {
            ScanFinding::new(FindingKind::Rule, "SEC-003", "RSA private key", severity, path)
        };
        let plan = fix_plan(&[
            found(Severity::Info, "/usr/bin/openssl"),
            found(Severity::Info, "/opt/manual.txt"),
            found(Severity::High, "/usr/bin/tool"),
            found(Severity::High, "/usr/local/bin/tool"),
        ]);
        let changes: Vec<_> = plan.changes.iter().map(|planned| &planned.change).collect();
        assert_eq!(changes, [&RecipeChange::RemovePath("/usr/local/bin/tool".to_owned())]);
        let by_hand: Vec<_> = plan.by_hand.iter().map(|finding| finding.path.as_str()).collect();
        assert_eq!(by_hand, ["/usr/bin/tool"]);
    }

    #[test]
    fn a_unit_that_is_masked_is_not_disabled_too() {
        let planned = |change| PlannedChange { change, clears: vec![vulnerability("", None, None)] };
        let changes = vec![
            planned(RecipeChange::DisableService("a.service".to_owned())),
            planned(RecipeChange::MaskService("a.service".to_owned())),
        ];
        let left = without_what_another_does(changes);
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].clears.len(), 2);
    }
}
