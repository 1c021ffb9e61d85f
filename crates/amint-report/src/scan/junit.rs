//! A scan as `JUnit` XML: one suite for each area that was looked at.
//!
//! What reaches the gate is a failure. What was not read is an error, never a pass. What is known but does not reach
//! the gate passes, with its text as output; what does not apply to the image is skipped.

use amint_types::scan::{
    AnalyzerRun, AnalyzerStatus, Coverage, CoverageStatus, FindingKind, ScanDocument, ScanFinding,
    ScanVerdict,
};

use super::text::{acceptance, coverage_message, finding_message, line, reasons, remedy};
use crate::junit::{Case, CaseOutcome, Document, Suite, seconds};

/// Writes a scan as `JUnit` XML.
///
/// # Panics
/// Never: rendering into memory fails only by a defect of the template, which the tests would show.
pub fn junit(document: &ScanDocument) -> String {
    let mut suites = vec![
        suite("verdict", vec![verdict_case(document)]),
        suite("coverage", coverage_cases(document)),
        suite("analyzers", document.analyzers.iter().map(analyzer_case).collect()),
    ];
    let areas = [
        ("vulnerabilities", FindingKind::Vulnerability),
        ("rules", FindingKind::Rule),
        ("evidence", FindingKind::Evidence),
    ];
    for (name, kind) in areas {
        let findings = document.findings.iter().filter(|finding| finding.kind == kind);
        suites.push(suite(name, findings.map(|finding| finding_case(document, finding)).collect()));
    }
    suites.retain(|suite| !suite.cases.is_empty());
    Document { name: format!("scan of {}", line(&document.target.name)), time: seconds(0), suites }.into_xml()
}

fn suite(name: &str, cases: Vec<Case>) -> Suite {
    Suite {
        name: name.to_owned(),
        class: format!("amint.scan.{name}"),
        time: seconds(0),
        cases,
        output: None,
    }
}

fn case(name: String, outcome: CaseOutcome) -> Case {
    Case { name, time: seconds(0), outcome }
}

/// The verdict is a case of its own, so that a scan without findings is not a run without tests.
fn verdict_case(document: &ScanDocument) -> Case {
    let verdict = document.verdict.as_str();
    let message = format!("{verdict}: {}", reasons(document));
    let outcome = match document.verdict {
        ScanVerdict::Pass => CaseOutcome::Passed,
        ScanVerdict::Fail => {
            let blocking = document.blocking().count();
            let text = format!("{blocking} findings reach the gate (severity {} and above)", document.gate);
            CaseOutcome::Failed { kind: "verdict", message, text }
        }
        _ => CaseOutcome::Error { message },
    };
    case("verdict over the image".to_owned(), outcome)
}

fn coverage_cases(document: &ScanDocument) -> Vec<Case> {
    if document.coverage.is_empty() {
        let outcome = CaseOutcome::Error { message: "no part of the image was read".to_owned() };
        return vec![case("whole image".to_owned(), outcome)];
    }
    document.coverage.iter().map(coverage_case).collect()
}

fn coverage_case(coverage: &Coverage) -> Case {
    let message = coverage_message(coverage);
    let outcome = match coverage.status {
        CoverageStatus::Read | CoverageStatus::Empty if coverage.notes.is_empty() => CaseOutcome::Passed,
        CoverageStatus::Read | CoverageStatus::Empty => CaseOutcome::Noted { output: message },
        CoverageStatus::Partial => CaseOutcome::Skipped { message },
        _ => CaseOutcome::Error { message },
    };
    let place = coverage.mounted_at.as_deref().map(|path| format!(" at {path}")).unwrap_or_default();
    case(line(&format!("partition {} ({}){place}", coverage.partition, coverage.filesystem)), outcome)
}

fn analyzer_case(analyzer: &AnalyzerRun) -> Case {
    let notes = line(&analyzer.notes.join("; "));
    let outcome = match analyzer.status {
        AnalyzerStatus::Ran if notes.is_empty() => CaseOutcome::Passed,
        AnalyzerStatus::Ran => CaseOutcome::Noted { output: notes },
        AnalyzerStatus::Partial => CaseOutcome::Skipped { message: format!("partial: {notes}") },
        _ => CaseOutcome::Skipped { message: format!("not run: {notes}") },
    };
    case(line(&format!("analyzer {}", analyzer.id)), outcome)
}

fn finding_case(document: &ScanDocument, finding: &ScanFinding) -> Case {
    let place = match finding.line {
        Some(number) => line(&format!("{}:{number}", finding.path)),
        None => line(&finding.path),
    };
    let message = finding_message(finding);
    let outcome = if let Some(reason) = &finding.not_affected {
        CaseOutcome::Skipped { message: line(&format!("not affected: {reason}")) }
    } else if let Some(waived) = &finding.waived {
        CaseOutcome::Skipped { message: acceptance(waived) }
    } else if finding.is_known {
        CaseOutcome::Skipped { message: "the earlier scan has it too".to_owned() }
    } else if finding.is_blocking(document.gate) {
        let text = details(finding, &place);
        CaseOutcome::Failed { kind: finding.severity.as_str(), message, text }
    } else {
        CaseOutcome::Noted { output: format!("{message}\n{}", details(finding, &place)) }
    };
    let package = finding.package.as_deref().map(|package| format!(" in {package}")).unwrap_or_default();
    case(line(&format!("{}{package} ({place})", finding.rule)), outcome)
}

fn details(finding: &ScanFinding, place: &str) -> String {
    let mut lines = vec![format!("{place}: severity {}", finding.severity)];
    if finding.is_exploited {
        lines.push("known to be exploited".to_owned());
    }
    if let Some(lowered) = &finding.lowered {
        lines.push(line(&format!("lowered from {}: {}", lowered.from, lowered.reason)));
    }
    if let Some(evidence) = &finding.evidence {
        lines.push(line(&format!("seen: {evidence}")));
    }
    if let Some(remedy) = remedy(finding) {
        lines.push(format!("remedy: {remedy}"));
    }
    lines.join("\n")
}
