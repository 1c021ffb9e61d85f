//! Errors as a client of AWS sees them.

use std::fmt;

/// An error that a client is told: a code of AWS, words, and the HTTP status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The code, such as `InvalidAMIID.NotFound`.
    pub code: &'static str,
    /// What is wrong, as AWS would say it.
    pub message: String,
    /// The HTTP status.
    pub status: u16,
    /// The reason that EBS direct APIs add, such as `SNAPSHOT_NOT_FOUND`.
    pub reason: Option<&'static str>,
}

impl Fault {
    /// Makes an error of the client's (HTTP 400).
    pub fn client(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), status: 400, reason: None }
    }

    /// Gives it another HTTP status.
    #[must_use]
    pub fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// Gives it a reason of the EBS direct APIs.
    #[must_use]
    pub fn with_reason(self, reason: &'static str) -> Self {
        Self { reason: Some(reason), ..self }
    }

    /// Says that a parameter has a value that it cannot have.
    pub fn invalid_value(parameter: &str, value: &str) -> Self {
        Self::client(
            "InvalidParameterValue",
            format!("Value ({value}) for parameter {parameter} is invalid."),
        )
    }

    /// Says that a parameter is missing.
    pub fn missing(parameter: &str) -> Self {
        Self::client("MissingParameter", format!("The request must contain the parameter {parameter}"))
    }

    /// Says that something failed here; the cause is for the log, not for clients.
    pub fn internal() -> Self {
        Self::client("InternalError", "An internal error has occurred").with_status(500)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code, self.message)
    }
}
