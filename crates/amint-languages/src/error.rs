//! What can go wrong in a file of packages.

use std::io;

/// A file could not be read or understood.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LanguageError {
    /// The content could not be read.
    #[error("failed to read it")]
    Read(#[from] io::Error),
    /// The content is not in its format.
    #[error("it is no {format}: {what}")]
    Malformed {
        /// What it should be.
        format: &'static str,
        /// What does not fit.
        what: String,
    },
    /// The content goes over a limit; what lies beyond was not looked at.
    #[error("it goes over a limit: {0}")]
    Limit(String),
}

impl LanguageError {
    pub(crate) fn malformed(format: &'static str, what: &dyn std::fmt::Display) -> Self {
        Self::Malformed { format, what: what.to_string() }
    }
}
