//! What publishing needs of a region.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;

use crate::keys::CloudKey;

/// Tags of a resource.
pub type Tags = BTreeMap<String, String>;

/// A region of the cloud, for one account.
///
/// Each method is one request, without retries: whoever calls decides what is tried again.
pub trait Region: Send + Sync {
    /// Returns the region's name: `eu-central-1`.
    fn name(&self) -> &str;

    /// Returns the account's id (`sts:GetCallerIdentity`).
    fn account(&self) -> impl Future<Output = Result<String, CloudError>> + Send;

    /// Returns whether new snapshots are encrypted by default (`ec2:GetEbsEncryptionByDefault`).
    fn is_encrypted_by_default(&self) -> impl Future<Output = Result<bool, CloudError>> + Send;

    /// Returns the account's own images of a name (`ec2:DescribeImages`).
    fn images_named(&self, name: &str) -> impl Future<Output = Result<Vec<CloudImage>, CloudError>> + Send;

    /// Returns an image by its id (`ec2:DescribeImages`).
    fn image(&self, id: &str) -> impl Future<Output = Result<Option<CloudImage>, CloudError>> + Send;

    /// Returns the account's own snapshots that have a tag (`ec2:DescribeSnapshots`).
    fn snapshots_tagged(
        &self,
        key: &str,
        value: &str,
    ) -> impl Future<Output = Result<Vec<CloudSnapshot>, CloudError>> + Send;

    /// Returns a snapshot by its id (`ec2:DescribeSnapshots`).
    fn snapshot(&self, id: &str) -> impl Future<Output = Result<Option<CloudSnapshot>, CloudError>> + Send;

    /// Begins a snapshot (`ebs:StartSnapshot`).
    fn start_snapshot(
        &self,
        request: &StartSnapshot,
    ) -> impl Future<Output = Result<StartedSnapshot, CloudError>> + Send;

    /// Writes a block (`ebs:PutSnapshotBlock`).
    fn put_block(
        &self,
        snapshot_id: &str,
        index: u64,
        block: &BlockData,
    ) -> impl Future<Output = Result<(), CloudError>> + Send;

    /// Ends a snapshot (`ebs:CompleteSnapshot`).
    fn complete_snapshot(
        &self,
        request: &CompleteSnapshot,
    ) -> impl Future<Output = Result<(), CloudError>> + Send;

    /// Lists blocks of a snapshot (`ebs:ListSnapshotBlocks`).
    fn list_blocks(
        &self,
        snapshot_id: &str,
        page: Option<&str>,
    ) -> impl Future<Output = Result<Listed, CloudError>> + Send;

    /// Reads a block (`ebs:GetSnapshotBlock`).
    fn get_block(
        &self,
        snapshot_id: &str,
        index: u64,
        token: &str,
    ) -> impl Future<Output = Result<Bytes, CloudError>> + Send;

    /// Removes a snapshot (`ec2:DeleteSnapshot`).
    fn delete_snapshot(&self, id: &str) -> impl Future<Output = Result<(), CloudError>> + Send;

    /// Makes an image of a snapshot (`ec2:RegisterImage`) and returns its id.
    fn register_image(
        &self,
        request: &RegisterImage,
    ) -> impl Future<Output = Result<String, CloudError>> + Send;

    /// Removes an image (`ec2:DeregisterImage`).
    fn deregister_image(&self, id: &str) -> impl Future<Output = Result<(), CloudError>> + Send;

    /// Copies an image, with its snapshot, from another region to this one (`ec2:CopyImage`) and returns its id.
    fn copy_image(&self, request: &CopyImage) -> impl Future<Output = Result<String, CloudError>> + Send;

    /// Returns the account's own images that use one of some snapshots (`ec2:DescribeImages`).
    fn images_using(
        &self,
        snapshot_ids: &[String],
    ) -> impl Future<Output = Result<Vec<CloudImage>, CloudError>> + Send;

    /// Returns the accounts that may launch an image (`ec2:DescribeImageAttribute`).
    fn image_accounts(&self, id: &str) -> impl Future<Output = Result<BTreeSet<String>, CloudError>> + Send;

    /// Returns the accounts that may use a snapshot (`ec2:DescribeSnapshotAttribute`).
    fn snapshot_accounts(
        &self,
        id: &str,
    ) -> impl Future<Output = Result<BTreeSet<String>, CloudError>> + Send;

    /// Lets accounts launch an image (`ec2:ModifyImageAttribute`).
    fn share_image(
        &self,
        id: &str,
        accounts: &BTreeSet<String>,
    ) -> impl Future<Output = Result<(), CloudError>> + Send;

    /// Lets accounts use a snapshot (`ec2:ModifySnapshotAttribute`).
    fn share_snapshot(
        &self,
        id: &str,
        accounts: &BTreeSet<String>,
    ) -> impl Future<Output = Result<(), CloudError>> + Send;

    /// Returns the organizations and units whose accounts may launch an image (`ec2:DescribeImageAttribute`).
    fn image_organizations(
        &self,
        id: &str,
    ) -> impl Future<Output = Result<BTreeSet<String>, CloudError>> + Send;

    /// Lets the accounts of organizations and units launch an image (`ec2:ModifyImageAttribute`).
    fn share_image_with_organizations(
        &self,
        id: &str,
        arns: &BTreeSet<String>,
    ) -> impl Future<Output = Result<(), CloudError>> + Send;

    /// Returns a key (`kms:DescribeKey`), with its policy where that may be read (`kms:GetKeyPolicy`).
    fn key(&self, id: &str) -> impl Future<Output = Result<Option<CloudKey>, CloudError>> + Send;

    /// Says from when on an image is deprecated (`ec2:EnableImageDeprecation`).
    fn deprecate_image(&self, id: &str, at: Timestamp)
    -> impl Future<Output = Result<(), CloudError>> + Send;

    /// Keeps an image from being deregistered (`ec2:EnableImageDeregistrationProtection`).
    fn protect_image(
        &self,
        id: &str,
        protection: Protection,
    ) -> impl Future<Output = Result<(), CloudError>> + Send;

    /// Gives an image a watermark of the account (`ec2:AttachImageWatermark`).
    fn watermark_image(&self, id: &str, name: &str) -> impl Future<Output = Result<(), CloudError>> + Send;

    /// Returns the tag policy that holds for the account, as JSON (`organizations:DescribeEffectivePolicy`); none when it is in
    /// no organization, or in one that has none.
    fn tag_policy(&self) -> impl Future<Output = Result<Option<String>, CloudError>> + Send;

    /// Returns how many images the account may have (`servicequotas:GetServiceQuota`).
    fn image_quota(&self) -> impl Future<Output = Result<u64, CloudError>> + Send;

    /// Returns how many images the account has (`ec2:DescribeImages`).
    fn image_count(&self) -> impl Future<Output = Result<u64, CloudError>> + Send;
}

/// A request failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{operation} in {region} failed: {}{message}{}", code_of(.code.as_ref()), id_of(.request_id.as_ref()))]
pub struct CloudError {
    /// Service and operation, as policies name them: `ec2:RegisterImage`.
    pub operation: &'static str,
    /// The region.
    pub region: String,
    /// What kind of failure it is.
    pub class: CloudErrorClass,
    /// The service's code, if it answered.
    pub code: Option<String>,
    /// What the service, or the connection, says.
    pub message: String,
    /// The id of the request, for AWS's support.
    pub request_id: Option<String>,
}

fn code_of(code: Option<&String>) -> String {
    code.map(|code| format!("{code}: ")).unwrap_or_default()
}

fn id_of(id: Option<&String>) -> String {
    id.map(|id| format!(" (request {id})")).unwrap_or_default()
}

/// What a failure asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloudErrorClass {
    /// Too many requests: slower, then again.
    Throttled,
    /// The service or the connection failed: again.
    Transient,
    /// What the request names is not there, or not yet.
    NotFound,
    /// A name or a token is taken.
    Conflict,
    /// The caller may not: nothing helps but rights.
    Denied,
    /// The request cannot succeed.
    Invalid,
}

/// An image as the cloud describes it.
#[expect(clippy::struct_excessive_bools, reason = "what the cloud tells of it, each by itself")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CloudImage {
    /// `ami-…`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `available`, `pending`, `failed` and so on.
    pub state: String,
    /// `x86_64` or `arm64`.
    pub architecture: String,
    /// `hvm`.
    pub virtualization: String,
    /// `uefi`, `uefi-preferred` or `legacy-bios`.
    pub boot_mode: Option<String>,
    /// Enhanced networking.
    pub has_ena: bool,
    /// `v2.0` where instances need tokens for their metadata.
    pub imds_support: Option<String>,
    /// What AWS bills: `Linux/UNIX`.
    pub platform_details: Option<String>,
    /// `/dev/xvda`.
    pub root_device: Option<String>,
    /// The snapshot of the root device.
    pub snapshot_id: Option<String>,
    /// The snapshots of all devices.
    pub snapshot_ids: BTreeSet<String>,
    /// From when on it is deprecated.
    pub deprecated_at: Option<Timestamp>,
    /// What keeps it from being deregistered.
    pub protection: Option<Protection>,
    /// The keys of its watermarks: `111122223333:golden`.
    pub watermarks: BTreeSet<String>,
    /// The size of the root volume in GiB.
    pub volume_gib: Option<u64>,
    /// The type of the root volume: `gp3`.
    pub volume_type: Option<String>,
    /// Whether the root volume goes with its instance.
    pub is_deleted_on_termination: bool,
    /// Whether one of its snapshots is encrypted.
    pub is_encrypted: bool,
    /// The account that it belongs to.
    pub owner: Option<String>,
    /// Whether everybody may launch it.
    pub is_public: bool,
    /// `ebs`, or `instance-store`.
    pub root_device_type: Option<String>,
    /// Whether it names the types of instances that it may be launched on.
    pub has_instance_types: bool,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// The codes of products of AWS Marketplace that it carries.
    pub product_codes: Vec<String>,
    /// Its tags.
    pub tags: Tags,
}

/// What keeps an image from being deregistered (`EnableImageDeregistrationProtection`); the later one is the stronger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Protection {
    /// Until it is disabled.
    WithoutCooldown,
    /// Until 24 hours after it is disabled.
    WithCooldown,
}

/// A snapshot as the cloud describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudSnapshot {
    /// `snap-…`.
    pub id: String,
    /// Where it is.
    pub state: SnapshotState,
    /// The size of its volume in GiB.
    pub volume_gib: u64,
    /// Whether it is encrypted.
    pub is_encrypted: bool,
    /// The ARN of the key that it is encrypted with.
    pub key: Option<String>,
    /// When it was begun.
    pub started: Timestamp,
    /// Its tags.
    pub tags: Tags,
}

/// Where a snapshot is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotState {
    /// It is written, or being made durable.
    Pending,
    /// It can be used.
    Completed,
    /// It failed, or its storage tier cannot be read.
    Unusable,
}

/// What a snapshot shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartSnapshot {
    /// The size of its volume in GiB.
    pub volume_gib: u64,
    /// The snapshot whose blocks it begins with.
    pub parent_id: Option<String>,
    /// The ARN of the key that it is encrypted with; one with a parent has the parent's.
    pub key: Option<String>,
    /// What people read.
    pub description: String,
    /// Asked again with the same one, nothing new is made.
    pub client_token: String,
    /// Its tags.
    pub tags: Tags,
    /// After how many minutes without a block the service gives it up (10 to 4320).
    pub timeout_minutes: u32,
}

/// A snapshot that takes blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartedSnapshot {
    /// `snap-…`.
    pub id: String,
    /// Bytes of a block.
    pub block_bytes: u64,
    /// Where it is: `Completed` when an earlier run had ended it.
    pub state: SnapshotState,
}

/// A block to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockData {
    /// Its 524,288 bytes.
    pub bytes: Bytes,
    /// Their SHA-256 in base64.
    pub checksum: String,
}

/// The end of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompleteSnapshot {
    /// `snap-…`.
    pub id: String,
    /// How many blocks were written.
    pub blocks: u64,
    /// The SHA-256, in base64, of the SHA-256 of all blocks that were written, in their order.
    pub checksum: String,
}

/// A page of a snapshot's blocks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// Indexes and the tokens to read them with, ascending.
    pub blocks: Vec<(u64, String)>,
    /// Bytes of a block.
    pub block_bytes: u64,
    /// The next page.
    pub next: Option<String>,
}

/// What an image shall be. Everything is said: the service's own defaults are of 2006.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisterImage {
    /// Its name, which no other image of the account has in the region.
    pub name: String,
    /// What people read.
    pub description: String,
    /// `x86_64` or `arm64`.
    pub architecture: &'static str,
    /// `uefi` or `uefi-preferred`.
    pub boot_mode: &'static str,
    /// `/dev/xvda`.
    pub root_device: &'static str,
    /// The snapshot of the root device.
    pub snapshot_id: String,
    /// The size of the root volume in GiB.
    pub volume_gib: u64,
    /// `gp3`.
    pub volume_type: &'static str,
    /// Its tags.
    pub tags: Tags,
}

/// A copy of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyImage {
    /// Its name, which no other image of the account has in the region.
    pub name: String,
    /// What people read.
    pub description: String,
    /// The region of the original.
    pub source_region: String,
    /// The original.
    pub source_image_id: String,
    /// Asked again with the same one, nothing new is made.
    pub client_token: String,
    /// Tags of image and snapshot.
    pub tags: Tags,
}
