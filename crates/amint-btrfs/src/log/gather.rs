//! Finding the logs, and taking them in if all goes well.

use std::collections::BTreeMap;
use std::ops::Range;

use amint_fs::FsError;

use super::replay::Replay;
use crate::bytes::{u8_at, u64_at};
use crate::checksum::Checksum;
use crate::error::over_limit;
use crate::extent::REGULAR;
use crate::key::{Key, kind, object};
use crate::subvolume::{Roots, root_pointer};
use crate::tree::Tree;
use crate::volume::Volume;

/// Bytes of items that all logs may have.
const LOG_BYTES_MAX: usize = 64 << 20;

/// What a replay changes.
#[derive(Default)]
struct Changes {
    subvolumes: BTreeMap<u64, Tree>,
    checksums: Option<Tree>,
    used: Vec<Range<u64>>,
    items: usize,
}

/// Replays the log, where there is one, and returns the addresses that it alone uses. If it cannot be replayed, nothing is
/// changed and a note says why.
pub(crate) fn replay(volume: &Volume, roots: &mut Roots, notes: &mut Vec<String>) -> Vec<Range<u64>> {
    let Some(root) = volume.superblock().log_root else { return Vec::new() };
    match changes(volume, roots, &Tree::new(root)) {
        Ok(changes) => {
            notes.push(format!("log tree replayed in memory: {} items", changes.items));
            for (id, tree) in changes.subvolumes {
                if let Some(root) = roots.subvolumes.get_mut(&id) {
                    root.tree = tree;
                }
            }
            roots.checksums = changes.checksums;
            changes.used
        }
        Err(error) => {
            notes.push(format!("log tree not replayed: the last synced changes are not seen ({error})"));
            Vec::new()
        }
    }
}

fn changes(volume: &Volume, roots: &Roots, logs: &Tree) -> Result<Changes, FsError> {
    let mut changes = Changes { checksums: roots.checksums.clone(), ..Changes::default() };
    let mut trees = Vec::new();
    let range = (Key::first(object::TREE_LOG, kind::ROOT_ITEM), Key::last(object::TREE_LOG, kind::ROOT_ITEM));
    logs.each(volume, range.0, range.1, &mut |key, item| {
        trees.push((key.offset, Tree::new(root_pointer(item)?)));
        Ok(())
    })?;
    let node_bytes = u64::from(volume.superblock().node_bytes);
    let mut bytes_left = LOG_BYTES_MAX;
    logs.each_block(volume, &mut |logical| changes.used.push(logical..logical.saturating_add(node_bytes)))?;
    for (id, log) in trees {
        log.each_block(volume, &mut |logical| {
            changes.used.push(logical..logical.saturating_add(node_bytes));
        })?;
        let items = read(volume, &log, &mut bytes_left)?;
        changes.items += items.len();
        for (key, item) in &items {
            if key.kind == kind::EXTENT_DATA {
                changes.used.extend(used_by(item));
            }
            if key.kind == kind::EXTENT_CSUM {
                changes.add_sums(volume, *key, item)?;
            }
        }
        // A log may outlive its subvolume.
        if let Some(root) = roots.subvolumes.get(&id) {
            changes.subvolumes.insert(id, Replay::new(volume, root.tree.clone(), items).run()?);
        }
    }
    changes.merge_used();
    Ok(changes)
}

/// Reads all items of a log.
fn read(volume: &Volume, log: &Tree, bytes_left: &mut usize) -> Result<BTreeMap<Key, Vec<u8>>, FsError> {
    let mut items = BTreeMap::new();
    let all = (Key::new(0, 0, 0), Key::new(u64::MAX, u8::MAX, u64::MAX));
    log.each(volume, all.0, all.1, &mut |key, item| {
        *bytes_left = bytes_left
            .checked_sub(item.len())
            .ok_or_else(|| over_limit(format!("a log of more than {LOG_BYTES_MAX} bytes")))?;
        items.insert(key, item.to_vec());
        Ok(())
    })?;
    Ok(items)
}

/// Returns the addresses that an extent uses.
fn used_by(item: &[u8]) -> Option<Range<u64>> {
    let (logical, bytes) = (u64_at(item, 21)?, u64_at(item, 29)?);
    let is_regular = u8_at(item, 20)? >= REGULAR;
    (is_regular && logical != 0).then(|| logical..logical.saturating_add(bytes))
}

impl Changes {
    /// Adds checksums of data, as far as they are not there yet: a log has them also for extents that are older.
    fn add_sums(&mut self, volume: &Volume, key: Key, item: &[u8]) -> Result<(), FsError> {
        let Some(tree) = &mut self.checksums else { return Ok(()) };
        let sector_bytes = u64::from(volume.superblock().sector_bytes);
        let checksum: Checksum = volume.superblock().checksum;
        let mut sums = item.chunks_exact(checksum.bytes()).zip(0_u64..).peekable();
        while let Some((sum, number)) = sums.next() {
            let logical = key.offset.saturating_add(number.saturating_mul(sector_bytes));
            let sum_key = Key { offset: logical, ..key };
            if covers(volume, tree, sum_key, checksum.bytes(), sector_bytes)? {
                continue;
            }
            // Until what is there already, or the end.
            let mut run = sum.to_vec();
            while let Some((sum, number)) = sums.peek() {
                let next = key.offset.saturating_add(number.saturating_mul(sector_bytes));
                if covers(volume, tree, Key { offset: next, ..key }, checksum.bytes(), sector_bytes)? {
                    break;
                }
                run.extend_from_slice(sum);
                sums.next();
            }
            tree.overlay.insert(sum_key, Some(run));
        }
        Ok(())
    }

    /// Sorts and merges the addresses that logs use.
    fn merge_used(&mut self) {
        self.used.sort_by_key(|range| range.start);
        let mut merged: Vec<Range<u64>> = Vec::new();
        for range in std::mem::take(&mut self.used) {
            match merged.last_mut() {
                Some(last) if last.end >= range.start => last.end = last.end.max(range.end),
                _ => merged.push(range),
            }
        }
        self.used = merged;
    }
}

/// Tells whether the tree has a checksum for the sector of a key.
fn covers(
    volume: &Volume,
    tree: &Tree,
    key: Key,
    sum_bytes: usize,
    sector_bytes: u64,
) -> Result<bool, FsError> {
    let Some(floor) = tree.floor(volume, key)? else { return Ok(false) };
    let bytes = tree.find(volume, floor, |item| Ok(item.len() / sum_bytes))?.unwrap_or(0);
    Ok(floor.offset.saturating_add((bytes as u64).saturating_mul(sector_bytes)) > key.offset)
}
