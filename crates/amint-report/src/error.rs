//! Errors of this crate.

use amint_types::Hint;

/// A report could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A template failed to render; only a defect of a template can cause it.
    #[error("failed to render the {format} report")]
    Render {
        /// The format: `HTML`.
        format: &'static str,
        /// What the template engine said.
        #[source]
        source: askama::Error,
    },
}

impl Hint for ReportError {}
