use std::collections::BTreeSet;

use amint_types::Digest;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Lock, Tags, Tiering};

/// A snapshot: blocks of the store under an id of EC2.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    pub(crate) id: String,
    pub(crate) account: String,
    pub(crate) region: String,
    /// The volume it was made of; none for what was written block by block, and for images of the store.
    pub(crate) volume_id: Option<String>,
    pub(crate) volume_gib: u64,
    pub(crate) description: String,
    pub(crate) tags: Tags,
    pub(crate) started: Timestamp,
    /// When it is complete; none while blocks are still written (EBS direct).
    pub(crate) completed: Option<Timestamp>,
    /// Which blocks it has; none while blocks are still written.
    pub(crate) manifest: Option<Digest>,
    /// The snapshot that it was begun with.
    #[serde(default)]
    pub(crate) parent: Option<String>,
    /// The first of its line: only within one line can blocks be compared.
    #[serde(default)]
    pub(crate) lineage: String,
    /// After how many minutes without a block it is given up, while blocks are written.
    #[serde(default)]
    pub(crate) timeout_minutes: u32,
    /// When it was given up.
    #[serde(default)]
    pub(crate) failed: Option<Timestamp>,
    /// The bytes of the blocks that it holds.
    pub(crate) used_bytes: u64,
    pub(crate) is_encrypted: bool,
    pub(crate) kms_key_id: Option<String>,
    /// Accounts that may make volumes of it.
    #[serde(default)]
    pub(crate) users: BTreeSet<String>,
    /// Whether everybody may make volumes of it.
    #[serde(default)]
    pub(crate) is_public: bool,
    /// Whether it is an image of the store rather than a snapshot that somebody made.
    #[serde(default)]
    pub(crate) is_of_store: bool,
    /// The last move between the tiers; none for what was never archived.
    #[serde(default)]
    pub(crate) tiering: Option<Tiering>,
    #[serde(default)]
    pub(crate) lock: Option<Lock>,
    /// The snapshot that `CopySnapshot` made it of.
    #[serde(default)]
    pub(crate) copied_from: Option<String>,
}

impl Snapshot {
    /// Returns `pending`, `completed` or `error`.
    pub(crate) fn status(&self, now: Timestamp) -> &'static str {
        if self.failed.is_some() {
            return "error";
        }
        if self.completed.is_some_and(|end| end <= now) { "completed" } else { "pending" }
    }

    /// Tells whether it lies in the archive: then it can be neither read nor copied.
    pub(crate) fn is_archived(&self, now: Timestamp) -> bool {
        self.tiering.as_ref().is_some_and(|tiering| tiering.is_archived(now))
    }

    /// Tells whether it is encrypted with the key that AWS has for EBS, which no other account can use.
    pub(crate) fn has_default_key(&self) -> bool {
        self.is_encrypted && self.kms_key_id.as_ref().is_none_or(|key| key.ends_with("alias/aws/ebs"))
    }
}
