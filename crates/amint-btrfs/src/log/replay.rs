//! The order of things: inodes and what is gone from folders, then new names, then references, attributes and extents.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use amint_fs::{FsError, Kind};

use crate::bytes::{u32_at, u64_at};
use crate::checksum::name_hash;
use crate::error::{over_limit, short};
use crate::item::{DirectoryItems, Inode, Reference};
use crate::key::{Key, kind};
use crate::tree::Tree;
use crate::volume::Volume;

/// Items that one replay may look at: honest logs need a small part of it.
const STEPS_MAX: u64 = 5_000_000;
/// Where the fields of an inode item are.
const SIZE: std::ops::Range<usize> = 16..24;
const LINK_COUNT: std::ops::Range<usize> = 40..44;

/// The replay of the log of one subvolume.
pub(super) struct Replay<'a> {
    pub(super) volume: &'a Volume,
    /// The tree as it becomes.
    pub(super) tree: Tree,
    pub(super) log: BTreeMap<Key, Vec<u8>>,
    /// Inodes whose names have to be counted again.
    pub(super) relinked: BTreeSet<u64>,
    /// Inodes without names, of which the log knows only that they were open.
    ignored: BTreeSet<u64>,
    steps_left: Cell<u64>,
}

impl<'a> Replay<'a> {
    pub(super) fn new(volume: &'a Volume, tree: Tree, log: BTreeMap<Key, Vec<u8>>) -> Self {
        Self {
            volume,
            tree,
            log,
            relinked: BTreeSet::new(),
            ignored: BTreeSet::new(),
            steps_left: Cell::new(STEPS_MAX),
        }
    }

    /// Replays everything and returns the tree.
    pub(super) fn run(mut self) -> Result<Tree, FsError> {
        let items: Vec<(Key, Vec<u8>)> = self.log.iter().map(|(key, item)| (*key, item.clone())).collect();
        for (key, item) in items.iter().filter(|(key, _)| key.kind == kind::INODE_ITEM) {
            self.inode(key.object, item)?;
        }
        for (key, item) in items.iter().filter(|(key, _)| key.kind == kind::DIR_INDEX) {
            if !self.ignored.contains(&key.object) {
                self.directory_index(*key, item)?;
            }
        }
        for (key, item) in &items {
            if self.ignored.contains(&key.object) {
                continue;
            }
            match key.kind {
                kind::XATTR_ITEM => self.put(*key, item.clone()),
                kind::INODE_REF | kind::INODE_EXTREF => self.references(*key, item)?,
                kind::EXTENT_DATA => self.extent(*key, item)?,
                _ => {}
            }
        }
        for number in std::mem::take(&mut self.relinked) {
            self.count_names(number)?;
        }
        Ok(self.tree)
    }

    fn step(&self) -> Result<(), FsError> {
        let left = self.steps_left.get().checked_sub(1);
        self.steps_left.set(left.ok_or_else(|| over_limit("a log that takes too many steps to replay"))?);
        Ok(())
    }

    /// Returns an item of the tree.
    pub(super) fn item(&self, key: Key) -> Result<Option<Vec<u8>>, FsError> {
        self.step()?;
        self.tree.find(self.volume, key, |item| Ok(item.to_vec()))
    }

    /// Returns the items of an object and kind, of which there are few, or from `first` to `last`.
    pub(super) fn items(&self, first: Key, last: Key) -> Result<Vec<(Key, Vec<u8>)>, FsError> {
        let mut items = Vec::new();
        self.tree.each(self.volume, first, last, &mut |key, item| {
            self.step()?;
            items.push((key, item.to_vec()));
            Ok(())
        })?;
        Ok(items)
    }

    pub(super) fn put(&mut self, key: Key, item: Vec<u8>) {
        self.tree.overlay.insert(key, Some(item));
    }

    /// Removes an item; one that would be empty is removed as well.
    pub(super) fn remove(&mut self, key: Key) {
        self.tree.overlay.insert(key, None);
    }

    pub(super) fn put_or_remove(&mut self, key: Key, item: Vec<u8>) {
        if item.is_empty() { self.remove(key) } else { self.put(key, item) }
    }

    /// Takes over an inode, and removes what the log says is gone from it.
    fn inode(&mut self, number: u64, logged: &[u8]) -> Result<(), FsError> {
        let inode = Inode::read(logged)?;
        if inode.node.nlink == 0 {
            self.ignored.insert(number);
            return Ok(());
        }
        self.remove_attributes(number)?;
        if inode.node.kind == Kind::Folder {
            self.remove_names(number)?;
        }
        let key = Key::first(number, kind::INODE_ITEM);
        let present = self.item(key)?;
        let item = merged_inode(present.as_deref(), logged)?;
        let merged = Inode::read(&item)?;
        self.put(key, item);
        self.relinked.insert(number);
        if merged.node.kind == Kind::File {
            let sector_bytes = u64::from(self.volume.superblock().sector_bytes);
            let end = merged.node.bytes.checked_next_multiple_of(sector_bytes).unwrap_or(u64::MAX);
            self.drop_extents(number, end, u64::MAX)?;
        }
        Ok(())
    }

    /// Removes attributes that the log does not have.
    fn remove_attributes(&mut self, number: u64) -> Result<(), FsError> {
        let range = (Key::first(number, kind::XATTR_ITEM), Key::last(number, kind::XATTR_ITEM));
        for (key, item) in self.items(range.0, range.1)? {
            let logged = self.log.get(&key).map(Vec::as_slice).unwrap_or_default();
            let mut kept = Vec::new();
            for xattr in DirectoryItems::new(&item) {
                let xattr = xattr?;
                if has_name(logged, xattr.name)? {
                    kept.extend_from_slice(xattr.raw);
                }
            }
            self.put_or_remove(key, kept);
        }
        Ok(())
    }

    /// Removes names from the ranges of a folder that the log knows completely.
    fn remove_names(&mut self, folder: u64) -> Result<(), FsError> {
        let range = Key::first(folder, kind::DIR_LOG_INDEX)..=Key::last(folder, kind::DIR_LOG_INDEX);
        let ranges: Vec<(u64, u64)> = self
            .log
            .range(range)
            .map(|(key, item)| Ok((key.offset, u64_at(item, 0).ok_or_else(|| short("a range of names"))?)))
            .collect::<Result<_, FsError>>()?;
        for (first, last) in ranges {
            let (from, to) =
                (Key::new(folder, kind::DIR_INDEX, first), Key::new(folder, kind::DIR_INDEX, last));
            for (key, item) in self.items(from, to)? {
                let logged = self.log.get(&key).map(Vec::as_slice).unwrap_or_default();
                let mut gone = Vec::new();
                for entry in DirectoryItems::new(&item) {
                    let entry = entry?;
                    // Deleting a subvolume is always committed, so none is ever gone here.
                    if entry.target.kind == kind::INODE_ITEM && !has_name(logged, entry.name)? {
                        gone.push((entry.name.to_vec(), entry.target));
                    }
                }
                for (name, target) in gone {
                    self.unlink(folder, key.offset, &name, target.object)?;
                }
            }
        }
        Ok(())
    }

    /// Counts the names of an inode.
    fn count_names(&mut self, number: u64) -> Result<(), FsError> {
        let key = Key::first(number, kind::INODE_ITEM);
        let Some(mut item) = self.item(key)? else { return Ok(()) };
        let mut count: u32 = 0;
        for (key, item) in
            self.items(Key::first(number, kind::INODE_REF), Key::last(number, kind::INODE_EXTREF))?
        {
            let names = Reference::read_all(key, &item)?.len();
            count = count.saturating_add(u32::try_from(names).unwrap_or(u32::MAX));
        }
        if u32_at(&item, LINK_COUNT.start) != Some(count)
            && let Some(field) = item.get_mut(LINK_COUNT)
        {
            field.copy_from_slice(&count.to_le_bytes());
            self.put(key, item);
        }
        Ok(())
    }

    /// Adds to the size of a folder: twice the length of each name.
    pub(super) fn resize_folder(
        &mut self,
        folder: u64,
        name_bytes: usize,
        is_longer: bool,
    ) -> Result<(), FsError> {
        let key = Key::first(folder, kind::INODE_ITEM);
        let Some(mut item) = self.item(key)? else { return Ok(()) };
        let size = u64_at(&item, SIZE.start).unwrap_or(0);
        let change = (name_bytes as u64).saturating_mul(2);
        let size = if is_longer { size.saturating_add(change) } else { size.saturating_sub(change) };
        if let Some(field) = item.get_mut(SIZE) {
            field.copy_from_slice(&size.to_le_bytes());
        }
        self.put(key, item);
        Ok(())
    }

    /// Returns the key of the item that finds a name in a folder.
    pub(super) fn name_key(folder: u64, name: &[u8]) -> Key {
        Key::new(folder, kind::DIR_ITEM, u64::from(name_hash(name)))
    }
}

/// Tells whether a name is among directory items.
pub(super) fn has_name(item: &[u8], name: &[u8]) -> Result<bool, FsError> {
    for entry in DirectoryItems::new(item) {
        if entry?.name == name {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Merges the inode that the log has with the one that is there.
fn merged_inode(present: Option<&[u8]>, logged: &[u8]) -> Result<Vec<u8>, FsError> {
    let new = Inode::read(logged)?;
    let mut item = logged.to_vec();
    let size = |bytes: u64| bytes.to_le_bytes();
    let Some(present) = present else {
        // The size of a new folder grows with the names that follow.
        if new.node.kind == Kind::Folder
            && let Some(field) = item.get_mut(SIZE)
        {
            field.copy_from_slice(&size(0));
        }
        return Ok(item);
    };
    let old = Inode::read(present)?;
    // An inode of no generation is in the log only because something else needs it to exist.
    if u64_at(logged, 0) == Some(0) {
        let mut item = present.to_vec();
        let are_files = new.node.kind == Kind::File && old.node.kind == Kind::File;
        if let (true, Some(field)) = (are_files && new.node.bytes != 0, item.get_mut(SIZE)) {
            field.copy_from_slice(&size(new.node.bytes));
        }
        return Ok(item);
    }
    if new.node.kind == Kind::Folder
        && old.node.kind == Kind::Folder
        && let Some(field) = item.get_mut(SIZE)
    {
        field.copy_from_slice(&size(old.node.bytes));
    }
    Ok(item)
}
