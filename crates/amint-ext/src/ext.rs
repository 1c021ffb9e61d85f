//! The reader itself.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use amint_fs::{FileSystem, FsError, Info, Kind, Node, NodeId, OpenFile, Visit, Xattr};
use amint_types::ReadAt;

use crate::content::Content;
use crate::inode::{Inode, MAP_BYTES, ROOT, flag};
use crate::journal;
use crate::mapping::Mapping;
use crate::superblock::{Superblock, looks_like_one};
use crate::volume::Volume;
use crate::{directory, free, xattr};

/// What Linux lets a symbolic link have.
const LINK_BYTES_MAX: usize = 64 * 1024;
/// The state of a file system that was unmounted.
const STATE_CLEAN: u16 = 0x1;
/// The kernel found errors.
const STATE_ERRORS: u16 = 0x2;

/// An ext2, ext3 or ext4 file system.
pub struct Ext {
    pub(crate) volume: Volume,
    info: Info,
}

impl Ext {
    /// Opens a file system; a journal that was not written back is replayed in memory.
    ///
    /// # Errors
    /// [`FsError::NotThis`] where there is none, [`FsError::Unsupported`] for features that are not known and for an
    /// external journal that would have to be replayed, [`FsError::Damaged`] for what contradicts itself.
    pub fn open(source: Arc<dyn ReadAt>) -> Result<Self, FsError> {
        if !Self::probe(&source) {
            return Err(FsError::NotThis(crate::error::KIND));
        }
        let mut volume = Volume::open(source)?;
        let mut notes = Vec::new();
        if let Some(replay) = journal::replay(&volume, &mut notes)? {
            volume = volume.with_overlay(replay)?;
        }
        state_notes(&volume, &mut notes);
        let superblock = &volume.superblock;
        let label = String::from_utf8_lossy(&superblock.label).into_owned();
        let info = Info {
            kind: superblock.features.kind(),
            label: (!label.is_empty()).then_some(label),
            uuid: superblock.uuid_text(),
            block_bytes: superblock.block_bytes,
            size_bytes: superblock.block_count * superblock.block_bytes,
            notes,
        };
        let ext = Self { volume, info };
        ext.inode(ext.root())?.require(Kind::Folder, "a folder")?;
        Ok(ext)
    }

    /// Tells whether the source looks like such a file system, or like a journal of one.
    pub fn probe(source: &dyn ReadAt) -> bool {
        looks_like_one(source)
    }

    /// Returns the ranges of bytes that the file system's own journal has, in order and merged: old forms of metadata,
    /// and of content where that was logged, lie there.
    ///
    /// # Errors
    /// Fails when the journal's inode or map is damaged.
    pub fn journal_ranges(&self) -> Result<Vec<Range<u64>>, FsError> {
        journal::ranges(&self.volume)
    }

    /// Reads the inode of a node.
    pub(crate) fn inode(&self, id: NodeId) -> Result<Inode, FsError> {
        let number = u32::try_from(id.number).ok().filter(|_| id.tree == 0).ok_or(FsError::NotFound)?;
        Inode::read_used(&self.volume, number)
    }
}

/// Tells what a person should know of how the file system was left.
fn state_notes(volume: &Volume, notes: &mut Vec<String>) {
    let superblock: &Superblock = &volume.superblock;
    if superblock.state & STATE_CLEAN == 0 {
        notes.push("not cleanly unmounted".to_owned());
    }
    if superblock.state & STATE_ERRORS != 0 {
        notes.push("marked as having errors".to_owned());
    }
    if superblock.last_orphan != 0 {
        notes.push("holds files that were deleted while still in use".to_owned());
    }
    let bytes = superblock.block_count.saturating_mul(superblock.block_bytes);
    if volume.source_bytes() < bytes {
        notes.push(format!("cut short: {} of {bytes} bytes are there", volume.source_bytes()));
    }
}

impl FileSystem for Ext {
    fn info(&self) -> &Info {
        &self.info
    }

    fn root(&self) -> NodeId {
        NodeId::new(ROOT.into())
    }

    fn node(&self, id: NodeId) -> Result<Node, FsError> {
        self.inode(id)?.node()
    }

    fn read_dir(&self, id: NodeId, visit: &mut Visit<'_>) -> Result<(), FsError> {
        let inode = self.inode(id)?;
        inode.require(Kind::Folder, "a folder")?;
        directory::read(&self.volume, &inode, visit)
    }

    fn read_link(&self, id: NodeId) -> Result<Vec<u8>, FsError> {
        let inode = self.inode(id)?;
        inode.require(Kind::Link, "a symbolic link")?;
        let in_place = usize::try_from(inode.size_bytes).ok().filter(|bytes| *bytes < MAP_BYTES);
        match in_place {
            Some(bytes) if !inode.has(flag::EXTENTS | flag::INLINE | flag::ENCRYPT) => {
                Ok(inode.map()?.get(..bytes).unwrap_or_default().to_vec())
            }
            _ => Content::open(&self.volume, &inode)?.read_all(LINK_BYTES_MAX),
        }
    }

    fn open(&self, id: NodeId) -> Result<Box<dyn OpenFile + '_>, FsError> {
        let inode = self.inode(id)?;
        inode.require(Kind::File, "a regular file")?;
        Ok(Box::new(Content::open(&self.volume, &inode)?))
    }

    fn xattrs(&self, id: NodeId) -> Result<Vec<Xattr>, FsError> {
        xattr::all(&self.volume, &self.inode(id)?)
    }

    fn position(&self, id: NodeId) -> Result<Option<u64>, FsError> {
        let inode = self.inode(id)?;
        if inode.kind()? != Kind::File || inode.has(flag::INLINE) || inode.size_bytes == 0 {
            return Ok(None);
        }
        let block_bytes = self.volume.superblock.block_bytes;
        let end = inode.size_bytes.div_ceil(block_bytes);
        let first = Mapping::new(&self.volume, &inode)?.first_on_device(end)?;
        Ok(first.map(|block| block * block_bytes))
    }

    fn slack(&self, id: NodeId) -> Result<Option<Range<u64>>, FsError> {
        let inode = self.inode(id)?;
        let block_bytes = self.volume.superblock.block_bytes;
        let used = inode.size_bytes % block_bytes;
        if inode.kind()? != Kind::File || inode.has(flag::INLINE) || used == 0 {
            return Ok(None);
        }
        let last = Mapping::new(&self.volume, &inode)?.run_at(inode.size_bytes / block_bytes)?;
        let start = last.device.and_then(|block| block.checked_mul(block_bytes));
        Ok(start.map(|start| start.saturating_add(used)..start.saturating_add(block_bytes)))
    }

    fn free_ranges(&self, visit: &mut dyn FnMut(Range<u64>) -> ControlFlow<()>) -> Result<(), FsError> {
        free::ranges(&self.volume, visit)
    }
}

impl std::fmt::Debug for Ext {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Ext").field("info", &self.info).finish_non_exhaustive()
    }
}
