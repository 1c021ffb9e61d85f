use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Tags;

/// A parameter of Systems Manager.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Parameter {
    /// Account, region and name.
    pub(crate) key: String,
    /// The account; empty for those that AWS offers everybody.
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) name: String,
    /// `String` or `StringList`.
    pub(crate) kind: String,
    /// `text` or `aws:ec2:image`.
    pub(crate) data_type: String,
    /// `Standard` or `Advanced`.
    pub(crate) tier: String,
    /// The versions, ascending; there is one at least.
    pub(crate) versions: Vec<ParameterVersion>,
    pub(crate) tags: Tags,
}

/// A version of a parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ParameterVersion {
    pub(crate) number: u64,
    pub(crate) value: String,
    pub(crate) description: Option<String>,
    pub(crate) modified: Timestamp,
    /// The ARN of whoever made it.
    pub(crate) user: String,
    pub(crate) labels: BTreeSet<String>,
}

impl Parameter {
    pub(crate) fn key(account: &str, region: &str, name: &str) -> String {
        format!("{account}/{region}/{name}")
    }

    pub(crate) fn arn(&self) -> String {
        let slash = if self.name.starts_with('/') { "" } else { "/" };
        format!("arn:aws:ssm:{}:{}:parameter{slash}{}", self.region, self.account, self.name)
    }

    /// Returns the newest version.
    pub(crate) fn newest(&self) -> Option<&ParameterVersion> {
        self.versions.last()
    }

    /// Returns the version that a selector names: a number, a label, or nothing for the newest.
    pub(crate) fn version(&self, selector: Option<&str>) -> Option<&ParameterVersion> {
        let Some(selector) = selector else { return self.newest() };
        match selector.parse::<u64>() {
            Ok(number) => self.versions.iter().find(|version| version.number == number),
            Err(_) => self.versions.iter().find(|version| version.labels.contains(selector)),
        }
    }
}
