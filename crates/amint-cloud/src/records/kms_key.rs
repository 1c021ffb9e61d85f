use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Tags;

/// A key of the Key Management Service: a name with a policy. It encrypts nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KmsKey {
    /// A UUID.
    pub(crate) id: String,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) description: String,
    pub(crate) created: Timestamp,
    pub(crate) is_enabled: bool,
    /// When it goes.
    pub(crate) deletion: Option<Timestamp>,
    /// Whether AWS keeps it for the account.
    pub(crate) is_of_aws: bool,
    pub(crate) policy: String,
    pub(crate) grants: Vec<KmsGrant>,
    pub(crate) tags: Tags,
}

/// Leave to use a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KmsGrant {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) grantee: String,
    pub(crate) retiring: Option<String>,
    pub(crate) operations: Vec<String>,
    pub(crate) created: Timestamp,
}

/// Another name of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KmsAlias {
    /// Account, region and name.
    pub(crate) key: String,
    pub(crate) account: String,
    pub(crate) region: String,
    /// Begins with `alias/`.
    pub(crate) name: String,
    /// The key's id.
    pub(crate) target: String,
    pub(crate) created: Timestamp,
}

impl KmsKey {
    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:kms:{}:{}:key/{}", self.region, self.account, self.id)
    }

    /// Returns the state that KMS tells.
    pub(crate) fn state(&self) -> &'static str {
        match (self.deletion, self.is_enabled) {
            (Some(_), _) => "PendingDeletion",
            (None, true) => "Enabled",
            (None, false) => "Disabled",
        }
    }

    /// Tells whether it has gone.
    pub(crate) fn is_gone(&self, now: Timestamp) -> bool {
        self.deletion.is_some_and(|deletion| deletion <= now)
    }
}

impl KmsAlias {
    pub(crate) fn key(account: &str, region: &str, name: &str) -> String {
        format!("{account}/{region}/{name}")
    }

    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:kms:{}:{}:{}", self.region, self.account, self.name)
    }
}
