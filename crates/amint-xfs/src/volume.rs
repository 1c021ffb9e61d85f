//! An open file system as its parts see it: the disk and the superblock.

use amint_fs::FsError;

use crate::disk::Disk;
use crate::header::Origin;
use crate::superblock::Superblock;

/// The disk and what the superblock says of it.
pub(crate) struct Volume {
    pub(crate) disk: Disk,
    pub(crate) superblock: Superblock,
    /// Whether the journal moved trees from one inode to another, so that owners in their blocks may not fit.
    pub(crate) has_moved_owners: bool,
}

impl Volume {
    /// Returns the bytes of one block.
    pub(crate) fn block_bytes(&self) -> usize {
        // At most 64 KiB, as the superblock was checked.
        usize::try_from(self.superblock.block_bytes).unwrap_or(0)
    }

    /// Reads metadata and tells where it came from.
    pub(crate) fn metadata(
        &self,
        offset: u64,
        bytes: usize,
        owner: u64,
    ) -> Result<(Vec<u8>, Origin), FsError> {
        let block = self.disk.metadata(offset, bytes)?;
        Ok((block, Origin { offset, is_replayed: self.disk.is_replayed(offset, bytes), owner }))
    }
}
