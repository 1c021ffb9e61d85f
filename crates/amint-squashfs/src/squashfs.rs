//! The file system itself.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use amint_fs::{FileSystem, FsError, Info, Node, NodeId, OpenFile, Visit, Xattr};
use amint_types::ReadAt;

use crate::content::Content;
use crate::directory;
use crate::error::{KIND, damaged};
use crate::image::Image;
use crate::inode::{Detail, Inode};
use crate::superblock;
use crate::xattr;

/// A squashfs. The number of a node is the place of its inode in the table: block and offset, as the format refers to it.
pub struct Squashfs {
    image: Image,
    info: Info,
}

impl Squashfs {
    /// Tells whether there is a squashfs of any version; never fails.
    pub fn probe(source: &dyn ReadAt) -> bool {
        superblock::is_there(source)
    }

    /// Opens a squashfs.
    ///
    /// # Errors
    /// [`FsError::NotThis`] where there is none; [`FsError::Unsupported`] for versions before 4.0 and unknown compressions;
    /// [`FsError::Damaged`] where the superblock or the topmost folder makes no sense.
    pub fn open(source: Arc<dyn ReadAt>) -> Result<Self, FsError> {
        let image = Image::open(source)?;
        let superblock = image.superblock();
        let info = Info {
            kind: KIND,
            label: None,
            uuid: None,
            block_bytes: u64::from(superblock.block_bytes),
            size_bytes: superblock.used_bytes,
            notes: Vec::new(),
        };
        let (root, _) = Inode::read(&image, superblock.root)?;
        if !matches!(root.detail, Detail::Folder(_)) {
            return Err(damaged("the topmost folder is none"));
        }
        Ok(Self { image, info })
    }

    fn inode(&self, id: NodeId) -> Result<Inode, FsError> {
        self.check(id)?;
        Inode::read(&self.image, id.number).map(|(inode, _)| inode)
    }

    fn check(&self, id: NodeId) -> Result<(), FsError> {
        // Tables come in this order; a place behind the inodes would be read as whatever is there.
        let superblock = self.image.superblock();
        let inodes_bytes = superblock.directory_table.saturating_sub(superblock.inode_table);
        if id.tree != 0 || id.number >> 16 >= inodes_bytes {
            return Err(FsError::NotFound);
        }
        Ok(())
    }
}

impl FileSystem for Squashfs {
    fn info(&self) -> &Info {
        &self.info
    }

    fn root(&self) -> NodeId {
        NodeId::new(self.image.superblock().root)
    }

    fn node(&self, id: NodeId) -> Result<Node, FsError> {
        self.inode(id).map(|inode| inode.node)
    }

    fn read_dir(&self, id: NodeId, visit: &mut Visit<'_>) -> Result<(), FsError> {
        match self.inode(id)?.detail {
            Detail::Folder(listing) => directory::visit(&self.image, listing, visit),
            _ => Err(FsError::WrongKind("a folder")),
        }
    }

    fn read_link(&self, id: NodeId) -> Result<Vec<u8>, FsError> {
        match self.inode(id)?.detail {
            Detail::Link(target) => Ok(target),
            _ => Err(FsError::WrongKind("a symbolic link")),
        }
    }

    fn open(&self, id: NodeId) -> Result<Box<dyn OpenFile + '_>, FsError> {
        self.check(id)?;
        let (inode, lengths) = Inode::read(&self.image, id.number)?;
        match inode.detail {
            Detail::File(layout) => {
                Ok(Box::new(Content::new(&self.image, inode.node.bytes, layout, lengths)?))
            }
            _ => Err(FsError::WrongKind("a regular file")),
        }
    }

    fn xattrs(&self, id: NodeId) -> Result<Vec<Xattr>, FsError> {
        match self.inode(id)?.xattrs {
            Some(index) => xattr::read(&self.image, index),
            None => Ok(Vec::new()),
        }
    }

    fn position(&self, id: NodeId) -> Result<Option<u64>, FsError> {
        let inode = self.inode(id)?;
        let Detail::File(layout) = inode.detail else { return Ok(None) };
        let block_bytes = u64::from(self.image.superblock().block_bytes);
        match layout.fragment {
            _ if inode.node.bytes == 0 => Ok(None),
            Some((fragment, _)) if inode.node.bytes < block_bytes => {
                self.image.fragment_place(fragment).map(|stored| Some(stored.place))
            }
            // A file that is all hole has its first block nowhere.
            _ => Ok(Some(layout.start).filter(|start| *start != 0)),
        }
    }

    fn free_ranges(&self, _: &mut dyn FnMut(Range<u64>) -> ControlFlow<()>) -> Result<(), FsError> {
        Ok(())
    }
}
