//! Rules by outcome, failures first.

use amint_types::Severity;
use amint_types::report::{AppliedFix, Finding, RuleOutcome, RuleResult};

use super::count;
use super::frame::Mark;
use super::prose::Prose;
use crate::verdict::rule_anchor;

pub(super) struct RuleGroup<'a> {
    pub(super) mark: Mark,
    pub(super) caption: String,
    /// Long lists that ask nothing of the reader start folded.
    pub(super) is_folded: bool,
    pub(super) rules: Vec<RuleView<'a>>,
}

pub(super) struct RuleView<'a> {
    pub(super) anchor: String,
    pub(super) id: &'a str,
    pub(super) title: Prose<'a>,
    pub(super) severity: Severity,
    pub(super) is_blocking: bool,
    pub(super) findings: Vec<FindingView<'a>>,
    pub(super) reason: Option<Prose<'a>>,
    pub(super) until: Option<String>,
    pub(super) remedy: Option<Prose<'a>>,
    pub(super) requirements: String,
}

pub(super) struct FindingView<'a> {
    pub(super) message: Prose<'a>,
    pub(super) place: String,
    pub(super) excerpt: Option<&'a str>,
}

pub(super) struct Fixes<'a> {
    pub(super) summary: String,
    pub(super) fixes: Vec<(&'a str, Vec<Prose<'a>>)>,
}

impl<'a> Fixes<'a> {
    pub(super) fn new(fixes: &'a [AppliedFix]) -> Self {
        let changes: usize = fixes.iter().map(|fix| fix.changes.len()).sum();
        let summary = format!("{} from {}", count(changes, "change"), count(fixes.len(), "rule"));
        let fixes = fixes
            .iter()
            .map(|fix| (fix.rule.as_str(), fix.changes.iter().map(|change| Prose(change)).collect()))
            .collect();
        Self { summary, fixes }
    }
}

/// Groups rules by outcome in the order in which a reader needs them; empty groups are left out.
pub(super) fn rule_groups(rules: &[RuleResult], gate: Severity) -> Vec<RuleGroup<'_>> {
    let order: [(&str, Mark, bool); 5] = [
        ("fail", Mark::FAILED, false),
        ("not_evaluated", Mark::NOT_EVALUATED, false),
        ("waived", Mark::WAIVED, false),
        ("pass", Mark::PASSED, true),
        ("not_applicable", Mark::NOT_APPLICABLE, true),
    ];
    order
        .into_iter()
        .filter_map(|(state, mark, is_folded)| {
            let mut members: Vec<&RuleResult> =
                rules.iter().filter(|rule| rule.outcome.as_str() == state).collect();
            members.sort_by(|left, right| {
                right.severity.cmp(&left.severity).then_with(|| left.rule.cmp(&right.rule))
            });
            let rules: Vec<RuleView<'_>> = members.into_iter().map(|rule| rule_view(rule, gate)).collect();
            let caption = count(rules.len(), "rule");
            (!rules.is_empty()).then_some(RuleGroup { mark, caption, is_folded, rules })
        })
        .collect()
}

fn rule_view(rule: &RuleResult, gate: Severity) -> RuleView<'_> {
    let mut view = RuleView {
        anchor: rule_anchor(&rule.rule),
        id: &rule.rule,
        title: Prose(&rule.title),
        severity: rule.severity,
        is_blocking: false,
        findings: Vec::new(),
        reason: None,
        until: None,
        remedy: None,
        requirements: rule.requirements.join(", "),
    };
    match &rule.outcome {
        RuleOutcome::Fail { findings } => {
            view.findings = findings.iter().map(finding_view).collect();
            view.remedy = Some(Prose(&rule.remedy));
            view.is_blocking = rule.severity >= gate;
        }
        RuleOutcome::Waived { findings, reason, until } => {
            view.findings = findings.iter().map(finding_view).collect();
            view.reason = Some(Prose(reason));
            view.until = Some(until.to_string());
        }
        RuleOutcome::NotEvaluated { reason } => {
            view.reason = Some(Prose(reason));
            view.is_blocking = rule.severity >= gate;
        }
        RuleOutcome::NotApplicable { reason } => view.reason = Some(Prose(reason)),
        _ => {}
    }
    view
}

fn finding_view(finding: &Finding) -> FindingView<'_> {
    let evidence = &finding.evidence;
    let place = match evidence.line {
        Some(line) => format!("{}:{line}", evidence.path),
        None => evidence.path.clone(),
    };
    FindingView { message: Prose(&finding.message), place, excerpt: evidence.excerpt.as_deref() }
}
