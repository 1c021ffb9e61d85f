//! Licences of packages, and the texts of those that SPDX does not know.

use std::collections::BTreeMap;

use amint_types::Digest;

use super::super::license;
use super::super::text::line;
use super::model::{ExtractedLicensing, NO_ASSERTION};

/// The licences that a document defines itself, by their id.
#[derive(Default)]
pub(super) struct Licensing(BTreeMap<String, ExtractedLicensing>);

impl Licensing {
    /// Returns the expression for a package's declarations; those that are none are defined as references.
    pub(super) fn declared(&mut self, declared: &[String]) -> String {
        let expressions: Vec<String> = declared
            .iter()
            .filter(|one| !one.trim().is_empty())
            .map(|one| license::expression(one).unwrap_or_else(|| self.reference(one)))
            .collect();
        for reference in expressions.iter().flat_map(|expression| license::references(expression)) {
            self.0.entry(reference.clone()).or_insert_with(|| ExtractedLicensing {
                extracted_text: format!("The package names {reference} without its text."),
                name: reference.clone(),
                license_id: reference,
            });
        }
        license::all_of(expressions).unwrap_or_else(|| NO_ASSERTION.to_owned())
    }

    /// Defines a declaration that is no licence expression.
    fn reference(&mut self, declared: &str) -> String {
        let license_id = format!("LicenseRef-amint-{}", Digest::of(declared.as_bytes()).short());
        self.0.entry(license_id.clone()).or_insert_with(|| ExtractedLicensing {
            license_id: license_id.clone(),
            extracted_text: declared.to_owned(),
            name: line(declared),
        });
        license_id
    }

    pub(super) fn into_infos(self) -> Vec<ExtractedLicensing> {
        self.0.into_values().collect()
    }
}
