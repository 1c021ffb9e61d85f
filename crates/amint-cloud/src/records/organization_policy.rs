use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A policy of the organization that all accounts of the endpoint are in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OrganizationPolicy {
    /// `p-…`.
    pub(crate) id: String,
    /// The account that made it.
    pub(crate) account: String,
    pub(crate) name: String,
    pub(crate) description: String,
    /// `TAG_POLICY`.
    pub(crate) kind: String,
    pub(crate) content: String,
    /// The accounts that it is attached to, and the root.
    pub(crate) targets: BTreeSet<String>,
    pub(crate) created: Timestamp,
    pub(crate) changed: Timestamp,
}

impl OrganizationPolicy {
    pub(crate) fn arn(&self) -> String {
        let kind = self.kind.to_ascii_lowercase();
        format!("arn:aws:organizations::{}:policy/o-amintlocal/{kind}/{}", self.account, self.id)
    }
}
