//! What can go wrong in a scan.

use std::error::Error;
use std::path::PathBuf;

use amint_disk::tree::TreeError;
use amint_types::Hint;

/// A rule could not look.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// A file could not be read or changed.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// A file is there and cannot be understood, so nothing is known of what it sets.
    #[error("`{}` line {line} cannot be understood: {what}", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u32,
        /// What is wrong with it.
        what: String,
    },
    /// A package database is there and could not be read.
    #[error("the package database cannot be read: {what}")]
    Packages {
        /// Why.
        what: String,
    },
    /// A file or a set of files holds more than the rule is ready to read.
    #[error("`{}` holds more than {limit} {what}", .path.display())]
    Limit {
        /// Where.
        path: PathBuf,
        /// How many are read at most.
        limit: usize,
        /// Of what.
        what: &'static str,
    },
}

impl CheckError {
    /// Returns the error with all its causes on one line.
    pub(crate) fn chain(&self) -> String {
        chain(self)
    }
}

/// Returns an error with all its causes on one line.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

impl Hint for CheckError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Tree(error) => error.hint(),
            Self::Malformed { .. } | Self::Packages { .. } | Self::Limit { .. } => None,
        }
    }
}

/// A scan or a hardening ended without a result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScanError {
    /// The tree's root cannot be read.
    #[error("failed to read the image's files")]
    Unreadable {
        /// Why.
        #[source]
        source: TreeError,
    },
    /// The tree holds no `/etc`: whatever it is, it is no operating system, and nothing said of it would be
    /// true.
    #[error("failed to find an operating system: the image has no folder `/etc`")]
    NoSystem,
    /// No profile was asked for, so every image would pass.
    #[error("failed to choose rules: no profile was asked for")]
    NoProfile,
    /// A rule's fix failed; what was changed before it stays changed.
    #[error("failed to apply the fix of rule {rule}")]
    Fix {
        /// The rule.
        rule: &'static str,
        /// Why.
        #[source]
        source: CheckError,
    },
}

impl Hint for ScanError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Unreadable { source } => source.hint(),
            Self::Fix { source, .. } => source.hint(),
            Self::NoSystem => Some("name the folder or disk that holds the root file system".to_owned()),
            Self::NoProfile => Some("name one of marketplace, shared-linux, hardened, private".to_owned()),
        }
    }
}
