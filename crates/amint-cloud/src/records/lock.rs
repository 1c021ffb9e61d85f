use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A lock that keeps a snapshot from being deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lock {
    pub(crate) mode: LockMode,
    pub(crate) created: Timestamp,
    /// When the duration began.
    pub(crate) started: Timestamp,
    pub(crate) duration_days: i64,
    pub(crate) cool_off_hours: Option<i64>,
    /// Until when a lock of compliance can still be taken back.
    pub(crate) cool_off_ends: Option<Timestamp>,
    pub(crate) expires: Timestamp,
}

/// How strong a lock is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LockMode {
    /// It can be taken back.
    Governance,
    /// After its cool-off nobody can take it back or shorten it.
    Compliance,
}

impl Lock {
    /// Returns the state that EC2 tells.
    pub(crate) fn state(&self, now: Timestamp) -> &'static str {
        match self.mode {
            _ if self.expires <= now => "expired",
            LockMode::Governance => "governance",
            LockMode::Compliance if self.cool_off_ends.is_some_and(|end| now < end) => "compliance-cooloff",
            LockMode::Compliance => "compliance",
        }
    }

    /// Tells whether it holds now.
    pub(crate) fn is_held(&self, now: Timestamp) -> bool {
        now < self.expires
    }
}
