//! Free space: the tree by block number of each allocation group, and the group's short list of spare blocks.

use std::ops::{ControlFlow, Range};

use amint_fs::FsError;

use crate::fields::{Fields, damaged};
use crate::header::{GROUP_FREE, GROUP_INODES, GROUP_LIST, GROUP_TREE, Layout, verify};
use crate::volume::Volume;

/// `XAGF`: the header of the free space of a group.
const MAGIC_FREE: u32 = 0x5841_4746;
/// `XAGI`: the header of the inodes of a group.
const MAGIC_INODES: u32 = 0x5841_4749;
/// `XAFL`: the list of spare blocks (version 5).
const MAGIC_LIST: u32 = 0x5841_464c;
/// `ABTB` and `AB3B`: blocks of the tree.
const MAGIC_TREE_4: u32 = 0x4142_5442;
const MAGIC_TREE_5: u32 = 0x4142_3342;
/// How deep a tree may be: a group has at most 2^31 blocks.
const LEVELS_MAX: u32 = 9;
/// Bytes of a record, a key and a pointer.
const RECORD_BYTES: usize = 8;
const POINTER_BYTES: usize = 4;

/// Visits the free ranges of the whole file system, in order and merged.
pub(crate) fn visit_free(
    volume: &Volume,
    visit: &mut dyn FnMut(Range<u64>) -> ControlFlow<()>,
) -> Result<(), FsError> {
    let mut pending: Option<Range<u64>> = None;
    for group in 0..volume.superblock.ag_count {
        for run in group_runs(volume, group)? {
            let start = volume.superblock.ag_block_offset(group, run.start, run.end - run.start)?;
            let end = start + (run.end - run.start) * u64::from(volume.superblock.block_bytes);
            match &mut pending {
                Some(range) if range.end == start => range.end = end,
                _ => {
                    if let Some(range) = pending.replace(start..end)
                        && visit(range).is_break()
                    {
                        return Ok(());
                    }
                }
            }
        }
    }
    if let Some(range) = pending {
        let _ = visit(range);
    }
    Ok(())
}

/// Reads one of the sectors at the start of a group.
fn read_header(volume: &Volume, group: u32, index: u64, layout: Layout) -> Result<Vec<u8>, FsError> {
    let sector_bytes = volume.superblock.sector_bytes;
    let start = volume.superblock.ag_block_offset(group, 0, 1)?;
    let offset = start + index * u64::from(sector_bytes);
    let (sector, origin) = volume.metadata(offset, usize::from(sector_bytes), u64::from(group))?;
    verify(volume, layout, &sector, origin, "a header of a group")?;
    Ok(sector)
}

/// Returns the free runs of one group, in blocks, in order.
fn group_runs(volume: &Volume, group: u32) -> Result<Vec<Range<u64>>, FsError> {
    let wrong = |what: &str| damaged(format!("group {group} {what}"));
    let free = read_header(volume, group, 1, GROUP_FREE)?;
    let inodes = read_header(volume, group, 2, GROUP_INODES)?;
    let fields = Fields(&free);
    for (header, magic) in [(&free, MAGIC_FREE), (&inodes, MAGIC_INODES)] {
        let header = Fields(header);
        let is_right = header.u32(0)? == magic
            && header.u32(8)? == group
            && u64::from(header.u32(12)?) == volume.superblock.ag_length(group);
        if !is_right {
            return Err(wrong("has a foreign header"));
        }
    }
    let level = fields.u32(28)?;
    if level == 0 || level > LEVELS_MAX {
        return Err(wrong("has a tree of free space of a wrong depth"));
    }
    let mut walk = Walk { volume, group, next: 0, runs: Vec::new() };
    walk.block(fields.u32(16)?, level - 1)?;
    let mut runs = walk.runs;
    let count: u64 = runs.iter().map(|run| run.end - run.start).sum();
    if count != u64::from(fields.u32(52)?) {
        return Err(wrong("counts its free blocks differently than its tree"));
    }
    runs.extend(spare_blocks(volume, group, fields)?);
    runs.sort_by_key(|run| run.start);
    if runs.windows(2).any(|pair| matches!(pair, [one, two] if one.end > two.start)) {
        return Err(wrong("has blocks that are free twice"));
    }
    Ok(runs)
}

/// Returns the blocks on the list of spare blocks: a ring in one sector.
fn spare_blocks(volume: &Volume, group: u32, free: Fields<'_>) -> Result<Vec<Range<u64>>, FsError> {
    let (first, last, count) = (free.u32(40)?, free.u32(44)?, free.u32(48)?);
    if count == 0 {
        return Ok(Vec::new());
    }
    let has_header = volume.superblock.has_checksums;
    let sector = if has_header {
        read_header(volume, group, 3, GROUP_LIST)?
    } else {
        let start = volume.superblock.ag_block_offset(group, 0, 1)?;
        let sector_bytes = volume.superblock.sector_bytes;
        volume.metadata(start + 3 * u64::from(sector_bytes), usize::from(sector_bytes), 0)?.0
    };
    let header = if has_header { 36 } else { 0 };
    let fields = Fields(&sector);
    if has_header && (fields.u32(0)? != MAGIC_LIST || fields.u32(4)? != group) {
        return Err(damaged(format!("group {group} has a foreign list of spare blocks")));
    }
    let room = u32::try_from(sector.len().saturating_sub(header) / POINTER_BYTES).unwrap_or(0);
    // Old kernels counted one place more; Linux then gives the list up, and so is it done here.
    let is_ring = first < room && last < room && count <= room && (first + count - 1) % room == last;
    if !is_ring {
        return Ok(Vec::new());
    }
    let mut runs = Vec::new();
    for step in 0..count {
        let index = usize::try_from((first + step) % room).unwrap_or(0);
        let block = u64::from(fields.u32(header + index * POINTER_BYTES)?);
        volume.superblock.ag_block_offset(group, block, 1)?;
        runs.push(block..block + 1);
    }
    Ok(runs)
}

/// Walks the tree of one group.
struct Walk<'a> {
    volume: &'a Volume,
    group: u32,
    next: u64,
    runs: Vec<Range<u64>>,
}

impl Walk<'_> {
    /// Collects the runs below one block. Ends, as levels go down and runs must go up.
    fn block(&mut self, number: u32, level: u32) -> Result<(), FsError> {
        let group = self.group;
        let wrong = |what: &str| damaged(format!("the tree of free space of group {group} {what}"));
        let superblock = &self.volume.superblock;
        let offset = superblock.ag_block_offset(self.group, u64::from(number), 1)?;
        let bytes = self.volume.block_bytes();
        let (block, origin) = self.volume.metadata(offset, bytes, u64::from(self.group))?;
        let fields = Fields(&block);
        let (magic, header) = if superblock.has_checksums { (MAGIC_TREE_5, 56) } else { (MAGIC_TREE_4, 16) };
        if fields.u32(0)? != magic || u32::from(fields.u16(4)?) != level {
            return Err(wrong("has a foreign block"));
        }
        verify(self.volume, GROUP_TREE, &block, origin, "a block of a tree of free space")?;
        let count = usize::from(fields.u16(6)?);
        if level == 0 {
            for record in fields.slice(header, count * RECORD_BYTES)?.chunks_exact(RECORD_BYTES) {
                let (start, blocks) = (u64::from(Fields(record).u32(0)?), u64::from(Fields(record).u32(4)?));
                if start < self.next || blocks == 0 || start + blocks > superblock.ag_length(self.group) {
                    return Err(wrong("is out of order"));
                }
                self.next = start + blocks;
                self.runs.push(start..self.next);
            }
            return Ok(());
        }
        let room = block.len().saturating_sub(header) / (RECORD_BYTES + POINTER_BYTES);
        if count == 0 || count > room {
            return Err(wrong("has a block with a wrong count"));
        }
        for index in 0..count {
            let before = self.next;
            self.block(fields.u32(header + room * RECORD_BYTES + index * POINTER_BYTES)?, level - 1)?;
            // Only a leaf that is the root may be empty; otherwise the walk might never end.
            if self.next == before {
                return Err(wrong("has an empty block"));
            }
        }
        Ok(())
    }
}
