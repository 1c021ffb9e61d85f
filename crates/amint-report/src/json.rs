//! The report model itself, as JSON.

use amint_types::report::BuildReport;

/// Writes a report as indented JSON, with a line end.
///
/// # Panics
/// Never: every key of the model is a string, so it always has a JSON form.
pub fn json(report: &BuildReport) -> String {
    let mut text = serde_json::to_string_pretty(report).expect("every key of the report model is a string");
    text.push('\n');
    text
}
