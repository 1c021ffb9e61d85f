//! Free space: what the block bitmaps say (`Documentation/filesystems/ext4/bitmaps.rst`).

use std::ops::{ControlFlow, Range};

use amint_fs::FsError;

use crate::bytes::index;
use crate::checksum;
use crate::error::bad_checksum;
use crate::feature::incompatible;
use crate::group::Group;
use crate::superblock::Superblock;
use crate::volume::Volume;

/// Visits the free ranges of bytes, in order, merged.
pub(crate) fn ranges(
    volume: &Volume,
    visit: &mut dyn FnMut(Range<u64>) -> ControlFlow<()>,
) -> Result<(), FsError> {
    let block_bytes = volume.superblock.block_bytes;
    let mut pending: Option<Range<u64>> = None;
    for number in 0..volume.superblock.group_count {
        let group = Blocks::of(&volume.superblock, number);
        let bitmap = bitmap(volume, &group)?;
        for free in group.free(&bitmap) {
            match &mut pending {
                Some(last) if last.end == free.start => last.end = free.end,
                _ => {
                    if let Some(last) = pending.replace(free)
                        && visit(last.start * block_bytes..last.end * block_bytes).is_break()
                    {
                        return Ok(());
                    }
                }
            }
        }
    }
    if let Some(last) = pending {
        let _ = visit(last.start * block_bytes..last.end * block_bytes);
    }
    Ok(())
}

/// The blocks of one group.
#[derive(Clone, Debug)]
struct Blocks {
    number: u64,
    range: Range<u64>,
    per_cluster: u64,
}

impl Blocks {
    fn of(superblock: &Superblock, number: u64) -> Self {
        let start = superblock.first_data_block + number * superblock.blocks_per_group;
        let end = (start + superblock.blocks_per_group).min(superblock.block_count);
        Self { number, range: start..end, per_cluster: superblock.blocks_per_cluster }
    }

    /// Turns clear bits into ranges of blocks.
    fn free<'b>(&'b self, bitmap: &'b [u8]) -> impl Iterator<Item = Range<u64>> + 'b {
        let bits = (self.range.end - self.range.start).div_ceil(self.per_cluster);
        let mut bit = 0;
        std::iter::from_fn(move || {
            let start = next(bitmap, bit, bits, false);
            bit = next(bitmap, start, bits, true);
            let block = |bit: u64| (self.range.start + bit * self.per_cluster).min(self.range.end);
            (start < bits).then(|| block(start)..block(bit))
        })
    }

    /// Marks those of `count` blocks from `first` on that are in this group.
    fn mark(&self, bitmap: &mut [u8], first: u64, count: u64) {
        let (from, to) = (first.max(self.range.start), first.saturating_add(count).min(self.range.end));
        for block in from..to {
            let bit = (block - self.range.start) / self.per_cluster;
            if let Some(byte) = usize::try_from(bit / 8).ok().and_then(|at| bitmap.get_mut(at)) {
                *byte |= 1 << (bit % 8);
            }
        }
    }
}

/// Returns the first bit from `bit` on that is as asked, or `bits`; what lies behind the bitmap is in use.
fn next(bitmap: &[u8], mut bit: u64, bits: u64, is_set: bool) -> u64 {
    let skipped = if is_set { 0 } else { 0xFF };
    while bit < bits {
        let byte = usize::try_from(bit / 8).ok().and_then(|at| bitmap.get(at)).copied().unwrap_or(0xFF);
        if byte == skipped && bit.is_multiple_of(8) {
            bit += 8;
        } else if (byte >> (bit % 8) & 1 != 0) == is_set {
            return bit;
        } else {
            bit += 1;
        }
    }
    bits
}

/// Returns the block bitmap of a group, read or computed.
fn bitmap(volume: &Volume, blocks: &Blocks) -> Result<Vec<u8>, FsError> {
    let superblock = &volume.superblock;
    let group = Group::read(volume, blocks.number)?;
    let bitmap_bytes = index((superblock.blocks_per_group / superblock.blocks_per_cluster).div_ceil(8))?;
    if group.has_no_block_bitmap {
        return Ok(computed(superblock, blocks, &group, bitmap_bytes));
    }
    let block = volume.block(group.block_bitmap)?;
    let bitmap = block.get(..bitmap_bytes).unwrap_or(&block);
    if superblock.has_metadata_checksums() {
        let (low, high) = group.block_bitmap_checksum;
        // Only whole bytes are covered, as in the kernel.
        let covered = index(superblock.blocks_per_group / superblock.blocks_per_cluster / 8)?;
        let sum = checksum::extend(superblock.checksum_seed, bitmap.get(..covered).unwrap_or(bitmap));
        if !checksum::fits_halves(sum, low, high) {
            return Err(bad_checksum(format!("the block bitmap of group {}", blocks.number)));
        }
    }
    Ok(bitmap.to_vec())
}

/// Computes the bitmap of a group that nothing was ever written to: only its own metadata is in use.
fn computed(superblock: &Superblock, blocks: &Blocks, group: &Group, bitmap_bytes: usize) -> Vec<u8> {
    let mut bitmap = vec![0; bitmap_bytes];
    blocks.mark(&mut bitmap, blocks.range.start, base_blocks(superblock, blocks.number));
    blocks.mark(&mut bitmap, group.block_bitmap, 1);
    blocks.mark(&mut bitmap, group.inode_bitmap, 1);
    let table_bytes = u64::from(superblock.inodes_per_group) * superblock.inode_bytes;
    blocks.mark(&mut bitmap, group.inode_table, table_bytes.div_ceil(superblock.block_bytes));
    bitmap
}

/// Returns how many blocks at the beginning of a group hold copies of the superblock and of descriptors.
fn base_blocks(superblock: &Superblock, group: u64) -> u64 {
    let per_block = superblock.block_bytes / superblock.descriptor_bytes;
    let copies = u64::from(superblock.has_superblock(group));
    let is_meta = superblock.features.has_incompatible(incompatible::META_BG);
    if is_meta && group / per_block >= superblock.first_meta_group {
        let within = group % per_block;
        return copies + u64::from(within <= 1 || within == per_block - 1);
    }
    if copies == 0 {
        return 0;
    }
    let descriptor_blocks =
        if is_meta { superblock.first_meta_group } else { superblock.group_count.div_ceil(per_block) };
    copies + descriptor_blocks + superblock.reserved_descriptor_blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clear_bits_are_free_up_to_the_end_of_the_group() {
        let blocks = Blocks { number: 0, range: 100..129, per_cluster: 1 };
        let pairs = |blocks: &Blocks, bitmap: &[u8]| {
            blocks.free(bitmap).map(|range| (range.start, range.end)).collect::<Vec<_>>()
        };
        let free = |bitmap: &[u8]| pairs(&blocks, bitmap);
        assert_eq!(free(&[0x0F, 0xFF, 0x00, 0x00]), [(104, 108), (116, 129)]);
        assert_eq!(free(&[0xFF; 4]), []);
        assert_eq!(free(&[0, 0]), [(100, 116)]);
        let clusters = Blocks { per_cluster: 16, ..blocks.clone() };
        assert_eq!(pairs(&clusters, &[0b01]), [(116, 129)]);
    }
}
