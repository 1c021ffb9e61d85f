//! Asking every rule.

use std::path::Path;
use std::time::Instant;

use amint_disk::tree::FileTree;
use amint_types::report::{RuleOutcome, RuleResult, ScanReport};
use amint_types::{EventSink, StepOutcome, Unit};

use crate::waive::Waivers;
use crate::{Context, Profile, Rule, ScanError, ScanRequest, Verdict, rules};

/// The name of the step in events.
const STEP: &str = "scan";

/// Asks every rule of the request's profiles about a tree.
///
/// A rule that cannot look is reported as not evaluated with its reason. The report is sorted, and the same
/// tree and request give the same report.
pub fn scan(
    tree: &dyn FileTree,
    request: &ScanRequest,
    sink: &dyn EventSink,
) -> Result<ScanReport, ScanError> {
    require_system(tree, request)?;
    let asked = asked_rules(&request.profiles);
    let started = Instant::now();
    sink.step_started(STEP, "Judging the files", Some(asked.len() as u64), Unit::Items);
    let cx = Context::new(tree, request);
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
    let outcome = match rule.check(cx) {
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
    let severity = meta.severities.under_all(&cx.request().profiles);
    RuleResult {
        rule: meta.id.to_owned(),
        title: meta.title.to_owned(),
        severity: severity.unwrap_or(amint_types::Severity::Info),
        requirements: meta.requirements.iter().map(|id| (*id).to_owned()).collect(),
        remedy: meta.remedy.to_owned(),
        outcome,
    }
}

fn profile_names(profiles: &[Profile]) -> Vec<String> {
    let mut sorted = profiles.to_vec();
    sorted.sort();
    sorted.dedup();
    sorted.iter().map(ToString::to_string).collect()
}
