use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Tags;

/// A report of which accounts use an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UsageReport {
    pub(crate) id: String,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) image_id: String,
    pub(crate) resources: Vec<ReportedResource>,
    /// The accounts that were asked about; all of them when there is none.
    pub(crate) accounts: Vec<String>,
    pub(crate) created: Timestamp,
    pub(crate) available: Timestamp,
    pub(crate) expires: Timestamp,
    pub(crate) tags: Tags,
    pub(crate) entries: Vec<UsageEntry>,
}

/// A type of resources that a report is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReportedResource {
    pub(crate) name: String,
    /// How many versions of a launch template are looked at.
    pub(crate) version_depth: Option<String>,
}

/// How many resources of a type an account has that use the image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UsageEntry {
    pub(crate) resource_type: String,
    pub(crate) account: String,
    pub(crate) count: u64,
}
