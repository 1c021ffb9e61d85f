//! Extents of the log take the place of what they cover.

use amint_fs::FsError;

use super::replay::Replay;
use crate::bytes::{u8_at, u64_at};
use crate::error::short;
use crate::extent::{INLINE, INLINE_AT};
use crate::key::{Key, kind};

/// Where the offset within an extent and the length of its run are.
const OFFSET: std::ops::Range<usize> = 37..45;
const RUN_BYTES: std::ops::Range<usize> = 45..53;

/// Returns whether an extent is inline, and how many bytes of the file it covers.
fn span(item: &[u8], sector_bytes: u64) -> Result<(bool, u64), FsError> {
    let missing = || short("an extent");
    if u8_at(item, 20).ok_or_else(missing)? != INLINE {
        return Ok((false, u64_at(item, RUN_BYTES.start).ok_or_else(missing)?));
    }
    let stored = item.len().saturating_sub(INLINE_AT) as u64;
    let is_packed = u8_at(item, 16).ok_or_else(missing)? != 0;
    let bytes = if is_packed { u64_at(item, 8).ok_or_else(missing)? } else { stored };
    Ok((true, bytes.checked_next_multiple_of(sector_bytes).unwrap_or(u64::MAX)))
}

impl Replay<'_> {
    /// Takes over an extent.
    pub(super) fn extent(&mut self, key: Key, item: &[u8]) -> Result<(), FsError> {
        let sector_bytes = u64::from(self.volume.superblock().sector_bytes);
        let (is_inline, bytes) = span(item, sector_bytes)?;
        if self.item(Key::first(key.object, kind::INODE_ITEM))?.is_none() {
            return Ok(());
        }
        self.drop_extents(key.object, key.offset, key.offset.saturating_add(bytes))?;
        let is_hole = !is_inline && u64_at(item, 21) == Some(0);
        if !is_hole {
            self.put(key, item.to_vec());
        }
        Ok(())
    }

    /// Removes the extents of a range of a file; what reaches out of it on either side stays.
    pub(super) fn drop_extents(&mut self, number: u64, from: u64, to: u64) -> Result<(), FsError> {
        let sector_bytes = u64::from(self.volume.superblock().sector_bytes);
        let first = Key::new(number, kind::EXTENT_DATA, from);
        let first = self.tree.floor(self.volume, first)?.unwrap_or(first);
        let last = Key::new(number, kind::EXTENT_DATA, to.saturating_sub(1));
        for (key, item) in self.items(first, last)? {
            let (is_inline, bytes) = span(&item, sector_bytes)?;
            let end = key.offset.saturating_add(bytes);
            if end <= from {
                continue;
            }
            self.remove(key);
            if is_inline {
                continue;
            }
            if key.offset < from {
                self.put(key, part(&item, 0, from - key.offset));
            }
            if end > to {
                self.put(Key { offset: to, ..key }, part(&item, to - key.offset, end - to));
            }
        }
        Ok(())
    }
}

/// Cuts a run out of an extent.
fn part(item: &[u8], skip: u64, bytes: u64) -> Vec<u8> {
    let mut part = item.to_vec();
    let offset = u64_at(item, OFFSET.start).unwrap_or(0).saturating_add(skip);
    for (field, value) in [(OFFSET, offset), (RUN_BYTES, bytes)] {
        if let Some(field) = part.get_mut(field) {
            field.copy_from_slice(&value.to_le_bytes());
        }
    }
    part
}
