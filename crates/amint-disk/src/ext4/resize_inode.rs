//! The inode that keeps blocks free for more group descriptors, so that the file system can grow mounted.
//!
//! Its double indirect block points to the reserved blocks behind the primary descriptors, and each of those
//! points to its copies in the backup groups.

use super::bytes::{BLOCK_LENGTH, length, put_u32};
use super::geometry::{Geometry, POINTERS_PER_BLOCK, field};
use super::plan::Plan;

/// Number of the inode.
pub(super) const NUMBER: u32 = 7;
/// Length of the file: all that direct to double indirect pointers can reach.
pub(super) const FILE_BYTES: u64 = (12 + POINTERS_PER_BLOCK + POINTERS_PER_BLOCK * POINTERS_PER_BLOCK) * 4096;
/// Place of the double indirect pointer among an inode's fifteen.
const DOUBLE_INDIRECT: usize = 13;

/// Returns how many blocks the inode owns.
pub(super) fn block_count(geometry: &Geometry) -> u64 {
    let copies = geometry.backup_groups().count() as u64;
    1 + geometry.reserved_descriptor_blocks * (1 + copies)
}

/// Builds the inode's block pointers.
pub(super) fn pointers(plan: &Plan) -> [u8; 60] {
    let mut pointers = [0; 60];
    put_u32(&mut pointers, DOUBLE_INDIRECT * 4, field(plan.resize_block));
    pointers
}

/// Builds the double indirect block and all indirect blocks, which are the reserved ones themselves.
pub(super) fn blocks(plan: &Plan) -> Vec<(u64, Vec<u8>)> {
    let geometry = &plan.geometry;
    let mut double = vec![0; BLOCK_LENGTH];
    let mut blocks = Vec::new();
    for reserved in 0..geometry.reserved_descriptor_blocks {
        let number = geometry.descriptor_blocks + reserved;
        let place = 1 + number;
        put_u32(&mut double, length(number % POINTERS_PER_BLOCK) * 4, field(place));
        let mut indirect = vec![0; BLOCK_LENGTH];
        for (slot, group) in geometry.backup_groups().enumerate() {
            put_u32(&mut indirect, slot * 4, field(Geometry::group_start(group) + place));
        }
        blocks.push((place, indirect));
    }
    blocks.push((plan.resize_block, double));
    blocks
}
