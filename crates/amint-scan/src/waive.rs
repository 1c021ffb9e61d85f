//! Waivers: what is accepted, by whom it is needed, and what lapsed.

use std::fmt::Write;

use amint_types::Severity;
use amint_types::report::{Finding, RuleOutcome};
use amint_types::scan::{ScanFinding, Waived};
use jiff::civil::Date;

use crate::glob;
use crate::{Profile, ScanRequest, Waiver, rules};

/// What is judged of the whole image, not by a rule of files: vulnerabilities, support, rights, evidence, encryption.
const JUDGED_ELSEWHERE: [&str; 5] = ["EOL-", "EVI-", "FS-005", "RES-", "VUL-"];
/// How long before their end waivers are told, in days.
const LAPSES_SOON_DAYS: i32 = 30;
/// The longest that a waiver should last, in days: a year, and some weeks to decide anew.
const LAST_DAYS_MAX: i32 = 400;

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
                    && is_active(waiver, self.request.today)
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
                RuleOutcome::Waived { findings, reason: reason_of(waiver), until: waiver.until }
            }
            _ => {
                for (finding, waiver) in findings.iter_mut().zip(covering) {
                    if let Some(waiver) = waiver {
                        let _ = write!(
                            finding.message,
                            " (waived until {}: {})",
                            waiver.until,
                            reason_of(waiver)
                        );
                    }
                }
                RuleOutcome::Fail { findings }
            }
        }
    }

    /// Lists the waivers that no finding needed, each with the likely reason. Those of advisories and packages are
    /// for others to judge.
    pub(crate) fn unused(&self, known: &[&str]) -> Vec<String> {
        let unused = self.request.waivers.iter().zip(&self.is_used).filter(|(waiver, is_used)| {
            !**is_used && waiver.package.is_none() && is_id_of_rule(&waiver.rule)
        });
        let mut lines: Vec<String> = unused
            .map(|(waiver, _)| {
                let why = if !known.contains(&waiver.rule.as_str()) {
                    "there is no such rule".to_owned()
                } else if is_active(waiver, self.request.today) {
                    "no finding needs it".to_owned()
                } else {
                    format!("it lapsed after {}", waiver.until)
                };
                format!("{}: {why}", scope(waiver))
            })
            .collect();
        lines.sort();
        lines
    }
}

/// Tells whether a change at `path` for `rule` is waived: what is accepted must not be mended away.
pub(crate) fn is_waived(request: &ScanRequest, rule: &str, path: &str) -> bool {
    let mut waivers = request.waivers.iter();
    waivers.any(|waiver| waiver.rule == rule && is_active(waiver, request.today) && covers(waiver, path))
}

/// Tells whether a rule as a whole is waived.
pub(crate) fn is_rule_waived(request: &ScanRequest, rule: &str) -> bool {
    let mut waivers = request.waivers.iter();
    let covers_all = |waiver: &Waiver| waiver.path.is_none() && waiver.package.is_none();
    waivers.any(|waiver| waiver.rule == rule && covers_all(waiver) && is_active(waiver, request.today))
}

/// Marks every finding that a waiver covers; `was_looked_for` tells of an id whether the scan looked for it.
///
/// Returns the waivers that no finding needed, each with the likely reason.
pub fn waive(
    waivers: &[Waiver],
    today: Date,
    findings: &mut [ScanFinding],
    was_looked_for: &dyn Fn(&str) -> bool,
) -> Vec<String> {
    let mut is_used = vec![false; waivers.len()];
    for finding in findings {
        for (waiver, is_used) in waivers.iter().zip(&mut is_used) {
            if !is_active(waiver, today) || !covers_finding(waiver, finding) {
                continue;
            }
            *is_used = true;
            // Of several the one that holds longest: until then it is accepted.
            if finding.waived.as_ref().is_none_or(|other| other.until < waiver.until) {
                let (reason, owner) = (waiver.reason.clone(), waiver.owner.clone());
                finding.waived = Some(Waived { reason, owner, until: waiver.until });
            }
        }
    }
    let mut unused: Vec<String> = waivers
        .iter()
        .zip(is_used)
        .filter(|(waiver, is_used)| {
            // What has lapsed is told elsewhere, whether it is needed or not.
            !is_used && is_active(waiver, today) && was_looked_for(&waiver.rule)
        })
        .map(|(waiver, _)| format!("no finding needs the waiver of {}", scope(waiver)))
        .collect();
    unused.sort();
    unused
}

/// Says which waivers a person should look at: those that lapsed or soon will, those that last too long, and those
/// that cover more than anybody decided about.
pub fn waiver_warnings(waivers: &[Waiver], profiles: &[Profile], today: Date) -> Vec<String> {
    let mut warnings = Vec::new();
    for waiver in waivers {
        let (scope, owner, until) = (scope(waiver), &waiver.owner, waiver.until);
        let days = (until - today).get_days();
        if days < 0 {
            warnings.push(format!("the waiver of {scope} ended on {until} ({owner})"));
        } else if days <= LAPSES_SOON_DAYS {
            warnings.push(format!("the waiver of {scope} ends soon, on {until} ({owner})"));
        } else if days > LAST_DAYS_MAX {
            warnings.push(format!(
                "the waiver of {scope} lasts for {days} days, until {until}: decide once a year"
            ));
        }
        let is_known = rules().iter().any(|rule| rule.meta().id == waiver.rule)
            || JUDGED_ELSEWHERE.iter().any(|family| waiver.rule.starts_with(family));
        if is_id_of_rule(&waiver.rule) && !is_known {
            warnings.push(format!("the waiver of {scope} is of no use: there is no such rule"));
        }
        if let Some(why) = width(waiver, profiles) {
            warnings.push(format!("the waiver of {scope} is too wide: {why}"));
        }
    }
    warnings.sort();
    warnings.dedup();
    warnings
}

/// Says why a waiver covers too much.
fn width(waiver: &Waiver, profiles: &[Profile]) -> Option<&'static str> {
    if waiver.path.as_ref().is_some_and(|path| path.chars().all(|letter| matches!(letter, '/' | '*'))) {
        return Some("its `path` covers every path");
    }
    if waiver.package.as_ref().is_some_and(|package| package.chars().all(|letter| letter == '*')) {
        return Some("its `package` covers every package");
    }
    if waiver.path.is_some() || waiver.package.is_some() {
        return None;
    }
    let rule = rules().iter().find(|rule| rule.meta().id == waiver.rule)?;
    let severity = rule.meta().severities.under_all(profiles);
    (severity == Some(Severity::Critical)).then_some("it covers all of a critical rule, so name a `path`")
}

/// Says what a waiver covers.
fn scope(waiver: &Waiver) -> String {
    let mut scope = waiver.rule.clone();
    if let Some(package) = &waiver.package {
        let _ = write!(scope, " in {package}");
    }
    if let Some(version) = &waiver.version {
        let _ = write!(scope, " {version}");
    }
    if let Some(path) = &waiver.path {
        let _ = write!(scope, " at {path}");
    }
    scope
}

fn reason_of(waiver: &Waiver) -> String {
    format!("{} ({})", waiver.reason, waiver.owner)
}

/// Tells ids of amint's own rules (`SSH-012`) from those of advisories (`CVE-2024-6387`).
pub(crate) fn is_id_of_rule(id: &str) -> bool {
    let parts = id.split_once('-');
    parts.is_some_and(|(_, number)| number.len() == 3 && number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_active(waiver: &Waiver, today: Date) -> bool {
    today <= waiver.until
}

/// Tells whether a waiver of no package covers a path.
fn covers(waiver: &Waiver, path: &str) -> bool {
    waiver.package.is_none() && waiver.path.as_ref().is_none_or(|pattern| glob::is_match(pattern, path))
}

fn covers_finding(waiver: &Waiver, finding: &ScanFinding) -> bool {
    let is_within = |pattern: &Option<String>, value: Option<&String>| match (pattern, value) {
        (None, _) => true,
        (Some(pattern), Some(value)) => glob::is_match(pattern, value),
        (Some(_), None) => false,
    };
    (waiver.rule == finding.rule || finding.aliases.contains(&waiver.rule))
        && is_within(&waiver.path, Some(&finding.path))
        && is_within(&waiver.package, finding.package.as_ref())
        && is_within(&waiver.version, finding.version.as_ref())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use amint_types::scan::FindingKind;
    use jiff::civil::date;

    use super::*;
    use crate::rule::finding;
    use crate::testing::request;

    fn waiver(rule: &str, path: Option<&str>, day: i8) -> Waiver {
        Waiver {
            rule: rule.into(),
            reason: "known".into(),
            owner: "team".into(),
            until: date(2026, 1, day),
            path: path.map(Into::into),
            package: None,
            version: None,
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
        let request = request_with(vec![waiver("X-001", None, 14)]);
        let mut waivers = Waivers::new(&request);
        assert!(matches!(waivers.judge("X-001", findings()), RuleOutcome::Fail { .. }));
        assert_eq!(waivers.unused(&["X-001"]), ["X-001: it lapsed after 2026-01-14"]);
    }

    #[test]
    fn a_waiver_for_one_path_leaves_the_others_failing() {
        let request = request_with(vec![waiver("X", Some("/etc/*"), 20)]);
        let mut waivers = Waivers::new(&request);
        let RuleOutcome::Fail { findings } = waivers.judge("X", findings()) else { panic!("must fail") };
        assert_eq!(findings[0].message, "first (waived until 2026-01-20: known (team))");
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
        let request = request_with(vec![
            waiver("Y-001", None, 20),
            waiver("X-001", Some("/srv/*"), 20),
            waiver("CVE-2026-1", None, 20),
        ]);
        let mut waivers = Waivers::new(&request);
        waivers.judge("X-001", findings());
        let told = ["X-001 at /srv/*: no finding needs it", "Y-001: there is no such rule"];
        assert_eq!(waivers.unused(&["X-001"]), told);
    }

    fn vulnerability(package: &str, version: &str) -> ScanFinding {
        ScanFinding {
            package: Some(package.to_owned()),
            version: Some(version.to_owned()),
            aliases: vec!["DSA-1-1".to_owned()],
            ..ScanFinding::new(
                FindingKind::Vulnerability,
                "CVE-2026-1",
                "bad",
                Severity::High,
                "/var/lib/dpkg/status",
            )
        }
    }

    fn of_package(rule: &str, package: &str, version: Option<&str>) -> Waiver {
        Waiver { package: Some(package.into()), version: version.map(Into::into), ..waiver(rule, None, 20) }
    }

    #[test]
    fn an_advisory_is_waived_by_any_of_its_ids_in_the_package_and_version_that_are_named() {
        let waivers =
            [of_package("CVE-2026-1", "libssl*", Some("3.0.*")), of_package("DSA-1-1", "curl", None)];
        let mut findings = [
            vulnerability("libssl3", "3.0.1"),
            vulnerability("libssl3", "3.1.0"),
            vulnerability("curl", "8"),
        ];
        let unused = waive(&waivers, date(2026, 1, 15), &mut findings, &|_| true);
        let waived: Vec<bool> = findings.iter().map(|finding| finding.waived.is_some()).collect();
        assert_eq!(waived, [true, false, true]);
        assert_eq!(findings[0].waived.as_ref().unwrap().owner, "team");
        assert_eq!(unused, [""; 0]);
        let mut findings = [vulnerability("libssl3", "3.0.1")];
        waive(&waivers, date(2026, 1, 21), &mut findings, &|_| true);
        assert_eq!(findings[0].waived, None, "it lapsed");
    }

    #[test]
    fn a_waiver_of_a_package_covers_no_finding_without_one_and_stops_no_fix() {
        let waivers = [of_package("SSH-001", "openssh-server", None)];
        let mut findings =
            [ScanFinding::new(FindingKind::Rule, "SSH-001", "bad", Severity::High, "/etc/ssh/sshd_config")];
        let unused = waive(&waivers, date(2026, 1, 15), &mut findings, &|_| true);
        assert_eq!(findings[0].waived, None);
        assert_eq!(unused, ["no finding needs the waiver of SSH-001 in openssh-server"]);
        assert_eq!(waive(&waivers, date(2026, 1, 15), &mut findings, &|_| false), [""; 0], "nobody looked");
        let request = request_with(waivers.to_vec());
        assert!(!is_rule_waived(&request, "SSH-001"));
        assert!(!is_waived(&request, "SSH-001", "/etc/ssh/sshd_config"));
    }

    #[test]
    fn waivers_that_end_soon_last_long_or_cover_much_are_told() {
        let profiles = [Profile::Marketplace];
        let warnings = |waiver: Waiver, today| waiver_warnings(&[waiver], &profiles, today);
        let narrow = || waiver("SSH-001", Some("/etc/ssh/sshd_config"), 20);
        let told = "the waiver of SSH-001 at /etc/ssh/sshd_config ends soon, on 2026-01-20 (team)";
        assert_eq!(warnings(narrow(), date(2026, 1, 19)), [told]);
        assert_eq!(warnings(narrow(), date(2025, 12, 20)), [""; 0], "31 days are enough");
        assert!(warnings(narrow(), date(2026, 1, 21))[0].contains("ended on 2026-01-20"));
        assert!(warnings(narrow(), date(2024, 12, 1))[0].contains("lasts for 415 days"));
        let day = date(2025, 12, 1);
        assert!(warnings(waiver("SSH-001", None, 20), day)[0].contains("critical rule"));
        assert!(warnings(waiver("SSH-001", Some("/*"), 20), day)[0].contains("every path"));
        assert!(warnings(of_package("CVE-2026-1", "*", None), day)[0].contains("every package"));
        assert_eq!(warnings(waiver("SSH-012", None, 20), day), [""; 0], "no critical rule");
        assert_eq!(warnings(waiver("CVE-2026-1", None, 20), day), [""; 0]);
        assert!(warnings(waiver("SSH-999", None, 20), day)[0].contains("no such rule"));
    }
}
