use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Tags;

/// A volume. The store pins what it lies on under its id; what was written since is in its folder.
#[expect(clippy::struct_field_names, reason = "the field's own word")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Volume {
    pub(crate) id: String,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) zone: String,
    pub(crate) gib: u64,
    pub(crate) volume_type: String,
    pub(crate) iops: Option<u64>,
    pub(crate) throughput: Option<u64>,
    /// The snapshot that it was made of.
    pub(crate) snapshot_id: Option<String>,
    pub(crate) created: Timestamp,
    pub(crate) is_encrypted: bool,
    pub(crate) kms_key_id: Option<String>,
    /// Where it is attached.
    pub(crate) attachment: Option<Attachment>,
    /// The line of its snapshots: only within one can blocks be compared.
    pub(crate) lineage: String,
    /// The last snapshot: the next one is upon it.
    pub(crate) last_snapshot: Option<String>,
    pub(crate) tags: Tags,
}

/// A volume at an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attachment {
    pub(crate) instance_id: String,
    pub(crate) device: String,
    pub(crate) attached: Timestamp,
    pub(crate) is_deleted_on_termination: bool,
    /// Whether the instance was asked to let go of it.
    pub(crate) is_detaching: bool,
}

impl Volume {
    /// Returns `available` or `in-use`.
    pub(crate) fn state(&self) -> &'static str {
        if self.attachment.is_some() { "in-use" } else { "available" }
    }

    /// Returns the size in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.gib << 30
    }
}

impl Attachment {
    /// Returns `attached` or `detaching`.
    pub(crate) fn state(&self) -> &'static str {
        if self.is_detaching { "detaching" } else { "attached" }
    }
}
