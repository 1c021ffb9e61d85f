//! Images as the catalogue knows them, and what a put asks for and gives back.

use amint_types::{Architecture, Digest, ImageName, ImageRef, ImageVersion};
use jiff::Timestamp;
use serde::Serialize;

/// One row of the catalogue: two puts of one name and version are two rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ImageId(pub(crate) i64);

/// What the store knows about an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ImageRecord {
    /// The row, for the store itself.
    #[serde(skip)]
    pub id: ImageId,
    /// The name.
    pub name: ImageName,
    /// The version.
    pub version: ImageVersion,
    /// The digest of the manifest: two images with the same digest have the same bytes.
    pub digest: Digest,
    /// The architecture.
    pub architecture: Architecture,
    /// Size of the disk in bytes.
    pub disk_bytes: u64,
    /// Bytes of the blocks that are not zero.
    pub used_bytes: u64,
    /// When the image was made, as the put said.
    pub created_at: Timestamp,
    /// Whether another image has taken the name and version; gone with the next collection.
    pub replaced: bool,
}

impl ImageRecord {
    /// Returns `NAME:VERSION`.
    pub fn reference(&self) -> ImageRef {
        ImageRef { name: self.name.clone(), version: Some(self.version.clone()) }
    }
}

/// What to store an image as.
#[derive(Clone, Debug)]
pub struct PutRequest {
    /// The name.
    pub name: ImageName,
    /// The version.
    pub version: ImageVersion,
    /// The architecture.
    pub architecture: Architecture,
    /// When the image was made.
    pub created_at: Timestamp,
    /// Documents to keep beside it, by kind: `recipe`, `build-report`.
    pub documents: Vec<(String, Vec<u8>)>,
}

/// What a put did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stored {
    /// The image.
    pub record: ImageRecord,
    /// Whether the same bytes already had this name and version, so that only documents were stored.
    pub unchanged: bool,
    /// Blocks of the disk.
    pub blocks_total: u64,
    /// Blocks that are zero, and take no space.
    pub blocks_zero: u64,
    /// Blocks that were written.
    pub blocks_new: u64,
    /// Blocks that were there already, in another image or earlier on the same disk.
    pub blocks_reused: u64,
    /// Bytes of the blocks that were written.
    pub bytes_written: u64,
}
