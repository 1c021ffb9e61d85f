//! What the index holds.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use amint_fs::{FsError, Kind, NodeId, OpenFile, Xattr, read_all};

use super::build::Mount;

/// The place of an entry in an [`Index`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryId(pub(super) u32);

impl EntryId {
    pub(crate) const ROOT: Self = Self(0);

    pub(super) fn at(self) -> usize {
        self.0 as usize
    }
}

/// One name of an image.
#[derive(Clone, Debug)]
pub struct Entry {
    pub(super) name: Box<[u8]>,
    pub(super) parent: u32,
    pub(super) first_child: u32,
    pub(super) child_count: u32,
    pub(super) mount: u16,
    pub(super) node: NodeId,
    pub(super) position: Option<u64>,
    /// It, or what lies in it, could not be read: what is not found there may still be there.
    pub(crate) is_unread: bool,
    /// What it is.
    pub kind: Kind,
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Size in bytes.
    pub bytes: u64,
    /// How many names it has.
    pub nlink: u64,
    /// Last change of the content, in seconds since 1970.
    pub modified: i64,
}

impl Entry {
    /// Returns the last name of its path; empty for the root.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// Returns its node in its file system.
    pub(crate) fn node(&self) -> NodeId {
        self.node
    }

    /// Returns the number of its file system among [`Index::mounts`].
    pub fn mount_number(&self) -> u16 {
        self.mount
    }
}

/// Every name of an image, with its file systems put together as the image itself would mount them.
pub struct Index {
    pub(super) entries: Vec<Entry>,
    pub(super) mounts: Vec<Mount>,
}

impl Index {
    /// Returns how many names there are, the root among them.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Tells whether nothing at all was found below the root.
    pub fn is_empty(&self) -> bool {
        self.entries.len() <= 1
    }

    /// Returns the file systems, in the order in which they were given.
    pub fn mounts(&self) -> &[Mount] {
        &self.mounts
    }

    /// Returns an entry.
    pub fn entry(&self, id: EntryId) -> &Entry {
        &self.entries[id.at()]
    }

    /// Goes through all entries, folders before what is in them.
    pub fn iter(&self) -> impl Iterator<Item = (EntryId, &Entry)> {
        (0..).map(EntryId).zip(&self.entries)
    }

    /// Returns the absolute path of an entry, as bytes.
    pub fn path(&self, id: EntryId) -> Vec<u8> {
        let mut names = Vec::new();
        let mut at = id;
        while at != EntryId::ROOT {
            let entry = self.entry(at);
            names.push(&*entry.name);
            at = EntryId(entry.parent);
        }
        let mut path = Vec::with_capacity(names.iter().map(|name| name.len() + 1).sum::<usize>().max(1));
        for name in names.iter().rev() {
            path.push(b'/');
            path.extend_from_slice(name);
        }
        if path.is_empty() {
            path.push(b'/');
        }
        path
    }

    /// Returns the path as text, with what is no UTF-8 replaced.
    pub fn path_text(&self, id: EntryId) -> String {
        String::from_utf8_lossy(&self.path(id)).into_owned()
    }

    /// Returns what lies in a folder, sorted by name.
    pub fn children(&self, id: EntryId) -> impl Iterator<Item = (EntryId, &Entry)> {
        let entry = self.entry(id);
        let first = entry.first_child;
        (first..first.saturating_add(entry.child_count)).map(EntryId).map(|id| (id, self.entry(id)))
    }

    /// Looks up one name in a folder.
    pub fn child(&self, folder: EntryId, name: &[u8]) -> Option<EntryId> {
        let entry = self.entry(folder);
        let first = entry.first_child as usize;
        let children = self.entries.get(first..first + entry.child_count as usize)?;
        let at = children.binary_search_by(|child| (*child.name).cmp(name)).ok()?;
        u32::try_from(first + at).ok().map(EntryId)
    }

    /// Looks up a canonical path: no link is followed.
    pub fn find_exact(&self, path: &[u8]) -> Option<EntryId> {
        let names = path.split(|byte| *byte == b'/').filter(|name| !name.is_empty());
        names.into_iter().try_fold(EntryId::ROOT, |at, name| self.child(at, name))
    }

    /// Finds what a path leads to, following links inside the image, also at its end.
    pub fn find(&self, path: &[u8]) -> Option<EntryId> {
        self.follow(path, true).ok()
    }

    /// Finds what a path leads to, following links in its middle only.
    pub fn find_itself(&self, path: &[u8]) -> Option<EntryId> {
        self.follow(path, false).ok()
    }

    pub(super) fn follow(&self, path: &[u8], follows_last: bool) -> Result<EntryId, Missing> {
        let mut pending: Vec<Vec<u8>> = names(path);
        let mut at = EntryId::ROOT;
        let mut links = 0;
        while let Some(name) = pending.pop() {
            if name == b".." {
                at = EntryId(self.entry(at).parent);
                continue;
            }
            if self.entry(at).kind != Kind::Folder {
                return Err(Missing::NotAFolder);
            }
            let next = self.child(at, &name).ok_or(Missing::NotFound)?;
            if self.entry(next).kind != Kind::Link || (pending.is_empty() && !follows_last) {
                at = next;
                continue;
            }
            links += 1;
            if links > amint_fs::LINKS_MAX {
                return Err(Missing::Loop);
            }
            let target = self.read_link(next).map_err(Missing::Unread)?;
            if target.first() == Some(&b'/') {
                at = EntryId::ROOT;
            }
            pending.extend(names(&target));
        }
        Ok(at)
    }

    /// Returns what a symbolic link says.
    pub fn read_link(&self, id: EntryId) -> Result<Vec<u8>, FsError> {
        let entry = self.entry(id);
        self.mount_of(entry)?.file_system.read_link(entry.node)
    }

    /// Opens a regular file.
    pub fn open(&self, id: EntryId) -> Result<Box<dyn OpenFile + '_>, FsError> {
        let entry = self.entry(id);
        if entry.kind != Kind::File {
            return Err(FsError::WrongKind("a file"));
        }
        self.mount_of(entry)?.file_system.open(entry.node)
    }

    /// Reads a whole file of at most `limit_bytes`.
    pub fn read(&self, id: EntryId, limit_bytes: u64) -> Result<Vec<u8>, FsError> {
        let mount = self.mount_of(self.entry(id))?;
        let bytes = read_all(self.open(id)?.as_mut(), limit_bytes, mount.file_system.info().kind)?;
        mount.read_bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(bytes)
    }

    /// Returns the extended attributes, sorted by name.
    pub fn xattrs(&self, id: EntryId) -> Result<Vec<Xattr>, FsError> {
        let entry = self.entry(id);
        self.mount_of(entry)?.file_system.xattrs(entry.node)
    }

    fn mount_of(&self, entry: &Entry) -> Result<&Mount, FsError> {
        self.mounts.get(usize::from(entry.mount)).ok_or(FsError::NotFound)
    }

    /// Sorts files into the order of the disk: file system by file system, then by where their content begins. Further names
    /// of one file come together.
    pub fn sort_by_position(&self, ids: &mut [EntryId]) {
        ids.sort_by_cached_key(|id| {
            let entry = self.entry(*id);
            (entry.mount, entry.position.unwrap_or(0), entry.node, *id)
        });
    }

    /// Counts the names of each file system.
    pub fn names_by_mount(&self) -> HashMap<usize, u64> {
        let mut counts = HashMap::new();
        for entry in &self.entries {
            *counts.entry(usize::from(entry.mount)).or_default() += 1;
        }
        counts
    }
}

/// Why a path leads nowhere.
pub(super) enum Missing {
    NotFound,
    NotAFolder,
    Loop,
    Unread(FsError),
}

/// Splits a path into names, last first.
fn names(path: &[u8]) -> Vec<Vec<u8>> {
    let is_name = |name: &&[u8]| !name.is_empty() && *name != b".";
    path.split(|byte| *byte == b'/').rev().filter(is_name).map(<[u8]>::to_vec).collect()
}
