//! What the scan could not do, as notifications of the invocation.

use amint_types::scan::{AnalyzerStatus, CoverageStatus, ScanDocument, ScanVerdict};

use super::super::text::{coverage_message, reasons};
use super::message::message;
use super::model::{Descriptor, DescriptorReference, Message, Notification};

const VERDICT: &str = "amint/verdict";
const COVERAGE: &str = "amint/coverage";
const ANALYZER: &str = "amint/analyzer";

/// Returns what each kind of notification means.
pub(super) fn descriptors() -> Vec<Descriptor> {
    [
        (VERDICT, "The evidence does not allow to say that nothing is wrong."),
        (COVERAGE, "A part of the disk was not read, or only in part."),
        (ANALYZER, "An analyzer did not understand all that it was given."),
    ]
    .map(|(id, text)| Descriptor { id, short_description: Message::new(text) })
    .into()
}

/// Returns one notification for each thing that was not looked at.
pub(super) fn notifications(document: &ScanDocument) -> Vec<Notification> {
    let mut notifications = Vec::new();
    let mut notify = |id, level, text: &str| {
        let descriptor = DescriptorReference { id };
        notifications.push(Notification { descriptor, level, message: message(text) });
    };
    if matches!(document.verdict, ScanVerdict::Stale | ScanVerdict::Unread) {
        notify(VERDICT, "error", &format!("{}: {}", document.verdict.as_str(), reasons(document)));
    }
    for coverage in &document.coverage {
        match coverage.status {
            CoverageStatus::Unread => notify(COVERAGE, "error", &coverage_message(coverage)),
            CoverageStatus::Partial => notify(COVERAGE, "warning", &coverage_message(coverage)),
            _ => {}
        }
    }
    for analyzer in &document.analyzers {
        if analyzer.status == AnalyzerStatus::Partial {
            let text = format!("analyzer {} was partial: {}", analyzer.id, analyzer.notes.join("; "));
            notify(ANALYZER, "warning", &text);
        }
    }
    notifications
}
