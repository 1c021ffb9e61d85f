//! Whether a build passed.

use amint_types::Severity;
use amint_types::report::{BootReport, BuildReport, CheckOutcome, RuleOutcome, RuleResult};

/// How a build was judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerdictOutcome {
    /// Rules and boot tests ran, and nothing stops the image.
    Passed,
    /// Nothing stops the image, but rules or boot tests were left out: never to be read as a pass.
    Incomplete,
    /// Something stops the image.
    Failed,
}

impl VerdictOutcome {
    /// Returns the outcome in one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Incomplete => "incomplete",
            Self::Failed => "failed",
        }
    }
}

/// One reason why a build did not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// What it is about: a rule's id, or `boot uefi`.
    pub subject: String,
    /// The reason as a lower-case fragment.
    pub text: String,
    /// The element of the HTML page that tells more.
    pub(crate) anchor: String,
}

/// The verdict over a build, with every reason that kept it from passing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The verdict.
    pub outcome: VerdictOutcome,
    /// The severity from which violations count.
    pub gate: Severity,
    /// Why it did not pass: failures first, then what was left out.
    pub reasons: Vec<Reason>,
}

/// Judges a build: violations at least as severe as `gate`, rules that severe that could not be evaluated, and
/// failed boot tests stop it; no rules or no boot test at all make the verdict incomplete.
pub fn verdict(report: &BuildReport, gate: Severity) -> Verdict {
    let mut reasons: Vec<Reason> = Vec::new();
    let mut blocking: Vec<&RuleResult> = report.scan.blocking(gate).collect();
    blocking.sort_by(|left, right| right.severity.cmp(&left.severity).then(left.rule.cmp(&right.rule)));
    reasons.extend(blocking.into_iter().map(rule_reason));
    for (index, boot) in report.boots.iter().enumerate() {
        reasons.extend(boot_reason(index, boot));
    }
    let mut outcome = if reasons.is_empty() { VerdictOutcome::Passed } else { VerdictOutcome::Failed };
    let is_judged = report.scan.rules.iter().any(|rule| {
        !matches!(rule.outcome, RuleOutcome::NotApplicable { .. } | RuleOutcome::NotEvaluated { .. })
    });
    for (is_missing, subject, text, anchor) in [
        (!is_judged, "rules", "no rule was evaluated", "rules"),
        (report.boots.is_empty(), "boot test", "the image was not booted", "boot"),
    ] {
        if is_missing {
            reasons.push(Reason { subject: subject.into(), text: text.into(), anchor: anchor.into() });
            if outcome == VerdictOutcome::Passed {
                outcome = VerdictOutcome::Incomplete;
            }
        }
    }
    Verdict { outcome, gate, reasons }
}

fn rule_reason(rule: &RuleResult) -> Reason {
    let text = match &rule.outcome {
        RuleOutcome::Fail { findings } => match findings.as_slice() {
            [] => rule.title.clone(),
            [finding] => finding.message.clone(),
            [first, rest @ ..] => format!("{}, and {} more", first.message, rest.len()),
        },
        RuleOutcome::NotEvaluated { reason } => format!("not evaluated: {reason}"),
        _ => rule.title.clone(),
    };
    Reason { subject: rule.rule.clone(), text, anchor: rule_anchor(&rule.rule) }
}

fn boot_reason(index: usize, boot: &BootReport) -> Option<Reason> {
    if boot.is_passed() {
        return None;
    }
    let mut failed = boot.checks.iter().filter(|check| check.outcome == CheckOutcome::Fail);
    let text = match (failed.next(), failed.count()) {
        (None, _) => "no check ran".to_owned(),
        (Some(check), 0) => format!("failed: {}", check.title),
        (Some(check), rest) => format!("failed: {}, and {rest} more", check.title),
    };
    Some(Reason { subject: format!("boot {}", boot.firmware.as_str()), text, anchor: boot_anchor(index) })
}

/// Returns the id of a rule's element: ids may not hold spaces, and rule ids come from a report that may be
/// hostile.
pub(crate) fn rule_anchor(rule: &str) -> String {
    let safe: String = rule
        .chars()
        .map(|character| if character.is_ascii_alphanumeric() { character } else { '-' })
        .collect();
    format!("rule-{safe}")
}

/// Returns the id of a boot test's element.
pub(crate) fn boot_anchor(index: usize) -> String {
    format!("boot-{}", index + 1)
}
