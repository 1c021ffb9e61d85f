//! Asking every rule.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use amint_disk::tree::FileTree;
use amint_types::report::{RuleOutcome, RuleResult, ScanReport};
use amint_types::{EventSink, Severity, StepOutcome, Unit};

use crate::facts::packages::Installed;
use crate::facts::secrets::FoundSecrets;
use crate::system::packages::Databases;
use crate::waive::Waivers;
use crate::{Context, Profile, Rule, ScanError, ScanRequest, Verdict, rules};

/// The name of the step in events.
const STEP: &str = "scan";
/// The rules about secrets.
const ABOUT_SECRETS: [&str; 5] = ["SEC-001", "SEC-002", "SEC-003", "SEC-004", "SEC-010"];

/// Asks every rule of the request's profiles about a tree.
///
/// A rule that cannot look is reported as not evaluated with its reason. The report is sorted, and the same
/// tree and request give the same report.
pub fn scan(
    tree: &dyn FileTree,
    request: &ScanRequest,
    sink: &dyn EventSink,
) -> Result<ScanReport, ScanError> {
    scan_with(tree, request, Known::default(), sink)
}

/// What somebody learnt of a tree before its rules are asked, so that nothing is read twice.
#[derive(Debug, Default)]
pub struct Known {
    /// The secrets that were found in its files and around them; looked for in the files when none.
    pub secrets: Option<FoundSecrets>,
    /// Its databases of packages; read when none.
    pub packages: Option<Arc<Databases>>,
}

/// Asks every rule as [`scan`] does, with what is known of the tree.
///
/// # Errors
/// Fails as [`scan`] does.
pub fn scan_with(
    tree: &dyn FileTree,
    request: &ScanRequest,
    known: Known,
    sink: &dyn EventSink,
) -> Result<ScanReport, ScanError> {
    require_system(tree, request)?;
    let asked = asked_rules(&request.profiles);
    let started = Instant::now();
    sink.step_started(STEP, "Judging the files", Some(asked.len() as u64), Unit::Items);
    let cx = Context::new(tree, request);
    if let Some(packages) = known.packages {
        cx.know(Installed::of(packages));
    }
    if let Some(secrets) = known.secrets {
        cx.know(secrets);
    }
    let mut waivers = Waivers::new(request);
    let mut results = Vec::with_capacity(asked.len());
    for (done, rule) in asked.iter().enumerate() {
        sink.step_progress(STEP, done as u64, Some(asked.len() as u64), Some(rule.meta().id));
        results.push(ask(*rule, &cx, &mut waivers));
    }
    let known: Vec<&str> = rules().iter().map(|rule| rule.meta().id).collect();
    let report = ScanReport {
        profiles: profile_names(&request.profiles),
        rules: results,
        fixes: Vec::new(),
        files: cx.files(),
        unused_waivers: waivers.unused(&known),
    };
    let failed = report.counts().get("fail").copied().unwrap_or(0);
    let detail = format!("{} rules, {failed} failed, {} files read", report.rules.len(), report.files);
    sink.step_finished(STEP, StepOutcome::Done, started.elapsed(), Some(detail));
    Ok(report)
}

/// Asks the rules about secrets alone, as for a private image: a secret is one whatever an image is made for.
pub fn scan_secrets(tree: &dyn FileTree, found: &FoundSecrets) -> Vec<RuleResult> {
    let request = ScanRequest {
        profiles: vec![Profile::Private],
        waivers: Vec::new(),
        today: jiff::civil::Date::MIN,
        user: String::new(),
        ports: Vec::new(),
        rights: Vec::new(),
    };
    let cx = Context::new(tree, &request);
    cx.know(found.clone());
    let mut waivers = Waivers::new(&request);
    let asked = rules().iter().filter(|rule| ABOUT_SECRETS.contains(&rule.meta().id));
    asked.map(|rule| ask(*rule, &cx, &mut waivers)).collect()
}

/// Refuses what is no operating system, and a request that asks for nothing.
pub(crate) fn require_system(tree: &dyn FileTree, request: &ScanRequest) -> Result<(), ScanError> {
    if request.profiles.is_empty() {
        return Err(ScanError::NoProfile);
    }
    tree.read_dir(Path::new("/")).map_err(|source| ScanError::Unreadable { source })?;
    match tree.read_dir(Path::new("/etc")) {
        Ok(_) => Ok(()),
        Err(error) if error.is_missing() => Err(ScanError::NoSystem),
        Err(source) => Err(ScanError::Unreadable { source }),
    }
}

/// Returns the rules that some of the profiles ask, by id.
pub(crate) fn asked_rules(profiles: &[Profile]) -> Vec<&'static dyn Rule> {
    let all = rules().iter().copied();
    all.filter(|rule| rule.meta().severities.under_all(profiles).is_some()).collect()
}

fn ask(rule: &dyn Rule, cx: &Context<'_>, waivers: &mut Waivers<'_>) -> RuleResult {
    let meta = rule.meta();
    let mut outcome = match rule.check(cx) {
        Ok(Verdict::Pass) => RuleOutcome::Pass,
        Ok(Verdict::NotApplicable(reason)) => RuleOutcome::NotApplicable { reason },
        Ok(Verdict::Fail(mut findings)) => {
            findings.sort_by(|left, right| {
                let key = |finding: &amint_types::report::Finding| {
                    (finding.evidence.path.clone(), finding.evidence.line, finding.message.clone())
                };
                key(left).cmp(&key(right))
            });
            findings.dedup();
            waivers.judge(meta.id, findings)
        }
        Err(error) => RuleOutcome::NotEvaluated { reason: error.chain() },
    };
    let severity = meta.severities.under_all(&cx.request().profiles).unwrap_or(Severity::Info);
    let severity = worst(&mut outcome, severity);
    RuleResult {
        rule: meta.id.to_owned(),
        title: meta.title.to_owned(),
        severity,
        requirements: meta.requirements.iter().map(|id| (*id).to_owned()).collect(),
        remedy: meta.remedy.to_owned(),
        outcome,
    }
}

/// Returns the worst severity of an outcome: none of its findings is worse than the rule, all may be milder.
fn worst(outcome: &mut RuleOutcome, severity: Severity) -> Severity {
    let (RuleOutcome::Fail { findings } | RuleOutcome::Waived { findings, .. }) = outcome else {
        return severity;
    };
    for finding in findings.iter_mut() {
        finding.severity = finding.severity.filter(|own| *own < severity);
    }
    findings.iter().map(|finding| finding.severity.unwrap_or(severity)).max().unwrap_or(severity)
}

fn profile_names(profiles: &[Profile]) -> Vec<String> {
    let mut sorted = profiles.to_vec();
    sorted.sort();
    sorted.dedup();
    sorted.iter().map(ToString::to_string).collect()
}
