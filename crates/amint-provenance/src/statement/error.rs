//! What can go wrong with a statement.

use amint_types::Hint;

use super::{BUILD_TYPE, BUILDER_ID, PREDICATE_TYPE, STATEMENT_TYPE};
use crate::shown::shown;

/// A payload is no statement that amint can read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StatementError {
    /// It is no JSON object with the fields of a statement.
    #[error("the payload is no in-toto statement")]
    Form {
        /// Why not.
        #[source]
        source: serde_json::Error,
    },
    /// It is a statement of another version, or something else.
    #[error("the payload has the type `{}` instead of `{STATEMENT_TYPE}`", shown(.found))]
    Type {
        /// Its type.
        found: String,
    },
    /// It is a statement of another kind, such as a scan's result.
    #[error("the statement is of the kind `{}` instead of `{PREDICATE_TYPE}`", shown(.found))]
    PredicateType {
        /// Its kind.
        found: String,
    },
    /// It tells of a build by another program, or by a newer amint.
    #[error("the statement tells of a build of the type `{}` instead of `{BUILD_TYPE}`", shown(.found))]
    BuildType {
        /// The type of the build.
        found: String,
    },
    /// It is a statement on a build by amint, but not of the form of SLSA provenance.
    #[error("the statement is no SLSA provenance")]
    Predicate {
        /// Why not.
        #[source]
        source: serde_json::Error,
    },
    /// It tells of a build by a builder that no key of amint speaks for (SLSA provenance v1, `builder.id`).
    #[error("the statement is on behalf of the builder `{}` instead of `{BUILDER_ID}`", shown(.found))]
    Builder {
        /// The builder.
        found: String,
    },
    /// It is about nothing.
    #[error("the statement has no subject")]
    NoSubject,
    /// A subject has no digest, so that it may be anything.
    #[error("the subject `{}` of the statement has no digest", shown(.name))]
    SubjectDigest {
        /// The subject's name.
        name: String,
    },
}

impl Hint for StatementError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::BuildType { found } if found.starts_with("urn:amint:build:") => {
                Some("use the newer amint that wrote it".to_owned())
            }
            _ => None,
        }
    }
}
