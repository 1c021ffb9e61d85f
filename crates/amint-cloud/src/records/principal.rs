//! Who can sign: users and their keys, roles and their sessions.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Tags;

/// A secret, which is not shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Secret(pub(crate) String);

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct User {
    /// Account and name.
    pub(crate) key: String,
    pub(crate) account: String,
    pub(crate) name: String,
    pub(crate) path: String,
    /// The unique id: `AIDA…`.
    pub(crate) unique_id: String,
    pub(crate) created: Timestamp,
    pub(crate) tags: Tags,
}

/// A key pair of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UserKey {
    pub(crate) id: String,
    pub(crate) secret: Secret,
    /// The user's [`key`](User::key).
    pub(crate) user: String,
    pub(crate) created: Timestamp,
    pub(crate) is_active: bool,
}

/// A role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Role {
    /// Account and name.
    pub(crate) key: String,
    pub(crate) account: String,
    pub(crate) name: String,
    pub(crate) path: String,
    /// The unique id: `AROA…`.
    pub(crate) unique_id: String,
    pub(crate) created: Timestamp,
    pub(crate) description: Option<String>,
    /// Who may assume it: the text of its trust policy.
    pub(crate) trust: String,
    pub(crate) session_seconds_max: i64,
    /// Its inline policies by their names; kept, and not looked at.
    pub(crate) policies: BTreeMap<String, String>,
    /// The ARNs of its managed policies; kept, and not looked at.
    pub(crate) attached: BTreeSet<String>,
    pub(crate) tags: Tags,
}

/// What gives a role to instances.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InstanceProfile {
    /// Account and name.
    pub(crate) key: String,
    pub(crate) account: String,
    pub(crate) name: String,
    pub(crate) path: String,
    /// The unique id: `AIPA…`.
    pub(crate) unique_id: String,
    pub(crate) created: Timestamp,
    /// The role's name.
    pub(crate) role: Option<String>,
    pub(crate) tags: Tags,
}

/// A managed policy of an account: kept, and not looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ManagedPolicy {
    pub(crate) arn: String,
    pub(crate) account: String,
    pub(crate) name: String,
    pub(crate) path: String,
    /// The unique id: `ANPA…`.
    pub(crate) unique_id: String,
    pub(crate) created: Timestamp,
    pub(crate) description: Option<String>,
    pub(crate) document: String,
    pub(crate) tags: Tags,
}

/// The credentials of a role that was assumed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    /// The id of its key: `ASIA…`.
    pub(crate) id: String,
    pub(crate) secret: Secret,
    pub(crate) token: Secret,
    pub(crate) account: String,
    pub(crate) role: String,
    /// The role's path and unique id.
    pub(crate) role_path: String,
    pub(crate) role_id: String,
    pub(crate) name: String,
    pub(crate) created: Timestamp,
    pub(crate) expires: Timestamp,
}

impl User {
    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:iam::{}:user{}{}", self.account, self.path, self.name)
    }
}

impl Role {
    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:iam::{}:role{}{}", self.account, self.path, self.name)
    }
}

impl InstanceProfile {
    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:iam::{}:instance-profile{}{}", self.account, self.path, self.name)
    }
}

impl Session {
    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:sts::{}:assumed-role/{}/{}", self.account, self.role, self.name)
    }

    pub(crate) fn role_arn(&self) -> String {
        format!("arn:aws:iam::{}:role{}{}", self.account, self.role_path, self.role)
    }
}
