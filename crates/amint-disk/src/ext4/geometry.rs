//! Where the tables of the file system go: groups, bitmaps, inode tables.
//!
//! Follows `mke2fs`: groups of 128 MiB, the tables of 16 groups together in the first of them
//! (`flex_bg`), backups of superblock and descriptors in groups 1 and the powers of 3, 5 and 7, and room
//! for the descriptors of a file system 1024 times as large.

use std::collections::BTreeMap;
use std::ops::Range;

use super::Ext4Error;
use super::bytes::BLOCK_BYTES;

/// Blocks of a group: as many as one block of bitmap has bits.
pub(super) const GROUP_BLOCKS: u64 = 32768;
/// Groups whose tables lie together.
const FLEX_GROUPS: u64 = 16;
/// Bytes of one inode.
pub(super) const INODE_BYTES: u64 = 256;
const INODES_PER_BLOCK: u64 = BLOCK_BYTES / INODE_BYTES;
/// Bytes of the file system per inode, `mke2fs`'s default.
const BYTES_PER_INODE: u64 = 16384;
/// Inodes of a group: as many as one block of bitmap has bits.
const GROUP_INODES_MAX: u64 = 32768;
/// Group descriptors in one block.
const DESCRIPTORS_PER_BLOCK: u64 = 64;
/// Block pointers in one block, which bounds what the resize inode can reserve.
pub(super) const POINTERS_PER_BLOCK: u64 = 1024;
/// How many times the file system may grow.
const GROWTH_MAX: u64 = 1024;
/// A last group with less room than this beside its tables is not worth having, as `mke2fs` sees it.
const LAST_GROUP_BLOCKS_MIN: u64 = 50;
/// Blocks of the smallest file system: the smallest with a journal.
pub(super) const BLOCKS_MIN: u64 = 2048;

/// The places of one group's tables.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct GroupTables {
    pub(super) block_bitmap: u64,
    pub(super) inode_bitmap: u64,
    pub(super) inode_table: u64,
}

/// The shape of a file system.
#[derive(Debug)]
pub(super) struct Geometry {
    pub(super) blocks: u64,
    pub(super) groups: u64,
    pub(super) inodes_per_group: u64,
    pub(super) descriptor_blocks: u64,
    pub(super) reserved_descriptor_blocks: u64,
    /// One for each group.
    pub(super) tables: Vec<GroupTables>,
    /// All blocks of backups, descriptors and tables: start to end.
    used: BTreeMap<u64, u64>,
}

/// Plans the tables of a file system of a size, with room for so many inodes.
pub(super) fn plan_geometry(bytes: u64, inodes_used: u64) -> Result<Geometry, Ext4Error> {
    let too_small = |needed_bytes| Ext4Error::TooSmall { needed_bytes, available_bytes: bytes };
    let mut blocks = bytes / BLOCK_BYTES;
    if blocks < BLOCKS_MIN {
        return Err(too_small(BLOCKS_MIN * BLOCK_BYTES));
    }
    // A quarter more than needed, so that the running system can make files, if the groups can hold it.
    let inodes_max = blocks.div_ceil(GROUP_BLOCKS) * GROUP_INODES_MAX;
    let inodes_wanted = (inodes_used + inodes_used / 4).min(inodes_max).max(inodes_used);
    let inodes = inodes_wanted.max(bytes / BYTES_PER_INODE);
    let mut geometry = Geometry {
        blocks,
        groups: blocks.div_ceil(GROUP_BLOCKS),
        inodes_per_group: 0,
        descriptor_blocks: 0,
        reserved_descriptor_blocks: 0,
        tables: Vec::new(),
        used: BTreeMap::new(),
    };
    geometry.set_counts(blocks, inodes);
    let last = geometry.groups - 1;
    let last_blocks = blocks - last * GROUP_BLOCKS;
    let last_overhead = geometry.base_blocks(last) + 2 + geometry.inode_table_blocks();
    if last > 0 && last_blocks < last_overhead + LAST_GROUP_BLOCKS_MIN {
        blocks -= last_blocks;
        geometry.set_counts(blocks, inodes);
    }
    if geometry.inodes_per_group > GROUP_INODES_MAX {
        return Err(too_small(inodes.div_ceil(GROUP_INODES_MAX) * GROUP_BLOCKS * BLOCK_BYTES));
    }
    let tables_bytes = geometry.inode_table_blocks() * geometry.groups * BLOCK_BYTES;
    geometry.place_tables().ok_or_else(|| too_small(bytes.max(tables_bytes) + BLOCKS_MIN * BLOCK_BYTES))?;
    Ok(geometry)
}

impl Geometry {
    fn set_counts(&mut self, blocks: u64, inodes: u64) {
        self.blocks = blocks;
        self.groups = blocks.div_ceil(GROUP_BLOCKS);
        self.inodes_per_group = inodes.div_ceil(self.groups).next_multiple_of(INODES_PER_BLOCK);
        self.descriptor_blocks = self.groups.div_ceil(DESCRIPTORS_PER_BLOCK);
        let blocks_grown = blocks.saturating_mul(GROWTH_MAX).min(u64::from(u32::MAX));
        let descriptor_blocks_grown =
            blocks_grown.div_ceil(GROUP_BLOCKS).div_ceil(DESCRIPTORS_PER_BLOCK).max(self.descriptor_blocks);
        self.reserved_descriptor_blocks =
            (descriptor_blocks_grown - self.descriptor_blocks).min(POINTERS_PER_BLOCK);
    }

    /// Blocks of one group's part of the inode table.
    pub(super) fn inode_table_blocks(&self) -> u64 {
        self.inodes_per_group / INODES_PER_BLOCK
    }

    /// All inodes of the file system.
    pub(super) fn inodes(&self) -> u64 {
        self.inodes_per_group * self.groups
    }

    /// First block of a group.
    pub(super) fn group_start(group: u64) -> u64 {
        group * GROUP_BLOCKS
    }

    /// Blocks of a group.
    pub(super) fn group_range(&self, group: u64) -> Range<u64> {
        let start = Self::group_start(group);
        start..(start + GROUP_BLOCKS).min(self.blocks)
    }

    /// Blocks of a group that hold the superblock or its copy, the descriptors and the reserve for more.
    pub(super) fn base_blocks(&self, group: u64) -> u64 {
        if has_superblock(group) { 1 + self.descriptor_blocks + self.reserved_descriptor_blocks } else { 0 }
    }

    /// Groups with a copy of the superblock, in order.
    pub(super) fn backup_groups(&self) -> impl Iterator<Item = u64> {
        (1..self.groups).filter(|group| has_superblock(*group))
    }

    /// Blocks that superblocks, descriptors and tables take.
    pub(super) fn overhead_blocks(&self) -> u64 {
        self.used.iter().map(|(start, end)| end - start).sum()
    }

    /// The runs of blocks that are left for files, in order.
    pub(super) fn free_runs(&self) -> Vec<Range<u64>> {
        let mut runs = Vec::new();
        let mut position = 0;
        for (start, end) in &self.used {
            if position < *start {
                runs.push(position..*start);
            }
            position = *end;
        }
        if position < self.blocks {
            runs.push(position..self.blocks);
        }
        runs
    }

    fn place_tables(&mut self) -> Option<()> {
        for group in 0..self.groups {
            let blocks = self.base_blocks(group);
            if blocks > 0 {
                let start = Self::group_start(group);
                if start + blocks > self.blocks {
                    return None;
                }
                self.used.insert(start, start + blocks);
            }
        }
        self.tables = vec![GroupTables::default(); super::bytes::length(self.groups)];
        let table_blocks = self.inode_table_blocks();
        for first in (0..self.groups).step_by(16) {
            let count = FLEX_GROUPS.min(self.groups - first);
            let mut cursor = Self::group_start(first);
            let mut places = Vec::new();
            for blocks in [1, 1, table_blocks] {
                for _ in 0..count {
                    cursor = self.take_run(cursor, blocks)?;
                    places.push(cursor);
                    cursor += blocks;
                }
            }
            let count = super::bytes::length(count);
            for member in 0..count {
                self.tables[super::bytes::length(first) + member] = GroupTables {
                    block_bitmap: places[member],
                    inode_bitmap: places[count + member],
                    inode_table: places[2 * count + member],
                };
            }
        }
        self.merge_used();
        Some(())
    }

    /// Takes the first run of free blocks at or after a block.
    fn take_run(&mut self, from: u64, blocks: u64) -> Option<u64> {
        let before = self.used.range(..=from).next_back().map_or(from, |(_, end)| from.max(*end));
        let mut start = before;
        for (used_start, used_end) in self.used.range(before..) {
            if start + blocks <= *used_start {
                break;
            }
            start = *used_end;
        }
        if start + blocks > self.blocks {
            return None;
        }
        self.used.insert(start, start + blocks);
        Some(start)
    }

    fn merge_used(&mut self) {
        let mut merged: Vec<(u64, u64)> = Vec::new();
        for (start, end) in &self.used {
            match merged.last_mut() {
                Some((_, last_end)) if *last_end == *start => *last_end = *end,
                _ => merged.push((*start, *end)),
            }
        }
        self.used = merged.into_iter().collect();
    }
}

/// Tells whether a group has the superblock or a copy (`sparse_super`).
fn has_superblock(group: u64) -> bool {
    group <= 1 || [3, 5, 7].into_iter().any(|base| is_power(group, base))
}

fn is_power(group: u64, base: u64) -> bool {
    let mut power = base;
    while power < group {
        power *= base;
    }
    power == group
}

/// Number of the group that holds an inode.
pub(super) fn inode_group(inode: u32, inodes_per_group: u64) -> u64 {
    (u64::from(inode) - 1) / inodes_per_group
}

/// Turns a count that the size limit keeps below 2^32 into a field.
pub(super) fn field(value: u64) -> u32 {
    u32::try_from(value).expect("file systems are limited to 4 TiB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backups_are_in_group_one_and_powers_of_three_five_and_seven() {
        let geometry = plan_geometry(20 << 30, 100).unwrap();
        let groups: Vec<u64> = geometry.backup_groups().collect();
        assert_eq!(groups, [1, 3, 5, 7, 9, 25, 27, 49, 81, 125]);
    }

    #[test]
    fn counts_are_those_of_mke2fs() {
        let geometry = plan_geometry(2 << 30, 100).unwrap();
        assert_eq!((geometry.groups, geometry.inodes(), geometry.inodes_per_group), (16, 131_072, 8192));
        assert_eq!((geometry.descriptor_blocks, geometry.reserved_descriptor_blocks), (1, 255));
    }

    #[test]
    fn a_last_group_without_room_for_its_tables_is_dropped() {
        let bytes = (128 << 20) + 100 * BLOCK_BYTES;
        let geometry = plan_geometry(bytes, 100).unwrap();
        assert_eq!((geometry.groups, geometry.blocks), (1, GROUP_BLOCKS));
    }

    #[test]
    fn no_two_tables_share_a_block() {
        for bytes in [8 << 20, 64 << 20, 300 << 20, 5 << 30, 21 << 30] {
            for inodes in [10, 2000, 100_000] {
                let Ok(geometry) = plan_geometry(bytes, inodes) else { continue };
                let mut ranges: Vec<(u64, u64)> = (0..geometry.groups)
                    .map(|group| (Geometry::group_start(group), geometry.base_blocks(group)))
                    .filter(|(_, blocks)| *blocks > 0)
                    .collect();
                for tables in &geometry.tables {
                    ranges.push((tables.block_bitmap, 1));
                    ranges.push((tables.inode_bitmap, 1));
                    ranges.push((tables.inode_table, geometry.inode_table_blocks()));
                }
                ranges.sort_unstable();
                assert!(ranges.windows(2).all(|pair| pair[0].0 + pair[0].1 <= pair[1].0));
                let free: u64 = geometry.free_runs().iter().map(|run| run.end - run.start).sum();
                assert_eq!(free + geometry.overhead_blocks(), geometry.blocks);
            }
        }
    }
}
