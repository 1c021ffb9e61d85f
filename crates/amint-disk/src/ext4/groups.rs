//! Group descriptors and bitmaps.

use super::bytes::{BLOCK_BYTES, BLOCK_LENGTH, high_u16, length, low_u16, put_u16, put_u32};
use super::checksum;
use super::geometry::{Geometry, field, inode_group};
use super::model::{Kind, Tree};
use super::plan::Plan;

const DESCRIPTOR_BYTES: usize = 64;
const CHECKSUM_AT: usize = 30;
const INODE_UNINIT: u16 = 1;
const BLOCK_UNINIT: u16 = 2;
/// The unused part of the inode table is zero, so the kernel need not clear it in the background.
const INODE_ZEROED: u16 = 4;

/// What is used in one group, and its bitmaps unless the kernel can tell them from the geometry alone.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) free_blocks: u64,
    pub(super) used_inodes: u64,
    directories: u64,
    pub(super) block_bitmap: Option<Vec<u8>>,
    pub(super) inode_bitmap: Option<Vec<u8>>,
}

/// Counts the directories of each group.
pub(super) fn directories_per_group(tree: &Tree, geometry: &Geometry) -> Vec<u64> {
    let mut counts = vec![0; length(geometry.groups)];
    for (index, inode) in tree.inodes.iter().enumerate() {
        if matches!(inode.kind, Kind::Directory { .. }) {
            counts[length(inode_group(Tree::number(index), geometry.inodes_per_group))] += 1;
        }
    }
    counts
}

/// Works out one group.
pub(super) fn plan_group(plan: &Plan, last_inode: u32, directories: u64, group: u64) -> Group {
    let geometry = &plan.geometry;
    let range = geometry.group_range(group);
    let first = plan.free.partition_point(|run| run.end <= range.start);
    let runs = || {
        plan.free[first..]
            .iter()
            .take_while(|run| run.start < range.end)
            .map(|run| run.start.max(range.start) - range.start..run.end.min(range.end) - range.start)
    };
    let free_blocks: u64 = runs().map(|run| run.end - run.start).sum();
    let is_last = group + 1 == geometry.groups;
    let is_untouched = free_blocks + geometry.base_blocks(group) == range.end - range.start;
    let block_bitmap = (is_last || !is_untouched || group == 0).then(|| {
        let mut bitmap = vec![0xff; BLOCK_LENGTH];
        for run in runs() {
            clear_bits(&mut bitmap, length(run.start), length(run.end));
        }
        bitmap
    });
    let inodes_before = group * geometry.inodes_per_group;
    let used_inodes = u64::from(last_inode).saturating_sub(inodes_before).min(geometry.inodes_per_group);
    let inode_bitmap = (used_inodes > 0).then(|| {
        let mut bitmap = vec![0xff; BLOCK_LENGTH];
        clear_bits(&mut bitmap, length(used_inodes), length(geometry.inodes_per_group));
        bitmap
    });
    Group { free_blocks, used_inodes, directories, block_bitmap, inode_bitmap }
}

/// Builds one group's descriptor.
pub(super) fn descriptor(plan: &Plan, group: &Group, number: u64, seed: u32) -> [u8; DESCRIPTOR_BYTES] {
    let geometry = &plan.geometry;
    let tables = geometry.tables[length(number)];
    let free_inodes = geometry.inodes_per_group - group.used_inodes;
    let mut record = [0; DESCRIPTOR_BYTES];
    put_u32(&mut record, 0, field(tables.block_bitmap));
    put_u32(&mut record, 4, field(tables.inode_bitmap));
    put_u32(&mut record, 8, field(tables.inode_table));
    put_u16(&mut record, 12, low_u16(field(group.free_blocks)));
    put_u16(&mut record, 14, low_u16(field(free_inodes)));
    put_u16(&mut record, 16, low_u16(field(group.directories)));
    let mut flags = INODE_ZEROED;
    match &group.block_bitmap {
        Some(bitmap) => {
            let sum = checksum::extend(seed, bitmap);
            put_u16(&mut record, 24, low_u16(sum));
            put_u16(&mut record, 56, high_u16(sum));
        }
        None => flags |= BLOCK_UNINIT,
    }
    match &group.inode_bitmap {
        Some(bitmap) => {
            let sum = checksum::extend(seed, &bitmap[..length(geometry.inodes_per_group / 8)]);
            put_u16(&mut record, 26, low_u16(sum));
            put_u16(&mut record, 58, high_u16(sum));
        }
        None => flags |= INODE_UNINIT,
    }
    put_u16(&mut record, 18, flags);
    // Inodes are used from the front, so all free ones are at the end, never written.
    put_u16(&mut record, 28, low_u16(field(free_inodes)));
    let sum = checksum::extend(checksum::extend(seed, &field(number).to_le_bytes()), &record);
    put_u16(&mut record, CHECKSUM_AT, low_u16(sum));
    record
}

/// Puts all descriptors into whole blocks.
pub(super) fn descriptor_table(plan: &Plan, groups: &[Group], seed: u32) -> Vec<u8> {
    let mut table = vec![0; length(plan.geometry.descriptor_blocks * BLOCK_BYTES)];
    for ((number, group), slot) in (0..).zip(groups).zip(table.chunks_exact_mut(DESCRIPTOR_BYTES)) {
        slot.copy_from_slice(&descriptor(plan, group, number, seed));
    }
    table
}

fn clear_bits(bitmap: &mut [u8], from: usize, to: usize) {
    let mut bit = from;
    while bit < to {
        if bit.is_multiple_of(8) && to - bit >= 8 {
            bitmap[bit / 8] = 0;
            bit += 8;
        } else {
            bitmap[bit / 8] &= !(1 << (bit % 8));
            bit += 1;
        }
    }
}
