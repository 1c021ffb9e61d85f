//! Manifests: which block lies where on a disk.
//!
//! A manifest is stored as its canonical encoding, and the image's digest is the SHA-256 of those bytes, so that
//! `sha256sum ROOT/manifests/*` checks all manifests. All numbers are little-endian:
//!
//! | offset | bytes | what |
//! |---|---|---|
//! | 0 | 8 | magic: `AMINTMF` and a zero byte |
//! | 8 | 4 | format version: 1 |
//! | 12 | 4 | block size: 524288 |
//! | 16 | 8 | size of the disk in bytes |
//! | 24 | 32 × blocks | SHA-256 of each block in order; 32 zero bytes for a block that is zero throughout |
//!
//! The last block of a disk that is no multiple of the block size is hashed as it is, without padding.

use amint_types::{BLOCK_BYTES, BlockSource, Cancel, Digest};

use crate::error::StoreError;
use crate::parallel::each_block;

/// The version of the encoding that this crate writes.
pub const MANIFEST_FORMAT_VERSION: u32 = 1;
/// The largest disk: 64 TiB, the largest volume of EBS.
pub const DISK_BYTES_MAX: u64 = 64 << 40;

const MAGIC: [u8; 8] = *b"AMINTMF\0";
const HEADER_BYTES: usize = 24;
const DIGEST_BYTES: usize = 32;
const ZERO_BLOCK: [u8; DIGEST_BYTES] = [0; DIGEST_BYTES];
/// The longest manifest there can be.
pub(crate) const MANIFEST_BYTES_MAX: u64 =
    HEADER_BYTES as u64 + DISK_BYTES_MAX / BLOCK_BYTES * DIGEST_BYTES as u64;

/// The blocks of a disk, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    disk_bytes: u64,
    blocks: Vec<Option<Digest>>,
}

/// Bytes are no manifest, or a disk cannot have one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The bytes do not start like a manifest.
    #[error("it is no manifest")]
    Magic,
    /// The manifest was written by a newer version of amint.
    #[error("it has format version {found}, this amint knows {MANIFEST_FORMAT_VERSION}")]
    Newer {
        /// Its version.
        found: u32,
    },
    /// The block size is not the one of the store.
    #[error("it has blocks of {found} bytes instead of {BLOCK_BYTES}")]
    BlockBytes {
        /// Its block size.
        found: u32,
    },
    /// The disk has no bytes at all.
    #[error("the disk is empty")]
    Empty,
    /// The disk is larger than any volume.
    #[error("the disk has {found} bytes, the most are {DISK_BYTES_MAX} (64 TiB)")]
    DiskBytes {
        /// Its size.
        found: u64,
    },
    /// The number of digests does not fit the size of the disk, or the file was cut.
    #[error("it has {found} bytes instead of {expected}")]
    Length {
        /// How many bytes there are.
        found: u64,
        /// How many there must be.
        expected: u64,
    },
    /// The bytes do not have the digest that they are stored under.
    #[error("its digest is {found}")]
    Digest {
        /// The digest of the bytes.
        found: Digest,
    },
}

impl Manifest {
    /// Makes a manifest of a disk.
    pub fn new(disk_bytes: u64, blocks: Vec<Option<Digest>>) -> Result<Self, ManifestError> {
        check_disk_bytes(disk_bytes)?;
        let expected = encoded_bytes(disk_bytes);
        let found = HEADER_BYTES as u64 + blocks.len() as u64 * DIGEST_BYTES as u64;
        if found != expected {
            return Err(ManifestError::Length { found, expected });
        }
        Ok(Self { disk_bytes, blocks })
    }

    /// Reads the canonical encoding.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ManifestError> {
        let header = bytes.get(..HEADER_BYTES).ok_or(ManifestError::Magic)?;
        let number =
            |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        if header[..8] != MAGIC {
            return Err(ManifestError::Magic);
        }
        match number(8) {
            0 => return Err(ManifestError::Magic),
            MANIFEST_FORMAT_VERSION => {}
            found => return Err(ManifestError::Newer { found }),
        }
        if u64::from(number(12)) != BLOCK_BYTES {
            return Err(ManifestError::BlockBytes { found: number(12) });
        }
        let disk_bytes = u64::from(number(16)) | u64::from(number(20)) << 32;
        check_disk_bytes(disk_bytes)?;
        let (found, expected) = (bytes.len() as u64, encoded_bytes(disk_bytes));
        if found != expected {
            return Err(ManifestError::Length { found, expected });
        }
        let (digests, _) = bytes[HEADER_BYTES..].as_chunks::<DIGEST_BYTES>();
        let blocks = digests.iter().map(|bytes| (*bytes != ZERO_BLOCK).then(|| Digest::from_bytes(*bytes)));
        Ok(Self { disk_bytes, blocks: blocks.collect() })
    }

    /// Returns the canonical encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES + self.blocks.len() * DIGEST_BYTES);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&MANIFEST_FORMAT_VERSION.to_le_bytes());
        bytes.extend_from_slice(&self.block_bytes().to_le_bytes());
        bytes.extend_from_slice(&self.disk_bytes.to_le_bytes());
        for block in &self.blocks {
            bytes.extend_from_slice(block.as_ref().map_or(&ZERO_BLOCK[..], |digest| digest.as_bytes()));
        }
        bytes
    }

    /// Computes the image's digest: the SHA-256 of the canonical encoding.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.to_bytes())
    }

    /// Returns the version of the encoding.
    pub fn format_version(&self) -> u32 {
        MANIFEST_FORMAT_VERSION
    }

    /// Returns the size of a block in bytes.
    #[expect(clippy::cast_possible_truncation, reason = "512 KiB fit into 32 bits")]
    pub fn block_bytes(&self) -> u32 {
        BLOCK_BYTES as u32
    }

    /// Returns the size of the disk in bytes.
    pub fn disk_bytes(&self) -> u64 {
        self.disk_bytes
    }

    /// Returns the digest of each block in order; none for a block that is zero throughout.
    pub fn blocks(&self) -> &[Option<Digest>] {
        &self.blocks
    }

    /// Returns the digest of one block: `None` beyond the end, `Some(None)` when it is zero.
    pub(crate) fn block(&self, index: u64) -> Option<&Option<Digest>> {
        self.blocks.get(usize::try_from(index).ok()?)
    }

    /// Returns the size of block `index`: the last one may be shorter.
    pub(crate) fn bytes_of(&self, index: u64) -> usize {
        bytes_of(self.disk_bytes, index)
    }

    /// Returns each block that is not zero: its place, digest and size.
    pub(crate) fn used(&self) -> impl Iterator<Item = (u64, Digest, usize)> {
        (0..).zip(&self.blocks).filter_map(|(index, block)| Some((index, (*block)?, self.bytes_of(index))))
    }

    /// Adds up the sizes of the blocks that are not zero.
    pub(crate) fn used_bytes(&self) -> u64 {
        self.used().map(|(_, _, bytes)| bytes as u64).sum()
    }
}

/// Returns the size of block `index` of a disk.
pub(crate) fn bytes_of(disk_bytes: u64, index: u64) -> usize {
    disk_bytes.saturating_sub(index.saturating_mul(BLOCK_BYTES)).min(BLOCK_BYTES) as usize
}

/// Tells whether a disk of this size can be stored.
pub(crate) fn check_disk_bytes(disk_bytes: u64) -> Result<(), ManifestError> {
    match disk_bytes {
        0 => Err(ManifestError::Empty),
        1..=DISK_BYTES_MAX => Ok(()),
        found => Err(ManifestError::DiskBytes { found }),
    }
}

fn encoded_bytes(disk_bytes: u64) -> u64 {
    HEADER_BYTES as u64 + disk_bytes.div_ceil(BLOCK_BYTES) * DIGEST_BYTES as u64
}

/// Computes the manifest of a disk without storing it.
pub fn manifest_of(source: &dyn BlockSource, cancel: &Cancel) -> Result<Manifest, StoreError> {
    check_disk_bytes(source.disk_bytes()).map_err(|source| StoreError::Disk { source })?;
    let blocks = each_block(source, &|_, _| {}, cancel, &|bytes| Ok(Digest::of(bytes)))?;
    Manifest::new(source.disk_bytes(), blocks).map_err(|source| StoreError::Disk { source })
}
