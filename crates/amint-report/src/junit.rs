//! `JUnit` XML of boot checks and rules, for CI systems.
//!
//! The format has no specification; this writes the elements that Jenkins, GitLab and GitHub actions read:
//! `testsuites`, `testsuite`, `testcase` with `failure`, `error` or `skipped`.

use amint_types::Severity;
use amint_types::report::{BootReport, BuildReport, CheckOutcome, CheckResult, RuleOutcome, RuleResult};
use askama::Template;

use crate::text::{printable, printable_line, printable_lines};

#[derive(Template)]
#[template(path = "junit.xml", whitespace = "minimize")]
pub(crate) struct Document {
    pub(crate) name: String,
    pub(crate) time: String,
    pub(crate) suites: Vec<Suite>,
}

pub(crate) struct Suite {
    pub(crate) name: String,
    pub(crate) class: String,
    pub(crate) time: String,
    pub(crate) cases: Vec<Case>,
    pub(crate) output: Option<String>,
}

pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) time: String,
    pub(crate) outcome: CaseOutcome,
}

pub(crate) enum CaseOutcome {
    Passed,
    /// Passed, with something that a person should know.
    Noted {
        output: String,
    },
    Skipped {
        message: String,
    },
    Failed {
        kind: &'static str,
        message: String,
        text: String,
    },
    Error {
        message: String,
    },
}

impl Document {
    /// Writes the document, without control characters.
    ///
    /// # Panics
    /// Never: rendering into memory fails only by a defect of the template, which the tests would show.
    pub(crate) fn into_xml(self) -> String {
        let text = self.render().expect("rendering into memory cannot fail");
        printable(&text).into_owned()
    }
}

impl Suite {
    fn count(&self, is_counted: fn(&CaseOutcome) -> bool) -> usize {
        self.cases.iter().filter(|case| is_counted(&case.outcome)).count()
    }

    fn failures(&self) -> usize {
        self.count(|outcome| matches!(outcome, CaseOutcome::Failed { .. }))
    }

    fn errors(&self) -> usize {
        self.count(|outcome| matches!(outcome, CaseOutcome::Error { .. }))
    }

    fn skipped(&self) -> usize {
        self.count(|outcome| matches!(outcome, CaseOutcome::Skipped { .. }))
    }
}

/// Writes boot checks and rules as `JUnit` XML: one suite per boot test, one for the rules.
///
/// A rule that could not be evaluated is an error when it is severe enough for the gate, else skipped:
/// never a pass.
///
/// # Panics
/// Never: rendering into memory fails only by a defect of the template, which the tests would show.
pub fn junit(report: &BuildReport) -> String {
    let mut suites: Vec<Suite> = report.boots.iter().map(boot_suite).collect();
    suites.push(rules_suite(&report.scan.rules, report.gate));
    let boot_ms = report.boots.iter().flat_map(|boot| &boot.checks).map(|check| check.elapsed_ms);
    Document {
        name: format!("{}:{}", report.name, report.version),
        time: seconds(boot_ms.fold(0, u64::saturating_add)),
        suites,
    }
    .into_xml()
}

fn boot_suite(boot: &BootReport) -> Suite {
    let firmware = boot.firmware.as_str();
    let mut cases: Vec<Case> = boot.checks.iter().map(check_case).collect();
    if cases.is_empty() {
        let outcome = CaseOutcome::Error { message: "no check ran".to_owned() };
        cases.push(Case { name: "boot".to_owned(), time: seconds(0), outcome });
    }
    let total_ms = boot.checks.iter().map(|check| check.elapsed_ms).fold(0, u64::saturating_add);
    Suite {
        name: format!("boot {firmware} ({})", boot.accelerator),
        class: format!("amint.boot.{firmware}"),
        time: seconds(total_ms),
        cases,
        output: boot.console_tail.as_deref().map(printable_lines),
    }
}

fn check_case(check: &CheckResult) -> Case {
    let message = printable_line(check.detail.lines().next().unwrap_or_default());
    let outcome = match check.outcome {
        CheckOutcome::Pass => CaseOutcome::Passed,
        CheckOutcome::Fail => {
            CaseOutcome::Failed { kind: "check", message, text: printable_lines(&check.detail) }
        }
        CheckOutcome::Noted => CaseOutcome::Noted { output: printable_lines(&check.detail) },
        _ => CaseOutcome::Skipped { message },
    };
    Case { name: format!("{}: {}", check.id, check.title), time: seconds(check.elapsed_ms), outcome }
}

fn rules_suite(rules: &[RuleResult], gate: Severity) -> Suite {
    let cases = rules
        .iter()
        .map(|rule| Case {
            name: format!("{} {}", rule.rule, rule.title),
            time: seconds(0),
            outcome: rule_outcome(rule, gate),
        })
        .collect();
    Suite { name: "rules".to_owned(), class: "amint.rules".to_owned(), time: seconds(0), cases, output: None }
}

fn rule_outcome(rule: &RuleResult, gate: Severity) -> CaseOutcome {
    match &rule.outcome {
        RuleOutcome::Pass => CaseOutcome::Passed,
        RuleOutcome::Fail { findings } => {
            let mut text = String::new();
            for finding in findings {
                let evidence = &finding.evidence;
                let line = evidence.line.map(|line| format!(":{line}")).unwrap_or_default();
                text.push_str(&printable_line(&format!("{}{line}: {}", evidence.path, finding.message)));
                text.push('\n');
            }
            text.push_str("remedy: ");
            text.push_str(&printable_lines(&rule.remedy));
            let first = findings.first().map_or(rule.title.as_str(), |finding| finding.message.as_str());
            CaseOutcome::Failed { kind: rule.severity.as_str(), message: printable_line(first), text }
        }
        RuleOutcome::Waived { reason, until, .. } => {
            CaseOutcome::Skipped { message: printable_line(&format!("waived until {until}: {reason}")) }
        }
        RuleOutcome::NotApplicable { reason } => {
            CaseOutcome::Skipped { message: printable_line(&format!("not applicable: {reason}")) }
        }
        RuleOutcome::NotEvaluated { reason } => not_evaluated(rule, reason, gate),
        // A state of a later model that this version cannot name.
        other => CaseOutcome::Error { message: format!("unknown outcome `{}`", other.as_str()) },
    }
}

fn not_evaluated(rule: &RuleResult, reason: &str, gate: Severity) -> CaseOutcome {
    let message = printable_line(&format!("not evaluated: {reason}"));
    if rule.severity >= gate { CaseOutcome::Error { message } } else { CaseOutcome::Skipped { message } }
}

/// Writes milliseconds as decimal seconds, without the rounding of floating point.
pub(crate) fn seconds(elapsed_ms: u64) -> String {
    format!("{}.{:03}", elapsed_ms / 1000, elapsed_ms % 1000)
}
