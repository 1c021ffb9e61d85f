//! Groups of blocks: their descriptors (`Documentation/filesystems/ext4/group_descr.rst`).

use amint_fs::FsError;

use crate::bytes::{Fields, join, join_small};
use crate::checksum;
use crate::error::{bad_checksum, damaged};
use crate::feature::incompatible;
use crate::superblock::Superblock;
use crate::volume::Volume;

/// The inode bitmap was never written.
const INODE_UNINIT: u16 = 0x1;
/// The block bitmap was never written.
const BLOCK_UNINIT: u16 = 0x2;
/// Where a descriptor keeps its checksum.
const CHECKSUM_OFFSET: usize = 0x1E;
/// From this size on a descriptor has the upper halves of numbers.
const BYTES_WITH_UPPER_HALVES: usize = 64;

/// Where the parts of a group are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group {
    pub(crate) block_bitmap: u64,
    pub(crate) inode_bitmap: u64,
    pub(crate) inode_table: u64,
    /// Inodes at the end of the table that were never written.
    pub(crate) unused_inodes: u32,
    /// The block bitmap was never written and is to be computed.
    pub(crate) has_no_block_bitmap: bool,
    /// Neither were the inode bitmap and the inodes.
    pub(crate) has_no_inodes: bool,
    pub(crate) block_bitmap_checksum: (u16, Option<u16>),
}

impl Group {
    /// Reads the descriptor of a group.
    pub(crate) fn read(volume: &Volume, number: u64) -> Result<Self, FsError> {
        let superblock = &volume.superblock;
        if number >= superblock.group_count {
            return Err(damaged(format!("group {number}, which does not exist")));
        }
        let per_block = superblock.block_bytes / superblock.descriptor_bytes;
        let block = descriptor_block(superblock, number / per_block);
        superblock.check_blocks(block, 1)?;
        let offset = block * superblock.block_bytes + number % per_block * superblock.descriptor_bytes;
        let bytes = volume.metadata(offset, superblock.descriptor_bytes)?;
        verify(superblock, number, &bytes)?;
        Self::parse(superblock, &bytes)
    }

    fn parse(superblock: &Superblock, bytes: &[u8]) -> Result<Self, FsError> {
        let fields = Fields::new(bytes, "a group descriptor");
        let is_wide = bytes.len() >= BYTES_WITH_UPPER_HALVES;
        let number = |low, high| -> Result<u64, FsError> {
            Ok(join(fields.u32(low)?, if is_wide { fields.u32(high)? } else { 0 }))
        };
        let flags = if superblock.features.has_group_checksums() { fields.u16(0x12)? } else { 0 };
        let unused = join_small(fields.u16(0x1C)?, if is_wide { fields.u16(0x32)? } else { 0 });
        Ok(Self {
            block_bitmap: number(0, 0x20)?,
            inode_bitmap: number(0x4, 0x24)?,
            inode_table: number(0x8, 0x28)?,
            unused_inodes: if superblock.features.has_group_checksums() { unused } else { 0 },
            has_no_block_bitmap: flags & BLOCK_UNINIT != 0,
            has_no_inodes: flags & INODE_UNINIT != 0,
            block_bitmap_checksum: (fields.u16(0x18)?, is_wide.then(|| fields.u16(0x38)).transpose()?),
        })
    }
}

/// Returns which block holds a block of descriptors.
fn descriptor_block(superblock: &Superblock, number: u64) -> u64 {
    let superblock_block = u64::from(superblock.block_bytes == 1024);
    if !superblock.features.has_incompatible(incompatible::META_BG) || number < superblock.first_meta_group {
        return superblock_block.saturating_add(1).saturating_add(number);
    }
    let group = number.saturating_mul(superblock.block_bytes / superblock.descriptor_bytes);
    let mut skipped = u64::from(superblock.has_superblock(group));
    // Block 0 then holds what precedes the superblock.
    if superblock.block_bytes == 1024 && number == 0 && superblock.first_data_block == 0 {
        skipped += 1;
    }
    group
        .saturating_mul(superblock.blocks_per_group)
        .saturating_add(superblock.first_data_block)
        .saturating_add(skipped)
}

/// Verifies the checksum of a descriptor.
fn verify(superblock: &Superblock, number: u64, bytes: &[u8]) -> Result<(), FsError> {
    if !superblock.features.has_group_checksums() {
        return Ok(());
    }
    let kept = Fields::new(bytes, "a group descriptor").u16(CHECKSUM_OFFSET)?;
    // Numbers of groups have 32 bits wherever there are checksums.
    let number_bytes = u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes();
    let fits = if superblock.has_metadata_checksums() {
        let seed = checksum::extend(superblock.checksum_seed, &number_bytes);
        checksum::fits_halves(checksum::extend_around(seed, bytes, CHECKSUM_OFFSET, 2), kept, None)
    } else {
        let seed = checksum::extend_16(checksum::extend_16(!0, &superblock.uuid), &number_bytes);
        let (head, tail) = bytes.split_at(CHECKSUM_OFFSET.min(bytes.len()));
        checksum::extend_16(checksum::extend_16(seed, head), tail.get(2..).unwrap_or_default()) == kept
    };
    if fits { Ok(()) } else { Err(bad_checksum(format!("the descriptor of group {number}"))) }
}
