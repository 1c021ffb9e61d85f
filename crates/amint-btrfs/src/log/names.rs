//! Names in folders and the references of inodes to them.

use amint_fs::{FsError, Kind};

use super::replay::{Replay, has_name};
use crate::item::{DirectoryItems, Inode, Reference, check_name, directory_item};
use crate::key::{Key, kind};

impl Replay<'_> {
    /// Adds a name of a folder, unless a reference in the log will do so.
    pub(super) fn directory_index(&mut self, key: Key, item: &[u8]) -> Result<(), FsError> {
        for entry in DirectoryItems::new(item) {
            let entry = entry?;
            check_name(entry.name)?;
            let number = entry.target.object;
            if entry.target.kind != kind::INODE_ITEM
                || self.item(Key::first(number, kind::INODE_ITEM))?.is_none()
                || self.is_linked(key.object, key.offset, entry.name, number)?
                || self.is_reference_logged(number, key.object, entry.name)?
            {
                continue;
            }
            let reference = Reference { parent: key.object, index: key.offset, name: entry.name.to_vec() };
            self.make_room(&reference)?;
            self.link(number, &reference)?;
            self.add_reference(number, &reference)?;
        }
        Ok(())
    }

    /// Takes over the references of an inode to names, and makes the folders fit.
    pub(super) fn references(&mut self, key: Key, item: &[u8]) -> Result<(), FsError> {
        let number = key.object;
        if self.item(Key::first(number, kind::INODE_ITEM))?.is_none() {
            return Ok(());
        }
        let logged = Reference::read_all(key, item)?;
        let mut has_all_folders = true;
        for reference in &logged {
            if self.item(Key::first(reference.parent, kind::INODE_ITEM))?.is_none() {
                has_all_folders = false;
                continue;
            }
            if reference.name == b".."
                || self.is_linked(reference.parent, reference.index, &reference.name, number)?
            {
                continue;
            }
            self.make_room(reference)?;
            self.link(number, reference)?;
        }
        // Names that the inode no longer has.
        if let Some(present) = self.item(key)? {
            for old in Reference::read_all(key, &present)? {
                let is_kept = logged.iter().any(|new| new.parent == old.parent && new.name == old.name);
                if !is_kept {
                    self.unlink(old.parent, old.index, &old.name, number)?;
                }
            }
        }
        if has_all_folders {
            self.put(key, item.to_vec());
        }
        self.relinked.insert(number);
        Ok(())
    }

    /// Tells whether a folder has a name at a place that leads to an inode.
    fn is_linked(&self, folder: u64, index: u64, name: &[u8], number: u64) -> Result<bool, FsError> {
        let leads = |item: Option<Vec<u8>>| -> Result<bool, FsError> {
            for entry in DirectoryItems::new(item.as_deref().unwrap_or_default()) {
                let entry = entry?;
                if entry.name == name && entry.target.object == number {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        Ok(leads(self.item(Key::new(folder, kind::DIR_INDEX, index))?)?
            && leads(self.item(Self::name_key(folder, name))?)?)
    }

    /// Tells whether the log has a reference of an inode to a name.
    fn is_reference_logged(&self, number: u64, parent: u64, name: &[u8]) -> Result<bool, FsError> {
        let range = Key::first(number, kind::INODE_REF)..=Key::last(number, kind::INODE_EXTREF);
        for (key, item) in self.log.range(range) {
            if Reference::read_all(*key, item)?
                .iter()
                .any(|found| found.parent == parent && found.name == name)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Removes what stands where a name is about to be: the same name, or the same place.
    fn make_room(&mut self, reference: &Reference) -> Result<(), FsError> {
        let folder = reference.parent;
        let mut old = Vec::new();
        let at_index = self.item(Key::new(folder, kind::DIR_INDEX, reference.index))?;
        for entry in DirectoryItems::new(at_index.as_deref().unwrap_or_default()) {
            let entry = entry?;
            if entry.target.kind != kind::INODE_ITEM {
                continue;
            }
            old.push((Some(reference.index), entry.name.to_vec(), entry.target.object));
        }
        let by_name = self.item(Self::name_key(folder, &reference.name))?;
        for entry in DirectoryItems::new(by_name.as_deref().unwrap_or_default()) {
            let entry = entry?;
            if entry.name == reference.name && entry.target.kind == kind::INODE_ITEM {
                old.push((None, entry.name.to_vec(), entry.target.object));
            }
        }
        for (index, name, number) in old {
            let index = match index {
                Some(index) => Some(index),
                None => self.index_of(folder, &name, number)?,
            };
            if let Some(index) = index {
                self.unlink(folder, index, &name, number)?;
            }
        }
        Ok(())
    }

    /// Finds the place of a name in a folder by the references of its inode.
    fn index_of(&self, folder: u64, name: &[u8], number: u64) -> Result<Option<u64>, FsError> {
        let range = (Key::first(number, kind::INODE_REF), Key::last(number, kind::INODE_EXTREF));
        for (key, item) in self.items(range.0, range.1)? {
            let found = Reference::read_all(key, &item)?
                .into_iter()
                .find(|reference| reference.parent == folder && reference.name == name);
            if let Some(found) = found {
                return Ok(Some(found.index));
            }
        }
        Ok(None)
    }

    /// Makes a name lead to an inode, in both indexes of the folder.
    fn link(&mut self, number: u64, reference: &Reference) -> Result<(), FsError> {
        let Some(inode) = self.item(Key::first(number, kind::INODE_ITEM))? else { return Ok(()) };
        let entry = directory_item(number, entry_kind(Inode::read(&inode)?.node.kind), &reference.name);
        let folder = reference.parent;
        let key = Self::name_key(folder, &reference.name);
        let mut named = self.item(key)?.unwrap_or_default();
        if !has_name(&named, &reference.name)? {
            named.extend_from_slice(&entry);
            self.put(key, named);
            self.resize_folder(folder, reference.name.len(), true)?;
        }
        self.put(Key::new(folder, kind::DIR_INDEX, reference.index), entry);
        self.relinked.insert(number);
        Ok(())
    }

    /// Adds a reference that the log does not have.
    fn add_reference(&mut self, number: u64, reference: &Reference) -> Result<(), FsError> {
        let key = Key::new(number, kind::INODE_REF, reference.parent);
        let mut item = self.item(key)?.unwrap_or_default();
        if !Reference::read_all(key, &item)?.contains(reference) {
            reference.write(kind::INODE_REF, &mut item);
            self.put(key, item);
        }
        Ok(())
    }

    /// Removes a name from a folder and the inode's reference to it.
    pub(super) fn unlink(
        &mut self,
        folder: u64,
        index: u64,
        name: &[u8],
        number: u64,
    ) -> Result<(), FsError> {
        let mut is_gone = false;
        for key in [Key::new(folder, kind::DIR_INDEX, index), Self::name_key(folder, name)] {
            let Some(item) = self.item(key)? else { continue };
            let mut kept = Vec::new();
            for entry in DirectoryItems::new(&item) {
                let entry = entry?;
                if entry.name == name && entry.target.object == number {
                    is_gone |= key.kind == kind::DIR_ITEM;
                } else {
                    kept.extend_from_slice(entry.raw);
                }
            }
            self.put_or_remove(key, kept);
        }
        if is_gone {
            self.resize_folder(folder, name.len(), false)?;
        }
        let range = (Key::first(number, kind::INODE_REF), Key::last(number, kind::INODE_EXTREF));
        for (key, item) in self.items(range.0, range.1)? {
            let references = Reference::read_all(key, &item)?;
            let is_meant = |found: &Reference| found.parent == folder && found.name == name;
            if references.iter().any(is_meant) {
                let mut kept = Vec::new();
                references
                    .iter()
                    .filter(|found| !is_meant(found))
                    .for_each(|found| found.write(key.kind, &mut kept));
                self.put_or_remove(key, kept);
            }
        }
        self.relinked.insert(number);
        Ok(())
    }
}

/// Returns the number that names of folders have for a kind.
fn entry_kind(kind: Kind) -> u8 {
    match kind {
        Kind::File => 1,
        Kind::Folder => 2,
        Kind::CharDevice => 3,
        Kind::BlockDevice => 4,
        Kind::Pipe => 5,
        Kind::Socket => 6,
        Kind::Link => 7,
    }
}
