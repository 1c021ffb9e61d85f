//! The operation log: what was meant, before; what came of it, after.
//!
//! Rows are only ever added (the catalogue's triggers refuse anything else): one when an operation begins, one
//! when it ends. So a plan that was broken off half way tells what it had set out to do (requirement B5).

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

/// One operation of the log; later ones have higher numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct OperationId(pub(crate) i64);

impl fmt::Display for OperationId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It did what it set out to do.
    Succeeded,
    /// It ended with an error, which its result tells.
    Failed,
}

/// Where an operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OperationState {
    /// The process that began it still lives.
    Running,
    /// It has no result, and the process that began it is gone, or on another host.
    Interrupted,
    /// It did what it set out to do.
    Succeeded,
    /// It ended with an error.
    Failed,
}

/// One operation, with its result if there is one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OperationRecord {
    /// Its number.
    pub id: OperationId,
    /// What kind it is: `put`, `remove`, `gc`.
    pub kind: String,
    /// What it is about: `web:1.4.0`.
    pub subject: String,
    /// What it set out to do.
    pub intent: Value,
    /// When it began.
    pub started_at: Timestamp,
    /// Where it is.
    pub state: OperationState,
    /// What came of it.
    pub result: Option<Value>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}
