use serde::{Deserialize, Serialize};

/// A quota that was raised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Quota {
    /// Account, region and code.
    pub(crate) key: String,
    pub(crate) value: u32,
}

impl Quota {
    pub(crate) fn key(account: &str, region: &str, code: &str) -> String {
        format!("{account} {region} {code}")
    }
}
