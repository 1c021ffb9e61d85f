//! The journal: finds what was not yet written to its place and lays it over the disk, in memory.
//!
//! Follows "XFS Algorithms & Data Structures", chapter "Journaling Log", and what Linux does when it mounts.
//! Buffers and inodes are replayed. Changes that were announced and not finished (extents to be freed, mappings to be
//! moved) stay unfinished: the blocks read as they were, and a note says so.

mod apply;
mod inode_item;
mod locate;
mod record;
mod transactions;

use amint_types::ReadAt;

use crate::overlay::Overlay;
use crate::superblock::Superblock;

use locate::{Extent, State, locate};
use record::Log;

/// What the journal gave.
pub(crate) struct Replayed {
    pub(crate) overlay: Overlay,
    pub(crate) has_moved_owners: bool,
    pub(crate) notes: Vec<String>,
}

/// Replays the journal. What cannot be understood is not replayed at all, and the notes say why.
pub(crate) fn replay(source: &dyn ReadAt, superblock: &Superblock) -> Replayed {
    let nothing = |notes| Replayed { overlay: Overlay::default(), has_moved_owners: false, notes };
    if superblock.log_start == 0 {
        return nothing(vec!["the journal is on another device: not replayed".to_owned()]);
    }
    let attempt = || -> Result<Option<Replayed>, String> {
        let log = Log::new(source, superblock)?;
        let State::Dirty(extent) = locate(&log)? else { return Ok(None) };
        if superblock.log_unknown != 0 {
            return Err(format!("it uses unknown features {:#x}", superblock.log_unknown));
        }
        replay_extent(source, superblock, &log, extent).map(Some)
    };
    match attempt() {
        Ok(None) => nothing(Vec::new()),
        Ok(Some(replayed)) => replayed,
        Err(problem) => {
            nothing(vec![format!("not cleanly unmounted, and the journal was not replayed: {problem}")])
        }
    }
}

/// Replays one part of the journal.
fn replay_extent(
    source: &dyn ReadAt,
    superblock: &Superblock,
    log: &Log<'_>,
    extent: Extent,
) -> Result<Replayed, String> {
    let committed = transactions::collect(log, extent)?;
    let transaction_count = committed.len();
    let mut replay = apply::Replay::new(source, superblock, &committed);
    for transaction in &committed {
        replay.apply(transaction)?;
    }
    let mut notes = Vec::new();
    let sectors = replay.overlay.len();
    if transaction_count > 0 {
        notes.push(format!(
            "journal replayed in memory: {transaction_count} transactions, {sectors} sectors of 512 bytes"
        ));
    } else {
        notes.push("not cleanly unmounted; the journal holds nothing to replay".to_owned());
    }
    notes.extend(replay.open_notes());
    Ok(Replayed { overlay: replay.overlay, has_moved_owners: replay.has_moved_owners, notes })
}
