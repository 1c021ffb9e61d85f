//! From what an image holds to a verdict: advisories, rules, and the evidence itself.

use std::collections::BTreeSet;

use amint_scan::{Profile, ScanError, ScanRequest, scan};
use amint_types::report::{RuleOutcome, RuleResult};
use amint_types::scan::{
    AnalyzerRun, FindingKind, PackageKind, ScanDocument, ScanFinding, ScanVerdict, SupportState,
};
use amint_types::{Digest, EventSink, Severity};
use amint_vuln::vex::{self, OpenVex};
use amint_vuln::{AgeProblem, Database, DatabaseError, MatchContext, Matcher};
use jiff::SignedDuration;

use crate::Inspection;
use crate::coverage::{misunderstood, unread_reasons};

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
    }
    let document = &mut inspection.document;
    let misunderstood: Vec<ScanFinding> = misunderstood(document).map(not_understood).collect();
    document.findings.extend(misunderstood);
    judge_support(document);
    vex::apply(options.statements, &mut document.findings);
    document.sort();
    let blocking = document.blocking().count();
    let mut reasons = unread.clone();
    if blocking > 0 {
        reasons.push(format!("{blocking} findings of severity {} or more, or exploited", options.gate));
    }
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

/// Compares the packages with the advisories; returns why they are not enough.
fn ask_advisories(
    document: &mut ScanDocument,
    database: &Database,
    options: &JudgeOptions<'_>,
) -> Result<Vec<String>, JudgeError> {
    let is_owned =
        |package: &&amint_types::scan::ScannedPackage| package.owner.is_none() || package.kind.is_of_system();
    let kinds: BTreeSet<PackageKind> =
        document.packages.iter().filter(is_owned).map(|package| package.kind).collect();
    let kinds: Vec<PackageKind> = kinds.into_iter().collect();
    let age = database.age_verdict(document.system.as_ref(), &kinds, document.scanned_at, options.age_max);
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

fn blank(rule: &str, title: &str, severity: Severity, path: &str) -> ScanFinding {
    ScanFinding::new(FindingKind::Rule, rule, title, severity, path).with_id()
}

/// Gives a finding its stable id.
trait WithId {
    fn with_id(self) -> Self;
}

impl WithId for ScanFinding {
    fn with_id(mut self) -> Self {
        let line = self.line.map(|line| line.to_string()).unwrap_or_default();
        let parts = [self.rule.as_str(), self.title.as_str(), self.path.as_str(), line.as_str()];
        self.id = Digest::of(parts.join("\0").as_bytes()).short();
        self
    }
}

/// Asks the rules; returns why some could not look.
fn ask_rules(inspection: &mut Inspection, request: &ScanRequest, sink: &dyn EventSink) -> Vec<String> {
    match scan(&inspection.index, request, sink) {
        Ok(report) => {
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
    let (findings, waived) = match &result.outcome {
        RuleOutcome::Fail { findings } => (findings, None),
        RuleOutcome::Waived { findings, reason, until } => {
            (findings, Some(format!("waived until {until}: {reason}")))
        }
        RuleOutcome::NotEvaluated { reason } => {
            unread.push(format!("rule {} could not look: {reason}", result.rule));
            return;
        }
        _ => return,
    };
    for found in findings {
        let mut finding = blank(&result.rule, &found.message, result.severity, &found.evidence.path);
        finding.line = found.evidence.line;
        finding.evidence.clone_from(&found.evidence.excerpt);
        finding.fix = Some(result.remedy.clone());
        finding.requirements.clone_from(&result.requirements);
        finding.not_affected.clone_from(&waived);
        document.findings.push(finding.with_id());
    }
}

/// The end of support of the system (EOL-001).
fn judge_support(document: &mut ScanDocument) {
    let Some(system) = &document.system else { return };
    let (severity, title) = match system.support {
        SupportState::Ended => (Severity::Critical, format!("nobody fixes {} any more", system.name)),
        SupportState::Limited => (Severity::High, format!("{} is out of regular support", system.name)),
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

/// Reads the name of a profile.
///
/// # Errors
/// Says which profiles there are.
pub fn parse_profiles(names: &[String]) -> Result<Vec<Profile>, amint_scan::ParseProfileError> {
    names.iter().map(|name| name.parse()).collect()
}
