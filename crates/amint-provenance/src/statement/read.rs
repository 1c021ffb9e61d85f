//! Statements as bytes.

use serde::Deserialize;

use super::{BUILD_TYPE, BUILDER_ID, PREDICATE_TYPE, STATEMENT_TYPE, Statement, StatementError};

/// The outermost fields, which tell whether the rest can be read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StatementHead {
    #[serde(rename = "_type")]
    statement_type: String,
    predicate_type: String,
}

/// The fields below, which tell how to read the parameters.
#[derive(Deserialize)]
struct PredicateHead {
    predicate: ProvenanceHead,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProvenanceHead {
    build_definition: BuildHead,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BuildHead {
    build_type: String,
}

impl Statement {
    /// Reads a statement, from the outside to the inside: what is of another type is not looked into.
    pub fn from_json(bytes: &[u8]) -> Result<Self, StatementError> {
        let head: StatementHead =
            serde_json::from_slice(bytes).map_err(|source| StatementError::Form { source })?;
        if head.statement_type != STATEMENT_TYPE {
            return Err(StatementError::Type { found: head.statement_type });
        }
        if head.predicate_type != PREDICATE_TYPE {
            return Err(StatementError::PredicateType { found: head.predicate_type });
        }
        let predicate = |source| StatementError::Predicate { source };
        let head: PredicateHead = serde_json::from_slice(bytes).map_err(predicate)?;
        let build_type = head.predicate.build_definition.build_type;
        if build_type != BUILD_TYPE {
            return Err(StatementError::BuildType { found: build_type });
        }
        let statement: Self = serde_json::from_slice(bytes).map_err(predicate)?;
        let builder = &statement.predicate.run_details.builder.id;
        if builder != BUILDER_ID {
            return Err(StatementError::Builder { found: builder.clone() });
        }
        if statement.subject.is_empty() {
            return Err(StatementError::NoSubject);
        }
        for subject in &statement.subject {
            if subject.digest.is_empty() {
                let name = subject.name.clone().unwrap_or_default();
                return Err(StatementError::SubjectDigest { name });
            }
        }
        Ok(statement)
    }

    /// Writes the statement: the same statement gives the same bytes.
    #[expect(clippy::missing_panics_doc, reason = "it cannot fail")]
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts, numbers and maps with text keys always have a JSON form")
    }
}
