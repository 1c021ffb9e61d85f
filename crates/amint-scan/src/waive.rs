//! Waivers: what is accepted, by whom it is needed, and what lapsed.

use std::fmt::Write;

use amint_types::report::{Finding, RuleOutcome};

use crate::glob;
use crate::{ScanRequest, Waiver};

/// Judges findings by the waivers and keeps count of which were needed.
pub(crate) struct Waivers<'scan> {
    request: &'scan ScanRequest,
    is_used: Vec<bool>,
}

impl<'scan> Waivers<'scan> {
    pub(crate) fn new(request: &'scan ScanRequest) -> Self {
        Self { request, is_used: vec![false; request.waivers.len()] }
    }

    /// Turns findings into an outcome: waived only when a waiver that has not lapsed covers every one.
    pub(crate) fn judge(&mut self, rule: &str, mut findings: Vec<Finding>) -> RuleOutcome {
        let mut last: Option<&Waiver> = None;
        let mut is_covered = true;
        let mut covering = Vec::with_capacity(findings.len());
        for finding in &findings {
            let found = self.request.waivers.iter().enumerate().find(|(_, waiver)| {
                waiver.rule == rule
                    && is_active(waiver, self.request)
                    && covers(waiver, &finding.evidence.path)
            });
            covering.push(found.map(|(_, waiver)| waiver));
            match found {
                Some((index, waiver)) => {
                    self.is_used[index] = true;
                    // The earliest day counts: after it the rule fails again.
                    last = last.filter(|other| other.until <= waiver.until).or(Some(waiver));
                }
                None => is_covered = false,
            }
        }
        match last {
            Some(waiver) if is_covered => {
                RuleOutcome::Waived { findings, reason: waiver.reason.clone(), until: waiver.until }
            }
            _ => {
                for (finding, waiver) in findings.iter_mut().zip(covering) {
                    if let Some(waiver) = waiver {
                        let _ =
                            write!(finding.message, " (waived until {}: {})", waiver.until, waiver.reason);
                    }
                }
                RuleOutcome::Fail { findings }
            }
        }
    }

    /// Lists the waivers that no finding needed, each with the likely reason.
    pub(crate) fn unused(&self, known: &[&str]) -> Vec<String> {
        let unused = self.request.waivers.iter().zip(&self.is_used).filter(|(_, is_used)| !**is_used);
        let mut lines: Vec<String> = unused
            .map(|(waiver, _)| {
                let path = waiver.path.as_ref().map(|path| format!(" at {path}")).unwrap_or_default();
                let why = if !known.contains(&waiver.rule.as_str()) {
                    "there is no such rule".to_owned()
                } else if is_active(waiver, self.request) {
                    "no finding needs it".to_owned()
                } else {
                    format!("it lapsed after {}", waiver.until)
                };
                format!("{}{path}: {why}", waiver.rule)
            })
            .collect();
        lines.sort();
        lines
    }
}

/// Tells whether a change at `path` for `rule` is waived: what is accepted must not be mended away.
pub(crate) fn is_waived(request: &ScanRequest, rule: &str, path: &str) -> bool {
    let mut waivers = request.waivers.iter();
    waivers.any(|waiver| waiver.rule == rule && is_active(waiver, request) && covers(waiver, path))
}

/// Tells whether a rule as a whole is waived.
pub(crate) fn is_rule_waived(request: &ScanRequest, rule: &str) -> bool {
    let mut waivers = request.waivers.iter();
    waivers.any(|waiver| waiver.rule == rule && waiver.path.is_none() && is_active(waiver, request))
}

fn is_active(waiver: &Waiver, request: &ScanRequest) -> bool {
    request.today <= waiver.until
}

fn covers(waiver: &Waiver, path: &str) -> bool {
    waiver.path.as_ref().is_none_or(|pattern| glob::is_match(pattern, path))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use jiff::civil::date;

    use super::*;
    use crate::rule::finding;
    use crate::testing::request;

    fn waiver(rule: &str, path: Option<&str>, day: i8) -> Waiver {
        Waiver {
            rule: rule.into(),
            reason: "known".into(),
            until: date(2026, 1, day),
            path: path.map(Into::into),
        }
    }

    fn findings() -> Vec<Finding> {
        vec![finding("first", Path::new("/etc/a")), finding("second", Path::new("/root/b"))]
    }

    fn request_with(waivers: Vec<Waiver>) -> ScanRequest {
        ScanRequest { waivers, today: date(2026, 1, 15), ..request() }
    }

    #[test]
    fn a_waiver_holds_on_its_last_day_and_not_after() {
        let request = request_with(vec![waiver("X", None, 15)]);
        assert!(matches!(Waivers::new(&request).judge("X", findings()), RuleOutcome::Waived { .. }));
        let request = request_with(vec![waiver("X", None, 14)]);
        let mut waivers = Waivers::new(&request);
        assert!(matches!(waivers.judge("X", findings()), RuleOutcome::Fail { .. }));
        assert_eq!(waivers.unused(&["X"]), ["X: it lapsed after 2026-01-14"]);
    }

    #[test]
    fn a_waiver_for_one_path_leaves_the_others_failing() {
        let request = request_with(vec![waiver("X", Some("/etc/*"), 20)]);
        let mut waivers = Waivers::new(&request);
        let RuleOutcome::Fail { findings } = waivers.judge("X", findings()) else { panic!("must fail") };
        assert_eq!(findings[0].message, "first (waived until 2026-01-20: known)");
        assert_eq!(findings[1].message, "second");
        assert!(waivers.unused(&["X"]).is_empty());
    }

    #[test]
    fn the_earliest_day_of_several_waivers_is_told() {
        let request = request_with(vec![waiver("X", Some("/etc/*"), 28), waiver("X", None, 20)]);
        let outcome = Waivers::new(&request).judge("X", findings());
        assert!(matches!(outcome, RuleOutcome::Waived { until, .. } if until == date(2026, 1, 20)));
    }

    #[test]
    fn waivers_that_nothing_needs_are_listed() {
        let request = request_with(vec![waiver("Y", None, 20), waiver("X", Some("/srv/*"), 20)]);
        let mut waivers = Waivers::new(&request);
        waivers.judge("X", findings());
        assert_eq!(waivers.unused(&["X"]), ["X at /srv/*: no finding needs it", "Y: there is no such rule"]);
    }
}
