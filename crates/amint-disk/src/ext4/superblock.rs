//! The superblock.
//!
//! Fields: <https://docs.kernel.org/filesystems/ext4/super.html>.

use super::bytes::{high_u32, low_u32, put_u16, put_u32};
use super::checksum;
use super::geometry::field;
use super::inode_table::{JOURNAL_NUMBER, journal_body};
use super::write::Image;

/// Place of the superblock in the first block.
pub(super) const OFFSET: usize = 1024;
/// Bytes of the superblock.
pub(super) const BYTES: usize = 1024;
const CHECKSUM_AT: usize = 0x3fc;
const MAGIC: u16 = 0xef53;

/// `has_journal`, `ext_attr`, `resize_inode`, `dir_index`.
const COMPATIBLE: u32 = 0x4 | 0x8 | 0x10 | 0x20;
/// `filetype`, `extent`, `64bit`, `flex_bg`.
const INCOMPATIBLE: u32 = 0x2 | 0x40 | 0x80 | 0x200;
/// `sparse_super`, `large_file`, `huge_file`, `dir_nlink`, `extra_isize`, `metadata_csum`.
const READ_ONLY_COMPATIBLE: u32 = 0x1 | 0x2 | 0x8 | 0x20 | 0x40 | 0x400;
/// `user_xattr` and `acl`.
const DEFAULT_MOUNT_OPTIONS: u32 = 0x4 | 0x8;
/// Percentage of blocks that only root may use, `mke2fs`'s default.
const RESERVED_PERCENT: u64 = 5;
const SIGNED_DIRECTORY_HASH: u32 = 1;

/// Counts that are known once all groups are worked out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Totals {
    pub(super) free_blocks: u64,
    pub(super) free_inodes: u64,
}

/// Builds the superblock as it stands in a group.
pub(super) fn build(image: &Image<'_>, totals: Totals, group: u64) -> Vec<u8> {
    let mut record = vec![0; BYTES];
    put_counts(&mut record, image, totals);
    put_features(&mut record, image);
    put_times(&mut record, image.options.epoch);
    put_journal(&mut record, image);
    let group = u16::try_from(group).unwrap_or(u16::MAX);
    put_u16(&mut record, 0x5a, group);
    let sum = checksum::of(&record[..CHECKSUM_AT]);
    put_u32(&mut record, CHECKSUM_AT, sum);
    record
}

fn put_counts(record: &mut [u8], image: &Image<'_>, totals: Totals) {
    let geometry = &image.plan.geometry;
    put_u32(record, 0x00, field(geometry.inodes()));
    put_u32(record, 0x04, field(geometry.blocks));
    put_u32(record, 0x08, field(geometry.blocks * RESERVED_PERCENT / 100));
    put_u32(record, 0x0c, field(totals.free_blocks));
    put_u32(record, 0x10, field(totals.free_inodes));
    // Block and cluster size as a power of two above 1 KiB.
    put_u32(record, 0x18, 2);
    put_u32(record, 0x1c, 2);
    put_u32(record, 0x20, 32768);
    put_u32(record, 0x24, 32768);
    put_u32(record, 0x28, field(geometry.inodes_per_group));
    put_u16(record, 0xce, super::bytes::low_u16(field(geometry.reserved_descriptor_blocks)));
    put_u32(record, 0x248, field(geometry.overhead_blocks() + image.plan.journal_blocks));
}

fn put_features(record: &mut [u8], image: &Image<'_>) {
    // Never mounted, no limit to the number of mounts, clean, continue on errors.
    put_u16(record, 0x36, u16::MAX);
    put_u16(record, 0x38, MAGIC);
    put_u16(record, 0x3a, 1);
    put_u16(record, 0x3c, 1);
    put_u32(record, 0x4c, 1);
    put_u32(record, 0x54, super::model::FIRST_INODE);
    put_u16(record, 0x58, 256);
    put_u32(record, 0x5c, COMPATIBLE);
    put_u32(record, 0x60, INCOMPATIBLE);
    put_u32(record, 0x64, READ_ONLY_COMPATIBLE);
    record[0x68..0x78].copy_from_slice(image.options.uuid.as_bytes());
    let label = image.options.label.as_bytes();
    record[0x78..0x78 + label.len()].copy_from_slice(label);
    record[0xec..0xfc].copy_from_slice(image.options.hash_seed.as_bytes());
    // Half MD4.
    record[0xfc] = 1;
    put_u16(record, 0xfe, 64);
    put_u32(record, 0x100, DEFAULT_MOUNT_OPTIONS);
    // Least and wanted bytes of the fields behind the first 128 of an inode.
    put_u16(record, 0x15c, 32);
    put_u16(record, 0x15e, 32);
    put_u32(record, 0x160, SIGNED_DIRECTORY_HASH);
    // 2^4 groups keep their tables together; checksums are CRC-32C.
    record[0x174] = 4;
    record[0x175] = 1;
}

/// Stores the times of writing, making and checking; it was never mounted.
fn put_times(record: &mut [u8], epoch: i64) {
    let seconds = epoch.clamp(0, (1 << 40) - 1).cast_unsigned();
    let [high, ..] = high_u32(seconds).to_le_bytes();
    for (at, high_at) in [(0x30, 0x274), (0x40, 0x277), (0x108, 0x276)] {
        put_u32(record, at, low_u32(seconds));
        record[high_at] = high;
    }
}

/// Names the journal's inode and keeps a copy of its block map, for when the inode is damaged.
fn put_journal(record: &mut [u8], image: &Image<'_>) {
    let bytes = image.plan.journal_blocks * super::bytes::BLOCK_BYTES;
    put_u32(record, 0xe0, JOURNAL_NUMBER);
    record[0xfd] = 1;
    let backup = 0x10c;
    record[backup..backup + 60].copy_from_slice(&journal_body(image));
    put_u32(record, backup + 60, high_u32(bytes));
    put_u32(record, backup + 64, low_u32(bytes));
}
