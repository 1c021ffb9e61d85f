//! The journal: one superblock that says there is nothing to replay.

use super::bytes::BLOCK_LENGTH;
use super::geometry::field;

const MAGIC: u32 = 0xc03b_3998;
const SUPERBLOCK_V2: u32 = 4;

/// Builds the first block of an empty journal; its fields are big-endian.
pub(super) fn superblock(journal_blocks: u64, uuid: uuid::Uuid) -> Vec<u8> {
    let mut block = vec![0; BLOCK_LENGTH];
    let mut put = |at: usize, value: u32| block[at..at + 4].copy_from_slice(&value.to_be_bytes());
    put(0, MAGIC);
    put(4, SUPERBLOCK_V2);
    put(12, 4096);
    put(16, field(journal_blocks));
    // First block of the log, and the number of the first transaction.
    put(20, 1);
    put(24, 1);
    // One file system uses it.
    put(64, 1);
    block[48..64].copy_from_slice(uuid.as_bytes());
    block
}
