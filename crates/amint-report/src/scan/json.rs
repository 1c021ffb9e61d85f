//! The scan model itself, as JSON, and the JSON Schema of it.

use amint_types::assessment::AssessmentReport;
use amint_types::scan::ScanDocument;
use amint_types::scan_difference::ScanDifference;

use crate::json::indented;

/// Writes a scan as indented JSON, with a line end.
///
/// This is the stable form: within one
/// [`format_version`](amint_types::scan::FORMAT_VERSION), fields and values are added and none changes its meaning.
/// [`scan_schema`] describes it.
///
/// # Panics
/// Never: every key of the model is a string, so it always has a JSON form.
pub fn scan_json(document: &ScanDocument) -> String {
    indented(document)
}

/// Writes the difference of two scans as indented JSON, with a line end.
///
/// # Panics
/// Never: every key of the model is a string, so it always has a JSON form.
pub fn difference_json(difference: &ScanDifference) -> String {
    indented(difference)
}

/// Writes an assessment as indented JSON, in the form of AWS Marketplace's own, with a line end.
///
/// # Panics
/// Never: every key of the model is a string, so it always has a JSON form.
pub fn assessment_json(assessment: &AssessmentReport) -> String {
    indented(assessment)
}

/// Returns the JSON Schema (draft 2020-12) of what [`scan_json`] writes.
pub fn scan_schema() -> &'static str {
    include_str!("../../schema/scan.schema.json")
}
