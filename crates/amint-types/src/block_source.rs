//! Disks as rows of 512 KiB blocks.

use std::io;

/// A disk that can be read block by block, by several threads at once.
///
/// Blocks are [`BLOCK_BYTES`](crate::BLOCK_BYTES) long and aligned; the last one may be shorter. Raw files,
/// images of the store and, later, EBS snapshots are read this way.
pub trait BlockSource: Send + Sync {
    /// Returns the size of the disk in bytes.
    fn disk_bytes(&self) -> u64;

    /// Reads block `index` into `buffer` and returns how many bytes it has; `None` tells that the whole block
    /// is zero, with `buffer` left as it was.
    ///
    /// # Errors
    /// Fails when the block cannot be read, or does not match its digest.
    fn read_block(&self, index: u64, buffer: &mut [u8]) -> io::Result<Option<usize>>;

    /// Returns the number of blocks.
    fn block_count(&self) -> u64 {
        self.disk_bytes().div_ceil(crate::BLOCK_BYTES)
    }
}
