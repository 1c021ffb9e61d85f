use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Tags;

/// A launch configuration of Auto Scaling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LaunchConfiguration {
    /// Account, region and name.
    pub(crate) key: String,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) name: String,
    pub(crate) uuid: String,
    pub(crate) created: Timestamp,
    pub(crate) image_id: String,
    pub(crate) instance_type: String,
    pub(crate) key_name: Option<String>,
    pub(crate) user_data: Option<String>,
    pub(crate) profile: Option<String>,
    pub(crate) group_ids: Vec<String>,
    /// What is asked of the metadata service, by the names of its options.
    pub(crate) metadata: BTreeMap<String, String>,
}

/// An Auto Scaling group: a record, which starts no instances.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ScalingGroup {
    /// Account, region and name.
    pub(crate) key: String,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) name: String,
    pub(crate) uuid: String,
    pub(crate) created: Timestamp,
    pub(crate) launch: ScalingLaunch,
    pub(crate) size_min: u64,
    pub(crate) size_max: u64,
    pub(crate) size_desired: u64,
    pub(crate) cooldown_seconds: u64,
    pub(crate) zones: Vec<String>,
    /// Ids of subnets, joined by commas.
    pub(crate) subnets: Option<String>,
    pub(crate) tags: Tags,
}

/// What instances of a group would be of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ScalingLaunch {
    /// A launch configuration, by its name.
    Configuration(String),
    /// A launch template: id, name and version.
    Template(String, String, Option<String>),
}
