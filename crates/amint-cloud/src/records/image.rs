use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Tags;

/// An Amazon Machine Image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Image {
    pub(crate) id: String,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    /// `x86_64` or `arm64`.
    pub(crate) architecture: String,
    pub(crate) created: Timestamp,
    /// When it becomes available.
    pub(crate) available: Timestamp,
    pub(crate) root_device_name: String,
    pub(crate) block_devices: Vec<BlockDevice>,
    /// `legacy-bios`, `uefi` or `uefi-preferred`.
    pub(crate) boot_mode: Option<String>,
    pub(crate) has_ena: bool,
    pub(crate) sriov: Option<String>,
    /// `v2.0` where instances need tokens for their metadata.
    pub(crate) imds_support: Option<String>,
    /// `v2.0` where instances have a TPM.
    pub(crate) tpm_support: Option<String>,
    pub(crate) uefi_data: Option<String>,
    #[serde(default)]
    pub(crate) product_codes: Vec<String>,
    #[serde(default)]
    pub(crate) permissions: BTreeSet<LaunchPermission>,
    pub(crate) origin: ImageOrigin,
    /// The image from which it was copied, or whose instance it was made of, and that one's region.
    pub(crate) source: Option<(String, String)>,
    pub(crate) source_instance: Option<String>,
    #[serde(default)]
    pub(crate) is_disabled: bool,
    #[serde(default)]
    pub(crate) protection: Protection,
    #[serde(default)]
    pub(crate) watermarks: Vec<Watermark>,
    /// Why it came to nothing, where it did.
    pub(crate) failure: Option<String>,
    pub(crate) deprecation: Option<Timestamp>,
    pub(crate) last_launched: Option<Timestamp>,
    pub(crate) tags: Tags,
}

/// Whether an image may be deregistered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Protection {
    /// It may.
    #[default]
    Disabled,
    /// It may not; with a cooldown, not for a day after this is disabled either.
    Enabled { has_cooldown: bool },
    /// The protection was disabled and holds until then.
    Cooling { until: Timestamp },
}

/// A mark that stays with an image and with everything that is made of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Watermark {
    /// The account that attached it, a colon and its name.
    pub(crate) key: String,
    /// The image that it was attached to first.
    pub(crate) source_image: String,
    pub(crate) source_region: String,
    pub(crate) source_created: Timestamp,
    pub(crate) created: Timestamp,
}

/// How an image came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ImageOrigin {
    /// It is an image of the store.
    Store,
    /// `RegisterImage`.
    Registered,
    /// `CreateImage`.
    Created,
    /// `CopyImage`.
    Copied,
}

/// A block device of an image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BlockDevice {
    pub(crate) device_name: String,
    /// `ephemeral0` for instance stores, which are recorded only.
    pub(crate) virtual_name: Option<String>,
    pub(crate) snapshot_id: Option<String>,
    pub(crate) volume_gib: u64,
    pub(crate) volume_type: String,
    pub(crate) iops: Option<u64>,
    pub(crate) throughput: Option<u64>,
    pub(crate) is_deleted_on_termination: bool,
    pub(crate) is_encrypted: bool,
    pub(crate) kms_key_id: Option<String>,
}

/// Who may launch an image besides its owner.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LaunchPermission {
    /// Everybody: the group `all`.
    Everybody,
    /// An account.
    Account(String),
    /// An organization, by its ARN.
    Organization(String),
    /// An organizational unit, by its ARN.
    OrganizationalUnit(String),
}

impl Image {
    /// Returns the state that EC2 tells.
    pub(crate) fn state(&self, now: Timestamp) -> &'static str {
        match () {
            () if self.failure.is_some() => "failed",
            () if self.is_disabled => "disabled",
            () if self.available > now => "pending",
            () => "available",
        }
    }

    pub(crate) fn is_public(&self) -> bool {
        self.permissions.contains(&LaunchPermission::Everybody)
    }

    /// Tells whether an account may see and launch it.
    pub(crate) fn is_usable_by(&self, account: &str) -> bool {
        self.account == account || self.is_public() || self.is_shared_with(account)
    }

    /// Tells whether it is shared with an account by its id.
    pub(crate) fn is_shared_with(&self, account: &str) -> bool {
        self.permissions.iter().any(|one| matches!(one, LaunchPermission::Account(id) if id == account))
    }

    /// Tells whether it may not be deregistered now.
    pub(crate) fn is_protected(&self, now: Timestamp) -> bool {
        match self.protection {
            Protection::Disabled => false,
            Protection::Enabled { .. } => true,
            Protection::Cooling { until } => now < until,
        }
    }

    /// Returns the snapshots that its devices have.
    pub(crate) fn snapshot_ids(&self) -> impl Iterator<Item = &str> {
        self.block_devices.iter().filter_map(|device| device.snapshot_id.as_deref())
    }

    pub(crate) fn is_deprecated(&self, now: Timestamp) -> bool {
        self.deprecation.is_some_and(|time| time <= now)
    }
}
