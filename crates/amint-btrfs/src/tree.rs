//! Trees: finding items by key, and going through ranges of them in order.
//!
//! A tree may have an overlay, which holds what the replay of a log changes: it is looked at together with the blocks.

use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use amint_fs::FsError;

use crate::block::Block;
use crate::error::damaged;
use crate::key::Key;
use crate::volume::Volume;

/// What leads to a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Pointer {
    pub(crate) logical: u64,
    pub(crate) level: u8,
    pub(crate) generation: u64,
}

/// Items that stand before those of the blocks; `None` where one is gone.
pub(crate) type Overlay = BTreeMap<Key, Option<Vec<u8>>>;

/// What is done with one item.
pub(crate) type VisitItem<'a> = dyn FnMut(Key, &[u8]) -> Result<ControlFlow<()>, FsError> + 'a;

/// What is done with one item of a range that is gone through to its end.
pub(crate) type TakeItem<'a> = dyn FnMut(Key, &[u8]) -> Result<(), FsError> + 'a;

/// A tree by its root.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    root: Pointer,
    pub(crate) overlay: Overlay,
}

impl Tree {
    /// The tree below a block.
    pub(crate) fn new(root: Pointer) -> Self {
        Self { root, overlay: Overlay::new() }
    }

    /// Visits the items from `from` to `to`, both included, in order.
    pub(crate) fn walk(
        &self,
        volume: &Volume,
        from: Key,
        to: Key,
        visit: &mut VisitItem<'_>,
    ) -> Result<(), FsError> {
        if from > to {
            return Ok(());
        }
        let mut over = self.overlay.range(from..=to).peekable();
        let mut cursor = Cursor::seek(volume, self.root, from)?;
        while let Some((key, item)) = cursor.next()? {
            if key > to {
                break;
            }
            let mut is_replaced = false;
            while let Some((over_key, over_item)) = over.next_if(|(over_key, _)| **over_key <= key) {
                is_replaced |= *over_key == key;
                if let Some(over_item) = over_item
                    && visit(*over_key, over_item)?.is_break()
                {
                    return Ok(());
                }
            }
            if !is_replaced && visit(key, item)?.is_break() {
                return Ok(());
            }
        }
        for (key, item) in over {
            if let Some(item) = item
                && visit(*key, item)?.is_break()
            {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Visits all the items from `from` to `to`.
    pub(crate) fn each(
        &self,
        volume: &Volume,
        from: Key,
        to: Key,
        visit: &mut TakeItem<'_>,
    ) -> Result<(), FsError> {
        self.walk(volume, from, to, &mut |key, item| {
            visit(key, item)?;
            Ok(ControlFlow::Continue(()))
        })
    }

    /// Finds the item of a key and hands it to `read`.
    pub(crate) fn find<T>(
        &self,
        volume: &Volume,
        key: Key,
        read: impl FnOnce(&[u8]) -> Result<T, FsError>,
    ) -> Result<Option<T>, FsError> {
        if let Some(item) = self.overlay.get(&key) {
            return item.as_deref().map(read).transpose();
        }
        let mut cursor = Cursor::seek(volume, self.root, key)?;
        match cursor.next()? {
            Some((found, item)) if found == key => read(item).map(Some),
            _ => Ok(None),
        }
    }

    /// Visits the addresses of all blocks of the tree.
    pub(crate) fn each_block(&self, volume: &Volume, visit: &mut dyn FnMut(u64)) -> Result<(), FsError> {
        let mut cursor = Cursor::seek(volume, self.root, Key::new(0, 0, 0))?;
        let mut seen = HashSet::new();
        seen.insert(self.root.logical);
        loop {
            for (block, slot) in &cursor.path {
                if let Some(child) = block.child(*slot) {
                    seen.insert(child.logical);
                }
            }
            if cursor.next()?.is_none() {
                break;
            }
        }
        seen.into_iter().for_each(visit);
        Ok(())
    }

    /// Returns the last key that is not after `key` and belongs to the same object and kind.
    pub(crate) fn floor(&self, volume: &Volume, key: Key) -> Result<Option<Key>, FsError> {
        let first = Key::first(key.object, key.kind);
        let is_meant = |found: &Key| *found >= first;
        let stored = Cursor::floor(volume, self.root, key)?.filter(is_meant);
        if self.overlay.is_empty() || first > key {
            return Ok(stored);
        }
        let mut over = self.overlay.range(first..=key).rev();
        let added = over.find(|(_, item)| item.is_some()).map(|(key, _)| *key);
        if stored.is_some_and(|stored| matches!(self.overlay.get(&stored), Some(None))) {
            // What stands before a removed item is found by going there.
            let mut floor = None;
            self.each(volume, first, key, &mut |key, _| {
                floor = Some(key);
                Ok(())
            })?;
            return Ok(floor);
        }
        Ok(stored.max(added))
    }
}

/// A place between two items of a tree.
struct Cursor<'a> {
    volume: &'a Volume,
    /// From the root to a leaf, with the slot that was taken, or comes next.
    path: Vec<(Arc<Block>, usize)>,
    last: Option<Key>,
}

impl<'a> Cursor<'a> {
    /// Goes before the first item whose key is not before `key`.
    fn seek(volume: &'a Volume, root: Pointer, key: Key) -> Result<Self, FsError> {
        let mut cursor = Self { volume, path: Vec::new(), last: None };
        let mut block = volume.block(root)?;
        loop {
            let bound = block.lower_bound(key);
            if block.level() == 0 {
                cursor.path.push((block, bound));
                return Ok(cursor);
            }
            let slot = if block.key(bound) == Some(key) { bound } else { bound.saturating_sub(1) };
            let child = cursor.child(&block, slot)?;
            cursor.path.push((block, slot));
            block = child;
        }
    }

    /// Returns the last key that is not after `key`.
    fn floor(volume: &'a Volume, root: Pointer, key: Key) -> Result<Option<Key>, FsError> {
        let cursor = Self::seek(volume, root, key)?;
        let Some((leaf, slot)) = cursor.path.last() else { return Ok(None) };
        if leaf.key(*slot) == Some(key) {
            return Ok(Some(key));
        }
        Ok(slot.checked_sub(1).and_then(|slot| leaf.key(slot)))
    }

    /// Reads the block that an entry leads to, and checks that it begins with the key that is promised.
    fn child(&self, block: &Block, slot: usize) -> Result<Arc<Block>, FsError> {
        let pointer = block.child(slot).ok_or_else(|| damaged("a tree without a block"))?;
        let child = self.volume.block(pointer)?;
        if child.key(0) != block.key(slot) {
            return Err(damaged(format!("the block at {} begins with another key", pointer.logical)));
        }
        Ok(child)
    }

    /// Returns the next item.
    fn next(&mut self) -> Result<Option<(Key, &[u8])>, FsError> {
        if self.path.last().is_some_and(|(leaf, slot)| *slot >= leaf.count()) && !self.next_leaf()? {
            return Ok(None);
        }
        let Some((leaf, slot)) = self.path.last_mut() else { return Ok(None) };
        let (Some(key), Some(item)) = (leaf.key(*slot), leaf.item(*slot)) else { return Ok(None) };
        // Keys that do not ascend across leaves would lead in circles.
        if self.last.is_some_and(|last| last >= key) {
            return Err(damaged("a tree whose keys do not ascend"));
        }
        self.last = Some(key);
        *slot += 1;
        Ok(Some((key, item)))
    }

    /// Goes to the first item of the next leaf and tells whether there is one.
    fn next_leaf(&mut self) -> Result<bool, FsError> {
        self.path.pop();
        while let Some((block, slot)) = self.path.last_mut() {
            *slot += 1;
            if *slot >= block.count() {
                self.path.pop();
                continue;
            }
            let (mut block, slot) = (Arc::clone(block), *slot);
            let mut child = self.child(&block, slot)?;
            while child.level() > 0 {
                block = child;
                child = self.child(&block, 0)?;
                self.path.push((block, 0));
            }
            self.path.push((child, 0));
            return Ok(true);
        }
        Ok(false)
    }
}
