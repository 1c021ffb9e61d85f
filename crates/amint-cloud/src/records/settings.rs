use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::AllowedImages;

/// What an account has set in a region.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    /// Account and region.
    pub(crate) key: String,
    /// From when on no image can be made public.
    pub(crate) images_blocked: Option<Timestamp>,
    pub(crate) snapshot_sharing: SnapshotSharing,
    pub(crate) allowed_images: AllowedImages,
    pub(crate) is_encrypted_by_default: bool,
    /// The key that encrypts what names no key; none for AWS's own.
    pub(crate) default_key: Option<String>,
}

/// Whether snapshots may be public.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SnapshotSharing {
    /// They may.
    #[default]
    Unblocked,
    /// No more can be made public.
    BlockNewSharing,
    /// Those that are count as private, too.
    BlockAllSharing,
}

impl SnapshotSharing {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Unblocked => "unblocked",
            Self::BlockNewSharing => "block-new-sharing",
            Self::BlockAllSharing => "block-all-sharing",
        }
    }
}

impl Settings {
    /// Returns the key of an account and a region.
    pub(crate) fn key(account: &str, region: &str) -> String {
        format!("{account}/{region}")
    }

    /// Tells whether no image can be made public now.
    pub(crate) fn are_images_blocked(&self, now: Timestamp) -> bool {
        self.images_blocked.is_some_and(|start| start <= now)
    }

    /// Returns the id of the key that encrypts what names no key.
    pub(crate) fn default_key_id(&self) -> &str {
        self.default_key.as_deref().unwrap_or("alias/aws/ebs")
    }
}
