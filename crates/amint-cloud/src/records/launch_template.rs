use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Tags;

/// A launch template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LaunchTemplate {
    pub(crate) id: String,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) name: String,
    pub(crate) created: Timestamp,
    /// The ARN of whoever made it.
    pub(crate) created_by: String,
    /// The number of the default version.
    pub(crate) default: u64,
    /// The number of the newest version that there ever was.
    pub(crate) latest: u64,
    /// The versions, ascending; the default one is among them.
    pub(crate) versions: Vec<LaunchTemplateVersion>,
    pub(crate) tags: Tags,
}

/// A version of a launch template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LaunchTemplateVersion {
    pub(crate) number: u64,
    pub(crate) description: Option<String>,
    pub(crate) created: Timestamp,
    pub(crate) created_by: String,
    /// What `RunInstances` is asked with, by the names that its parameters have.
    pub(crate) data: BTreeMap<String, String>,
}

impl LaunchTemplate {
    /// Returns the version of a number, `$Latest` or `$Default`.
    pub(crate) fn version(&self, text: &str) -> Option<&LaunchTemplateVersion> {
        match text {
            "$Latest" => self.versions.last(),
            "$Default" => self.versions.iter().find(|version| version.number == self.default),
            number => {
                let number: u64 = number.parse().ok()?;
                self.versions.iter().find(|version| version.number == number)
            }
        }
    }
}
