//! From what an image holds to a verdict: advisories, rules, and the evidence itself.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use amint_scan::system::packages::NOT_ASKED;
use amint_scan::{
    Known, Profile, ScanError, ScanRequest, Waiver, scan_secrets, scan_with, waive, waiver_warnings,
};
use amint_types::report::{RuleOutcome, RuleResult};
use amint_types::scan::{
    AnalyzerRun, AskedRule, FindingKind, OperatingSystem, PackageKind, RuleState, ScanDocument, ScanFinding,
    ScanVerdict, SupportState,
};
use amint_types::{Digest, EventSink, Severity};
use amint_vuln::vex::{self, OpenVex};
use amint_vuln::{AgeProblem, AgeVerdict, Database, DatabaseError, MatchContext, Matcher};
use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{SignedDuration, Span, Timestamp};

use crate::baseline;
use crate::coverage::{misunderstood, unread_reasons};
use crate::{Inspection, integrity};

/// How many days of regular support a system should have left.
const SUPPORT_DAYS_MIN: i64 = 180;

/// How an image is judged.
#[derive(Debug)]
pub struct JudgeOptions<'a> {
    /// The severity from which a finding fails the image.
    pub gate: Severity,
    /// The oldest advisories that a verdict may stand on.
    pub age_max: SignedDuration,
    /// Whether vulnerabilities are judged at all.
    pub with_advisories: bool,
    /// Statements that some vulnerabilities do not apply.
    pub statements: &'a [OpenVex],
    /// The rules that are asked; none when no profile is named.
    pub rules: Option<&'a ScanRequest>,
    /// The suites that the image's package manager uses; none where that is not known.
    pub suites: Option<&'a [String]>,
    /// What is accepted for a while: findings of every kind. Waivers of `rules` are not asked.
    pub waivers: &'a [Waiver],
    /// The day that waivers lapse by.
    pub today: Date,
    /// An earlier scan: only what is new since then fails the image.
    pub baseline: Option<&'a ScanDocument>,
}

/// An image could not be judged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JudgeError {
    /// The advisories are damaged.
    #[error("failed to read the advisories")]
    Advisories(#[from] DatabaseError),
}

/// Adds findings and the verdict to a document.
///
/// # Errors
/// Fails when the advisories are damaged: then nothing can be said.
pub fn judge(
    inspection: &mut Inspection,
    database: Option<&Database>,
    options: &JudgeOptions<'_>,
    sink: &dyn EventSink,
) -> Result<(), JudgeError> {
    inspection.document.gate = options.gate;
    let mut unread = unread_reasons(&inspection.document);
    let mut stale = Vec::new();
    if options.with_advisories {
        match database {
            Some(database) => stale = ask_advisories(&mut inspection.document, database, options)?,
            None => stale.push("there are no advisories: run `amint db build`".to_owned()),
        }
    }
    if let Some(request) = options.rules {
        unread.extend(ask_rules(inspection, request, sink));
    } else {
        // A secret is one whatever profile an image is judged by.
        for result in scan_secrets(&inspection.index, &inspection.secrets) {
            add_rule(&mut inspection.document, &result, &mut unread);
        }
    }
    let document = &mut inspection.document;
    let misunderstood: Vec<ScanFinding> = misunderstood(document).map(not_understood).collect();
    document.findings.extend(misunderstood);
    judge_support(document);
    let changed = integrity::judge(&inspection.index, &document.modified_files);
    document.findings.extend(changed);
    name_controls(document);
    vex::apply(options.statements, &mut document.findings);
    apply_waivers(document, database.is_some() && options.with_advisories, options);
    document.sort();
    if let Some(earlier) = options.baseline {
        baseline::compare(document, earlier);
    }
    let blocking = document.blocking().count();
    let mut reasons = unread.clone();
    reasons.extend(blocking_reason(document));
    reasons.extend(stale.iter().cloned());
    document.verdict = if !unread.is_empty() {
        ScanVerdict::Unread
    } else if blocking > 0 {
        ScanVerdict::Fail
    } else if !stale.is_empty() {
        ScanVerdict::Stale
    } else {
        ScanVerdict::Pass
    };
    document.reasons = reasons;
    Ok(())
}

/// Says how many findings reach the gate; nothing where none does.
///
/// It is one of the reasons of a verdict: the others tell what could not be read, or not be judged.
pub fn blocking_reason(document: &ScanDocument) -> Option<String> {
    let blocking = document.blocking().count();
    let new = if document.baseline.is_some() { "new " } else { "" };
    (blocking > 0)
        .then(|| format!("{blocking} {new}findings of severity {} or more, or exploited", document.gate))
}

/// Says what is wrong with the age of a database's advisories on what a document holds, at a moment.
pub fn age_problems(
    document: &ScanDocument,
    database: &Database,
    now: Timestamp,
    age_max: SignedDuration,
) -> Vec<String> {
    age_of(document, database, now, age_max).problems.iter().map(say).collect()
}

fn age_of(
    document: &ScanDocument,
    database: &Database,
    now: Timestamp,
    age_max: SignedDuration,
) -> AgeVerdict {
    let is_owned =
        |package: &&amint_types::scan::ScannedPackage| package.owner.is_none() || package.kind.is_of_system();
    let kinds: BTreeSet<PackageKind> =
        document.packages.iter().filter(is_owned).map(|package| package.kind).collect();
    let kinds: Vec<PackageKind> = kinds.into_iter().collect();
    database.age_verdict(document.system.as_ref(), &kinds, now, age_max)
}

/// Names the recommendations of the system's benchmark that each finding violates.
fn name_controls(document: &mut ScanDocument) {
    let system = document.system.as_ref();
    for finding in document.findings.iter_mut().filter(|finding| finding.kind == FindingKind::Rule) {
        finding.controls = amint_scan::controls_for(&finding.rule, system);
    }
}

/// Marks what is accepted, and says which waivers a person should look at.
fn apply_waivers(document: &mut ScanDocument, has_advisories: bool, options: &JudgeOptions<'_>) {
    let profiles = options.rules.map_or(&[][..], |request| &request.profiles);
    let rules = &document.rules;
    let is_rule = |id: &str| amint_scan::rules().iter().any(|rule| rule.meta().id == id);
    let was_looked_for =
        |id: &str| if is_rule(id) { rules.iter().any(|asked| asked.rule == id) } else { has_advisories };
    let unused = waive(options.waivers, options.today, &mut document.findings, &was_looked_for);
    document.warnings.extend(waiver_warnings(options.waivers, profiles, options.today));
    document.warnings.extend(unused);
}

/// Compares the packages with the advisories; returns why they are not enough.
fn ask_advisories(
    document: &mut ScanDocument,
    database: &Database,
    options: &JudgeOptions<'_>,
) -> Result<Vec<String>, JudgeError> {
    let age = age_of(document, database, document.scanned_at, options.age_max);
    document.data = age.used;
    let context = MatchContext {
        kernels: &document.kernels,
        suites: options.suites,
        repositories: None,
        has_extended_support: false,
        // Applied once, over all findings.
        statements: &[],
    };
    let matcher = Matcher::open(database);
    let mut report = matcher.match_packages(document.system.as_ref(), &document.packages, &context)?;
    if let Some(system) = &document.system {
        report.findings.extend(matcher.outdated_packages(system, &document.packages, &context)?);
    }
    document.findings.append(&mut report.findings);
    Ok(age.problems.iter().map(say).collect())
}

fn say(problem: &AgeProblem) -> String {
    match problem {
        AgeProblem::Missing { ecosystem } => format!("there are no advisories on {ecosystem}"),
        AgeProblem::TooOld { ecosystem, source, age_days, .. } => {
            format!("the advisories on {ecosystem} are {age_days} days old ({source})")
        }
        AgeProblem::InFuture { source, date } => {
            format!("the advisories of {source} are dated {date}, after now")
        }
        _ => "the advisories cannot be relied upon".to_owned(),
    }
}

/// A finding about files that may hold packages, and are not in their format: what they hold is not known.
fn not_understood(run: &AnalyzerRun) -> ScanFinding {
    let path = run.notes.first().and_then(|note| note.split_once(": ")).map_or("/", |(path, _)| path);
    let path = if path.starts_with('/') { path } else { "/" };
    let title = format!("some {} files cannot be understood, so what they hold is not judged", run.id);
    let mut finding = blank("EVI-001", &title, Severity::Medium, path);
    finding.kind = FindingKind::Evidence;
    finding.evidence = Some(run.notes.join("; "));
    finding.fix = Some(format!("remove what is broken, or leave the analyzer out with `--skip {}`", run.id));
    finding
}

pub(crate) fn blank(rule: &str, title: &str, severity: Severity, path: &str) -> ScanFinding {
    ScanFinding::new(FindingKind::Rule, rule, title, severity, path).with_id()
}

/// Gives a finding its stable id.
trait WithId {
    fn with_id(self) -> Self;

    /// Gives an id to the one that stands in this place, from 0, among those that differ in nothing but their line:
    /// lines move with every edit of a file.
    fn with_id_at(self, place: usize) -> Self;
}

impl WithId for ScanFinding {
    fn with_id(self) -> Self {
        self.with_id_at(0)
    }

    fn with_id_at(mut self, place: usize) -> Self {
        let place = if place == 0 { String::new() } else { place.to_string() };
        let parts = [self.rule.as_str(), self.title.as_str(), self.path.as_str(), place.as_str()];
        self.id = Digest::of(parts.join("\0").as_bytes()).short();
        self
    }
}

/// Asks the rules; returns why some could not look.
fn ask_rules(inspection: &mut Inspection, request: &ScanRequest, sink: &dyn EventSink) -> Vec<String> {
    // Waivers are applied once, over the findings of every kind.
    let request = ScanRequest { waivers: Vec::new(), ..request.clone() };
    // What the user had left out was not read: then the rules read it themselves.
    let is_whole =
        inspection.databases.runs.iter().all(|run| !run.notes.iter().any(|note| note == NOT_ASKED));
    let packages = is_whole.then(|| Arc::clone(&inspection.databases));
    let known = Known { secrets: Some(inspection.secrets.clone()), packages };
    match scan_with(&inspection.index, &request, known, sink) {
        Ok(report) => {
            inspection.document.profiles.clone_from(&report.profiles);
            let mut unread = Vec::new();
            for result in &report.rules {
                add_rule(&mut inspection.document, result, &mut unread);
            }
            unread
        }
        Err(error @ ScanError::NoSystem) => vec![error.to_string()],
        Err(error) => vec![crate::index::chain(&error)],
    }
}

fn add_rule(document: &mut ScanDocument, result: &RuleResult, unread: &mut Vec<String>) {
    let (state, reason, findings) = match &result.outcome {
        RuleOutcome::Pass => (RuleState::Pass, None, &[][..]),
        RuleOutcome::Fail { findings } | RuleOutcome::Waived { findings, .. } => {
            (RuleState::Fail, None, findings.as_slice())
        }
        RuleOutcome::NotApplicable { reason } => (RuleState::NotApplicable, Some(reason.clone()), &[][..]),
        RuleOutcome::NotEvaluated { reason } => {
            unread.push(format!("rule {} could not look: {reason}", result.rule));
            (RuleState::NotEvaluated, Some(reason.clone()), &[][..])
        }
        _ => (RuleState::NotEvaluated, None, &[][..]),
    };
    document.rules.push(AskedRule { rule: result.rule.clone(), state, reason });
    let mut places: HashMap<(&str, &str), usize> = HashMap::new();
    for found in findings {
        let mut finding = blank(
            &result.rule,
            &found.message,
            found.severity.unwrap_or(result.severity),
            &found.evidence.path,
        );
        finding.line = found.evidence.line;
        finding.evidence.clone_from(&found.evidence.excerpt);
        finding.fix = Some(result.remedy.clone());
        finding.requirements.clone_from(&result.requirements);
        let place = places.entry((&found.message, &found.evidence.path)).or_default();
        document.findings.push(finding.with_id_at(*place));
        *place += 1;
    }
}

/// The end of support of the system (EOL-001).
fn judge_support(document: &mut ScanDocument) {
    let Some(system) = &document.system else { return };
    let (severity, title) = match system.support {
        SupportState::Ended => (Severity::Critical, format!("nobody fixes {} any more", system.name)),
        SupportState::Limited => (Severity::High, format!("{} is out of regular support", system.name)),
        SupportState::Supported if ends_soon(document, system) => {
            (Severity::Medium, format!("{} leaves regular support soon", system.name))
        }
        _ => return,
    };
    let mut finding = blank("EOL-001", &title, severity, "/etc/os-release");
    let ends = [("regular", system.support_ends), ("long-term", system.long_term_support_ends)];
    let told: Vec<String> =
        ends.iter().filter_map(|(kind, day)| day.map(|day| format!("{kind} support ends {day}"))).collect();
    finding.evidence = Some(told.join(", ")).filter(|text| !text.is_empty());
    finding.fix = Some("build on a release that is supported".to_owned());
    finding.requirements = vec!["MP-G2".to_owned()];
    document.findings.push(finding);
}

/// Tells whether regular support ends within the time that a product needs to move.
fn ends_soon(document: &ScanDocument, system: &OperatingSystem) -> bool {
    let today = Offset::UTC.to_datetime(document.scanned_at).date();
    system.support_ends.is_some_and(|ends| {
        today.checked_add(Span::new().days(SUPPORT_DAYS_MIN)).is_ok_and(|soon| ends < soon)
    })
}

/// Reads the name of a profile.
///
/// # Errors
/// Says which profiles there are.
pub fn parse_profiles(names: &[String]) -> Result<Vec<Profile>, amint_scan::ParseProfileError> {
    names.iter().map(|name| name.parse()).collect()
}

#[cfg(test)]
mod tests {
    use amint_types::report::{Evidence, Finding};

    use super::*;
    use crate::testing::document;

    fn ids(lines: [u32; 2]) -> Vec<String> {
        let finding = |line| Finding {
            message: "the same twice".to_owned(),
            evidence: Evidence { path: "/etc/a".to_owned(), line: Some(line), excerpt: None },
            severity: None,
        };
        let result = RuleResult {
            rule: "SSH-001".to_owned(),
            title: "a".to_owned(),
            severity: Severity::High,
            requirements: Vec::new(),
            remedy: "b".to_owned(),
            outcome: RuleOutcome::Fail { findings: lines.map(finding).to_vec() },
        };
        let mut document = document();
        add_rule(&mut document, &result, &mut Vec::new());
        assert_eq!(document.rules[0].state, RuleState::Fail);
        document.findings.into_iter().map(|finding| finding.id).collect()
    }

    #[test]
    fn ids_of_findings_stay_when_lines_move_and_differ_within_one_file() {
        let ids_before = ids([3, 9]);
        assert_eq!(ids_before, ids([13, 90]));
        assert_ne!(ids_before[0], ids_before[1]);
    }
}
