//! What the rules said of an image's files: the running machine is compared with it.

use amint_types::Severity;
use amint_types::report::{RuleOutcome, RuleResult, ScanReport};

/// What the rules said of an image's files, and what they ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promises {
    /// The verdict of the rules over the files; none where nobody judged them.
    pub scan: Option<ScanReport>,
    /// The severity from which a violation fails the boot test.
    pub gate: Severity,
    /// Kernel settings, and the values that are right for each (KRN-001).
    pub kernel_settings: Vec<(String, Vec<String>)>,
    /// Kernel modules that must not be loadable (KRN-002).
    pub unused_modules: Vec<String>,
}

impl Default for Promises {
    fn default() -> Self {
        Self { scan: None, gate: Severity::High, kernel_settings: Vec::new(), unused_modules: Vec::new() }
    }
}

impl Promises {
    /// Returns what the rule `id` said of the files.
    pub(crate) fn rule(&self, id: &str) -> Option<&RuleResult> {
        self.scan.as_ref()?.rules.iter().find(|rule| rule.rule == id)
    }

    /// Returns how bad a violation of the rule `id` is; none where no profile of the image asks for it.
    pub(crate) fn severity(&self, id: &str) -> Option<Severity> {
        if self.scan.is_none() {
            return Some(usual_severity(id));
        }
        let rule = self.rule(id)?;
        let is_waived = matches!(rule.outcome, RuleOutcome::Waived { .. });
        Some(if is_waived { Severity::Info } else { rule.severity })
    }

    /// Tells whether root may not even log in with a key.
    pub(crate) fn is_root_shut_out(&self) -> bool {
        self.scan.as_ref().is_none_or(|scan| {
            scan.profiles.iter().any(|profile| profile == "marketplace" || profile.starts_with("hardened"))
        })
    }
}

/// How bad a violation is for an image whose profiles are not known.
fn usual_severity(id: &str) -> Severity {
    match id {
        "SSH-001" | "SSH-002" | "SSH-003" | "SSH-004" | "ACC-001" | "ACC-002" | "ACC-004" | "ACC-005" => {
            Severity::Critical
        }
        "SSH-005" | "SSH-010" | "SVC-001" | "SVC-003" | "KRN-003" | "CRY-002" => Severity::High,
        _ => Severity::Low,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Makes promises of which each rule passed with a severity.
    pub(crate) fn passed(rules: &[(&str, Severity)]) -> Promises {
        let rules = rules
            .iter()
            .map(|&(rule, severity)| RuleResult {
                rule: rule.to_owned(),
                title: "title".to_owned(),
                severity,
                requirements: Vec::new(),
                remedy: "remedy".to_owned(),
                outcome: RuleOutcome::Pass,
            })
            .collect();
        let scan = ScanReport {
            profiles: vec!["marketplace".to_owned()],
            rules,
            fixes: Vec::new(),
            files: 1,
            unused_waivers: Vec::new(),
        };
        Promises { scan: Some(scan), ..Promises::default() }
    }

    #[test]
    fn rule_that_no_profile_asks_has_no_severity() {
        let promises = passed(&[("SSH-001", Severity::Medium)]);
        assert_eq!(promises.severity("SSH-001"), Some(Severity::Medium));
        assert_eq!(promises.severity("KRN-001"), None);
        assert_eq!(Promises::default().severity("SSH-001"), Some(Severity::Critical));
        assert!(promises.is_root_shut_out());
    }
}
