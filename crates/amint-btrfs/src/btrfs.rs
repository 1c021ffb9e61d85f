//! The file system itself.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use amint_fs::{
    ENTRIES_MAX, Entry, FileSystem, FsError, Info, Kind, Node, NodeId, OpenFile, Visit, XATTR_BYTES_MAX,
    Xattr, read_all,
};
use amint_types::ReadAt;
use uuid::Uuid;

use crate::checksum::name_hash;
use crate::content::Content;
use crate::error::{KIND, damaged, over_limit};
use crate::free;
use crate::item::{DirectoryItem, DirectoryItems, Inode, check_name, kind_of_entry};
use crate::key::{Key, kind, object};
use crate::log;
use crate::subvolume::{Root, Roots};
use crate::superblock::{self, PLACES};
use crate::volume::Volume;

/// The longest target of a symbolic link, in bytes: what Linux allows.
const LINK_BYTES_MAX: u64 = 4096;
/// How many extended attributes one node may have.
const XATTRS_MAX: usize = 4096;
/// The permissions of the folder that stands for a subvolume that is elsewhere.
const EMPTY_SUBVOLUME_MODE: u32 = 0o755;

/// A btrfs on one device.
///
/// The number of a node is that of its inode, its tree is its subvolume. Subvolumes appear as folders where they were made;
/// in snapshots of what holds them they are empty folders, as the kernel shows them.
#[derive(Clone)]
pub struct Btrfs {
    shared: Arc<Shared>,
    root: NodeId,
    info: Info,
}

struct Shared {
    volume: Volume,
    roots: Roots,
    /// Addresses that only the log uses.
    logged: Vec<Range<u64>>,
}

/// What is known of a subvolume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subvolume {
    /// Its number: 5 for the topmost one.
    pub id: u64,
    /// The number of the subvolume that holds it; none for the topmost one.
    pub parent: Option<u64>,
    /// Its name there; empty for the topmost one.
    pub name: Vec<u8>,
    /// Its topmost folder.
    pub root: NodeId,
    /// Whether it cannot be written: a snapshot made so.
    pub is_read_only: bool,
    /// Whether it is what is mounted when none is asked for.
    pub is_default: bool,
}

impl Btrfs {
    /// Tells whether there is a btrfs; never fails.
    pub fn probe(source: &dyn ReadAt) -> bool {
        superblock::is_there(source)
    }

    /// Opens a btrfs at its default subvolume.
    ///
    /// # Errors
    /// [`FsError::NotThis`] where there is none; [`FsError::Unsupported`] over several devices and with unknown features;
    /// [`FsError::Damaged`] where superblock, chunks or the tree of roots cannot be read.
    pub fn open(source: Arc<dyn ReadAt>) -> Result<Self, FsError> {
        let volume = Volume::open(source)?;
        let mut roots = Roots::read(&volume)?;
        let mut notes = Vec::new();
        let logged = log::replay(&volume, &mut roots, &mut notes);
        let info = info(&volume, &roots, notes);
        let shared = Arc::new(Shared { volume, roots, logged });
        let root = shared.root_of(shared.roots.default)?;
        Ok(Self { shared, root, info })
    }

    /// Returns all subvolumes and snapshots by number.
    pub fn subvolumes(&self) -> Vec<Subvolume> {
        let roots = &self.shared.roots;
        let tell = |(id, root): (&u64, &Root)| Subvolume {
            id: *id,
            parent: root.place.as_ref().map(|place| place.parent),
            name: root.place.as_ref().map(|place| place.name.clone()).unwrap_or_default(),
            root: NodeId { tree: *id, number: root.folder },
            is_read_only: root.is_read_only,
            is_default: *id == roots.default,
        };
        roots.subvolumes.iter().map(tell).collect()
    }

    /// Returns the same file system with another subvolume as its root: 5 shows all of it.
    ///
    /// # Errors
    /// [`FsError::NotFound`] where there is no such subvolume.
    pub fn at_subvolume(&self, id: u64) -> Result<Self, FsError> {
        Ok(Self { root: self.shared.root_of(id)?, ..self.clone() })
    }
}

/// Gathers what is known of the file system as a whole.
fn info(volume: &Volume, roots: &Roots, mut notes: Vec<String>) -> Info {
    let superblock = volume.superblock();
    if let Some(place) = PLACES.get(superblock.mirror).filter(|_| superblock.mirror > 0) {
        notes.push(format!("the first superblock is damaged; the mirror at {place} was read"));
    }
    if roots.default != object::TOP_SUBVOLUME {
        let name = roots
            .subvolumes
            .get(&roots.default)
            .and_then(|root| root.place.as_ref())
            .map(|place| String::from_utf8_lossy(&place.name).into_owned())
            .unwrap_or_default();
        notes.push(format!(
            "the default subvolume is {} (`{name}`), one of {}; what lies outside it is not seen from its root",
            roots.default,
            roots.subvolumes.len(),
        ));
    }
    let label = String::from_utf8_lossy(&superblock.label).into_owned();
    Info {
        kind: KIND,
        label: Some(label).filter(|label| !label.is_empty()),
        uuid: Some(Uuid::from_bytes(superblock.id).to_string()),
        block_bytes: u64::from(superblock.sector_bytes),
        size_bytes: superblock.total_bytes,
        notes,
    }
}

impl Shared {
    fn root_of(&self, subvolume: u64) -> Result<NodeId, FsError> {
        Ok(NodeId { tree: subvolume, number: self.subvolume(subvolume)?.folder })
    }

    fn subvolume(&self, id: u64) -> Result<&Root, FsError> {
        self.roots.subvolumes.get(&id).ok_or(FsError::NotFound)
    }

    fn inode(&self, id: NodeId) -> Result<Inode, FsError> {
        let root = self.subvolume(id.tree)?;
        let key = Key::first(id.number, kind::INODE_ITEM);
        if let Some(inode) = root.tree.find(&self.volume, key, Inode::read)? {
            return Ok(inode);
        }
        if id.number == object::EMPTY_SUBVOLUME {
            return Ok(empty_subvolume());
        }
        Err(FsError::NotFound)
    }

    /// Opens what has content: files and links.
    fn content(&self, id: NodeId, inode: &Inode) -> Result<Content<'_>, FsError> {
        Content::new(&self.volume, &self.roots, self.subvolume(id.tree)?, id.number, inode)
    }

    /// Returns what a name leads to.
    fn target(&self, folder: NodeId, item: &DirectoryItem<'_>) -> Result<(NodeId, Option<Kind>), FsError> {
        check_name(item.name)?;
        match item.target.kind {
            kind::INODE_ITEM => {
                let node = NodeId { tree: folder.tree, number: item.target.object };
                Ok((node, kind_of_entry(item.kind)))
            }
            kind::ROOT_ITEM => {
                let id = item.target.object;
                let is_here =
                    self.roots.subvolumes.get(&id).and_then(|root| root.place.as_ref()).is_some_and(
                        |place| {
                            (place.parent, place.folder) == (folder.tree, folder.number)
                                && place.name == item.name
                        },
                    );
                let node = if is_here {
                    self.root_of(id)?
                } else {
                    NodeId { tree: folder.tree, number: object::EMPTY_SUBVOLUME }
                };
                Ok((node, Some(Kind::Folder)))
            }
            other => Err(damaged(format!("a name that leads to an item of kind {other}"))),
        }
    }

    fn expect_folder(&self, id: NodeId) -> Result<&Root, FsError> {
        if self.inode(id)?.node.kind != Kind::Folder {
            return Err(FsError::WrongKind("a folder"));
        }
        self.subvolume(id.tree)
    }
}

/// The folder that stands for a subvolume that is elsewhere.
fn empty_subvolume() -> Inode {
    let node = Node {
        kind: Kind::Folder,
        mode: EMPTY_SUBVOLUME_MODE,
        uid: 0,
        gid: 0,
        bytes: 0,
        nlink: 1,
        modified: (0, 0),
        changed: (0, 0),
        accessed: (0, 0),
        born: None,
        device: None,
    };
    Inode { node, has_sums: true }
}

impl FileSystem for Btrfs {
    fn info(&self) -> &Info {
        &self.info
    }

    fn root(&self) -> NodeId {
        self.root
    }

    fn node(&self, id: NodeId) -> Result<Node, FsError> {
        self.shared.inode(id).map(|inode| inode.node)
    }

    fn read_dir(&self, id: NodeId, visit: &mut Visit<'_>) -> Result<(), FsError> {
        let root = self.shared.expect_folder(id)?;
        let mut count = 0;
        let (from, to) = (Key::first(id.number, kind::DIR_INDEX), Key::last(id.number, kind::DIR_INDEX));
        root.tree.walk(&self.shared.volume, from, to, &mut |_, item| {
            for item in DirectoryItems::new(item) {
                let item = item?;
                count += 1;
                if count > ENTRIES_MAX {
                    return Err(over_limit(format!("a folder of more than {ENTRIES_MAX} names")));
                }
                let (node, kind) = self.shared.target(id, &item)?;
                if visit(Entry { name: item.name, node, kind }).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            Ok(ControlFlow::Continue(()))
        })
    }

    fn read_link(&self, id: NodeId) -> Result<Vec<u8>, FsError> {
        let inode = self.shared.inode(id)?;
        if inode.node.kind != Kind::Link {
            return Err(FsError::WrongKind("a symbolic link"));
        }
        read_all(&mut self.shared.content(id, &inode)?, LINK_BYTES_MAX, KIND)
    }

    fn open(&self, id: NodeId) -> Result<Box<dyn OpenFile + '_>, FsError> {
        let inode = self.shared.inode(id)?;
        if inode.node.kind != Kind::File {
            return Err(FsError::WrongKind("a regular file"));
        }
        Ok(Box::new(self.shared.content(id, &inode)?))
    }

    fn xattrs(&self, id: NodeId) -> Result<Vec<Xattr>, FsError> {
        let root = self.shared.subvolume(id.tree)?;
        let mut xattrs = Vec::new();
        let (from, to) = (Key::first(id.number, kind::XATTR_ITEM), Key::last(id.number, kind::XATTR_ITEM));
        root.tree.each(&self.shared.volume, from, to, &mut |_, item| {
            for item in DirectoryItems::new(item) {
                let item = item?;
                if item.value.len() > XATTR_BYTES_MAX || xattrs.len() >= XATTRS_MAX {
                    return Err(over_limit("too many or too large extended attributes"));
                }
                xattrs.push(Xattr { name: item.name.to_vec(), value: item.value.to_vec() });
            }
            Ok(())
        })?;
        xattrs.sort();
        Ok(xattrs)
    }

    fn position(&self, id: NodeId) -> Result<Option<u64>, FsError> {
        let inode = self.shared.inode(id)?;
        if inode.node.kind != Kind::File || inode.node.bytes == 0 {
            return Ok(None);
        }
        self.shared.content(id, &inode)?.position()
    }

    fn free_ranges(&self, visit: &mut dyn FnMut(Range<u64>) -> ControlFlow<()>) -> Result<(), FsError> {
        free::visit(&self.shared.volume, &self.shared.roots, &self.shared.logged, visit)
    }

    fn lookup(&self, folder: NodeId, name: &[u8]) -> Result<NodeId, FsError> {
        let root = self.shared.expect_folder(folder)?;
        let key = Key::new(folder.number, kind::DIR_ITEM, u64::from(name_hash(name)));
        let found = root.tree.find(&self.shared.volume, key, |item| {
            for item in DirectoryItems::new(item) {
                let item = item?;
                if item.name == name {
                    return self.shared.target(folder, &item).map(|(node, _)| Some(node));
                }
            }
            Ok(None)
        })?;
        found.flatten().ok_or(FsError::NotFound)
    }
}
