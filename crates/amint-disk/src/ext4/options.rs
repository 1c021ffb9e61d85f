//! What the caller chooses, and what it is told afterwards.

use super::Ext4Error;
use super::bytes::BLOCK_BYTES;

/// Bytes of the longest label.
const LABEL_BYTES_MAX: usize = 16;
/// The largest file system; up to here the classic block group descriptors still have room to grow.
pub(super) const BYTES_MAX: u64 = 4 << 40;

/// What the caller decides about a file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ext4Options {
    /// Size of the file system in bytes, a multiple of 4096.
    pub bytes: u64,
    /// UUID of the file system; it also seeds all checksums.
    pub uuid: uuid::Uuid,
    /// Label, at most 16 bytes; may be empty.
    pub label: String,
    /// Seed of the directories' hash trees.
    pub hash_seed: uuid::Uuid,
    /// Seconds since 1970: every `mtime` is clamped to it, every other time stamp is it.
    pub epoch: i64,
}

impl Ext4Options {
    /// Refuses what no file system can have.
    pub(super) fn check(&self) -> Result<(), Ext4Error> {
        if self.label.len() > LABEL_BYTES_MAX || self.label.contains('\0') {
            return Err(Ext4Error::InvalidLabel { label: self.label.clone() });
        }
        if !self.bytes.is_multiple_of(BLOCK_BYTES) || self.bytes > BYTES_MAX {
            return Err(Ext4Error::InvalidSize { bytes: self.bytes });
        }
        Ok(())
    }
}

/// What a written file system holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ext4Summary {
    /// Regular files; one with several names counts once.
    pub files: u64,
    /// Directories, with the root and `lost+found`.
    pub directories: u64,
    /// Symbolic links.
    pub symlinks: u64,
    /// Device nodes and named pipes.
    pub special_files: u64,
    /// Sockets that were left out.
    pub sockets_skipped: u64,
    /// Extended attributes that were left out, because ext4 has no place for their kind.
    pub attributes_skipped: u64,
    /// Bytes of all blocks in use: data, directories, inode tables, journal and all other overhead.
    pub used_bytes: u64,
    /// Bytes of all free blocks, with those reserved for root.
    pub free_bytes: u64,
    /// Blocks of the journal in bytes.
    pub journal_bytes: u64,
    /// Inodes that are not in use.
    pub free_inodes: u64,
}
