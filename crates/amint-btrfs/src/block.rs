//! Blocks of trees: checked once when they are read, then only looked into.

use amint_fs::FsError;

use crate::bytes::{id_at, u8_at, u32_at, u64_at};
use crate::checksum::CHECKSUM_BYTES_MAX;
use crate::error::damaged;
use crate::key::{KEY_BYTES, Key};
use crate::superblock::Superblock;
use crate::tree::Pointer;

/// Bytes of the header of a block.
const HEADER_BYTES: usize = 101;
/// Bytes of an entry that leads to an item: key, offset, size.
const ITEM_BYTES: usize = KEY_BYTES + 8;
/// Bytes of an entry that leads to a block: key, address, generation.
const CHILD_BYTES: usize = KEY_BYTES + 16;

/// A block of a tree whose checksum, address and order have been checked.
#[derive(Debug)]
pub(crate) struct Block {
    bytes: Vec<u8>,
    level: u8,
    count: usize,
}

impl Block {
    /// Checks a block that was read for `pointer`.
    pub(crate) fn check(bytes: Vec<u8>, pointer: Pointer, superblock: &Superblock) -> Result<Self, FsError> {
        let wrong = |what: &str| damaged(format!("the block at {}: {what}", pointer.logical));
        if !superblock.checksum.fits(bytes.get(CHECKSUM_BYTES_MAX..).unwrap_or_default(), &bytes) {
            return Err(wrong("its checksum is wrong"));
        }
        if u64_at(&bytes, 48) != Some(pointer.logical) {
            return Err(wrong("it belongs to another address"));
        }
        if id_at(&bytes, 32) != Some(superblock.metadata_id) {
            return Err(wrong("it belongs to another file system"));
        }
        if u64_at(&bytes, 80) != Some(pointer.generation) {
            return Err(wrong("it is not of the generation that leads to it"));
        }
        if u8_at(&bytes, 100) != Some(pointer.level) {
            return Err(wrong("it is not of the level that leads to it"));
        }
        let count = u32_at(&bytes, 96).and_then(|count| usize::try_from(count).ok()).unwrap_or(usize::MAX);
        let block = Self { bytes, level: pointer.level, count };
        if !block.is_in_order() {
            return Err(wrong("its entries are out of order"));
        }
        Ok(block)
    }

    /// Checks that all entries are inside and that keys ascend.
    fn is_in_order(&self) -> bool {
        let entry_bytes = if self.level == 0 { ITEM_BYTES } else { CHILD_BYTES };
        let end = self.count.checked_mul(entry_bytes).and_then(|bytes| bytes.checked_add(HEADER_BYTES));
        if end.is_none_or(|end| end > self.bytes.len()) || (self.level > 0 && self.count == 0) {
            return false;
        }
        let mut last = None;
        for slot in 0..self.count {
            let key = self.key(slot);
            if key.is_none() || last.is_some_and(|last| last >= key) {
                return false;
            }
            if self.level == 0 && self.item(slot).is_none() {
                return false;
            }
            last = Some(key);
        }
        true
    }

    /// Returns 0 for a leaf.
    pub(crate) fn level(&self) -> u8 {
        self.level
    }

    /// Returns how many entries it has.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    fn entry_at(&self, slot: usize) -> Option<usize> {
        let entry_bytes = if self.level == 0 { ITEM_BYTES } else { CHILD_BYTES };
        (slot < self.count).then_some(HEADER_BYTES + slot * entry_bytes)
    }

    /// Returns the key of an entry.
    pub(crate) fn key(&self, slot: usize) -> Option<Key> {
        Key::read(&self.bytes, self.entry_at(slot)?)
    }

    /// Returns the content of a leaf's item.
    pub(crate) fn item(&self, slot: usize) -> Option<&[u8]> {
        let at = self.entry_at(slot)? + KEY_BYTES;
        let offset = usize::try_from(u32_at(&self.bytes, at)?).ok()?;
        let bytes = usize::try_from(u32_at(&self.bytes, at + 4)?).ok()?;
        let start = HEADER_BYTES.checked_add(offset)?;
        self.bytes.get(start..start.checked_add(bytes)?)
    }

    /// Returns the block that an entry of an inner block leads to.
    pub(crate) fn child(&self, slot: usize) -> Option<Pointer> {
        let at = self.entry_at(slot)? + KEY_BYTES;
        let level = self.level.checked_sub(1)?;
        Some(Pointer { logical: u64_at(&self.bytes, at)?, generation: u64_at(&self.bytes, at + 8)?, level })
    }

    /// Returns the first slot whose key is not before `key`.
    pub(crate) fn lower_bound(&self, key: Key) -> usize {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low.midpoint(high);
            if self.key(middle).is_some_and(|found| found < key) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}
