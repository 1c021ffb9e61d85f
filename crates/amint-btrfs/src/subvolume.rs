//! Subvolumes: trees of files, and where each one appears in another (btrfs on-disk format, "Root tree").

use std::collections::{BTreeMap, HashSet};

use amint_fs::FsError;

use crate::bytes::{u8_at, u16_at, u32_at, u64_at};
use crate::error::{damaged, over_limit, short};
use crate::item::DirectoryItems;
use crate::key::{Key, kind, object};
use crate::tree::{Pointer, Tree};
use crate::volume::Volume;

/// How many subvolumes and snapshots a file system may have.
const SUBVOLUMES_MAX: usize = 100_000;
/// Bytes of a root item up to the level of its tree.
const LEVEL_AT: usize = 238;
/// The flag of subvolumes that cannot be written.
const READ_ONLY: u64 = 1;

/// One subvolume.
#[derive(Clone, Debug)]
pub(crate) struct Root {
    pub(crate) tree: Tree,
    /// The inode of its topmost folder.
    pub(crate) folder: u64,
    pub(crate) is_read_only: bool,
    /// Where it appears; none for the topmost one.
    pub(crate) place: Option<Place>,
}

/// Where a subvolume appears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// In which subvolume.
    pub(crate) parent: u64,
    /// In which folder of it.
    pub(crate) folder: u64,
    pub(crate) name: Vec<u8>,
}

/// The trees that the root tree names.
#[derive(Debug)]
pub(crate) struct Roots {
    pub(crate) subvolumes: BTreeMap<u64, Root>,
    pub(crate) extents: Option<Tree>,
    pub(crate) checksums: Option<Tree>,
    /// The subvolume that is mounted when none is asked for.
    pub(crate) default: u64,
}

impl Roots {
    /// Reads the root tree.
    pub(crate) fn read(volume: &Volume) -> Result<Self, FsError> {
        let tree = Tree::new(volume.superblock().root);
        let mut roots = Self {
            subvolumes: BTreeMap::new(),
            extents: None,
            checksums: None,
            default: object::TOP_SUBVOLUME,
        };
        let mut places = BTreeMap::new();
        let all = (Key::new(0, 0, 0), Key::new(u64::MAX, u8::MAX, u64::MAX));
        tree.each(volume, all.0, all.1, &mut |key, item| match key.kind {
            kind::ROOT_ITEM => roots.add(key.object, item),
            kind::ROOT_REF => {
                if places.len() >= SUBVOLUMES_MAX {
                    return Err(over_limit(format!("more than {SUBVOLUMES_MAX} places of subvolumes")));
                }
                // The first one is kept: a subvolume with two places could lead in circles.
                if let std::collections::btree_map::Entry::Vacant(entry) = places.entry(key.offset) {
                    entry.insert(Place::read(key.object, item)?);
                }
                Ok(())
            }
            _ => Ok(()),
        })?;
        for (id, place) in places {
            if id != object::TOP_SUBVOLUME
                && let Some(root) = roots.subvolumes.get_mut(&id)
            {
                root.place = Some(place);
            }
        }
        roots.find_default(volume, &tree)?;
        roots.refuse_circle()?;
        Ok(roots)
    }

    /// Takes note of one root item.
    fn add(&mut self, id: u64, item: &[u8]) -> Result<(), FsError> {
        let is_subvolume =
            id == object::TOP_SUBVOLUME || (object::FIRST_FREE..=object::LAST_FREE).contains(&id);
        if !is_subvolume && id != object::EXTENT_TREE && id != object::CHECKSUM_TREE {
            return Ok(());
        }
        let tree = Tree::new(root_pointer(item)?);
        match id {
            object::EXTENT_TREE => self.extents = Some(tree),
            object::CHECKSUM_TREE => self.checksums = Some(tree),
            _ => {
                let missing = || short("a root item");
                let references = u32_at(item, 216).ok_or_else(missing)?;
                // Without references it is being deleted, perhaps already in part.
                if references == 0 {
                    return Ok(());
                }
                if self.subvolumes.len() >= SUBVOLUMES_MAX {
                    return Err(over_limit(format!("more than {SUBVOLUMES_MAX} subvolumes")));
                }
                let folder = u64_at(item, 168).ok_or_else(missing)?;
                let is_read_only = u64_at(item, 208).ok_or_else(missing)? & READ_ONLY != 0;
                self.subvolumes.insert(id, Root { tree, folder, is_read_only, place: None });
            }
        }
        Ok(())
    }

    /// Reads which subvolume is the default.
    fn find_default(&mut self, volume: &Volume, tree: &Tree) -> Result<(), FsError> {
        let folder = volume.superblock().root_folder;
        let (from, to) = (Key::first(folder, kind::DIR_ITEM), Key::last(folder, kind::DIR_ITEM));
        tree.each(volume, from, to, &mut |_, item| {
            for entry in DirectoryItems::new(item) {
                let entry = entry?;
                if entry.name == b"default" && entry.target.kind == kind::ROOT_ITEM {
                    self.default = entry.target.object;
                }
            }
            Ok(())
        })?;
        if self.subvolumes.contains_key(&self.default) {
            return Ok(());
        }
        Err(damaged(format!("the default subvolume {} is not there", self.default)))
    }

    /// Refuses a default subvolume that lies within itself. Every other circle cannot be reached from a root, since
    /// each subvolume has one place only.
    fn refuse_circle(&self) -> Result<(), FsError> {
        let mut seen = HashSet::new();
        let mut next = Some(self.default);
        while let Some(id) = next {
            if !seen.insert(id) {
                return Err(damaged(format!("the subvolume {id} lies within itself")));
            }
            next = self.subvolumes.get(&id).and_then(|root| root.place.as_ref()).map(|place| place.parent);
        }
        Ok(())
    }
}

impl Place {
    fn read(parent: u64, item: &[u8]) -> Result<Self, FsError> {
        let missing = || short("a place of a subvolume");
        let folder = u64_at(item, 0).ok_or_else(missing)?;
        let bytes = usize::from(u16_at(item, 16).ok_or_else(missing)?);
        let name = item.get(18..18 + bytes).ok_or_else(missing)?.to_vec();
        Ok(Self { parent, folder, name })
    }
}

/// Reads where the tree of a root item is.
pub(crate) fn root_pointer(item: &[u8]) -> Result<Pointer, FsError> {
    let missing = || short("a root item");
    Ok(Pointer {
        generation: u64_at(item, 160).ok_or_else(missing)?,
        logical: u64_at(item, 176).ok_or_else(missing)?,
        level: u8_at(item, LEVEL_AT).ok_or_else(missing)?,
    })
}
