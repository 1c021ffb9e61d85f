//! The journal (jbd2; `Documentation/filesystems/ext4/journal.rst`): what was logged and not written back.
//!
//! Nothing is copied: replaying makes a table of which blocks are to be read from the journal instead.

mod log;
mod records;
mod superblock;

use std::ops::Range;

use amint_fs::FsError;

use crate::error::{damaged, unsupported};
use crate::feature::{compatible, incompatible};
use crate::inode::{Inode, flag};
use crate::mapping::Mapping;
use crate::volume::{Overlay, Volume};
use log::{Log, Summary};

/// How many pieces a journal may lie in; honest ones have a few.
const PIECES_MAX: u64 = 1 << 20;

/// Reads the journal, if something is to be replayed.
///
/// # Errors
/// [`FsError::Unsupported`] when what is to be replayed is in an external journal.
pub(crate) fn replay(volume: &Volume, notes: &mut Vec<String>) -> Result<Option<Overlay>, FsError> {
    let superblock = &volume.superblock;
    let needs_replay = superblock.features.has_incompatible(incompatible::RECOVER);
    if !superblock.features.has(compatible::JOURNAL) {
        return if needs_replay { Err(damaged("a journal to replay, and none is there")) } else { Ok(None) };
    }
    if superblock.journal_inode == 0 {
        if needs_replay {
            return Err(unsupported("an external journal that was not written back"));
        }
        notes.push("external journal, empty".to_owned());
        return Ok(None);
    }
    if !needs_replay {
        return Ok(None);
    }
    let inode = journal_inode(volume)?;
    let mut log = Log::open(volume, Mapping::new(volume, &inode)?, inode.size_bytes)?;
    let (overlay, summary) = log.replay()?;
    if summary.transactions > 0 {
        let Summary { blocks, transactions, .. } = summary;
        notes.push(format!("journal replayed in memory: {blocks} blocks of {transactions} transactions"));
    }
    if summary.has_fast_commits {
        notes.push(
            "the journal holds fast commits, which were not applied: the last changes are missing".to_owned(),
        );
    }
    Ok(Some(overlay))
}

/// Returns the ranges of bytes that the journal has.
pub(crate) fn ranges(volume: &Volume) -> Result<Vec<Range<u64>>, FsError> {
    let superblock = &volume.superblock;
    if !superblock.features.has(compatible::JOURNAL) || superblock.journal_inode == 0 {
        return Ok(Vec::new());
    }
    let inode = journal_inode(volume)?;
    let block_bytes = superblock.block_bytes;
    let mut ranges = Vec::new();
    let end = inode.size_bytes.div_ceil(block_bytes);
    Mapping::new(volume, &inode)?.for_each_run(end, PIECES_MAX, &mut |run| {
        if let Some(device) = run.device {
            ranges.push(device * block_bytes..(device + run.count) * block_bytes);
        }
        Ok(())
    })?;
    ranges.sort_by_key(|range| range.start);
    let mut merged: Vec<Range<u64>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match merged.last_mut() {
            Some(last) if last.end >= range.start => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    Ok(merged)
}

/// Reads the inode of the journal.
fn journal_inode(volume: &Volume) -> Result<Inode, FsError> {
    let inode = Inode::read_used(volume, volume.superblock.journal_inode)?;
    if inode.kind()? != amint_fs::Kind::File || inode.has(flag::INLINE | flag::ENCRYPT) {
        return Err(damaged(format!("inode {} is no journal", inode.number)));
    }
    Ok(inode)
}
