//! The file system as a scan sees it.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use amint_fs::{FileSystem, FsError, Info, Kind, Node, NodeId, OpenFile, Visit, Xattr};
use amint_types::ReadAt;

use crate::attributes::read_attributes;
use crate::directory::read_dir;
use crate::disk::Disk;
use crate::extents::visit_extents;
use crate::fields::{KIND, damaged};
use crate::file::File;
use crate::free::visit_free;
use crate::inode::{Format, Inode};
use crate::link::read_link;
use crate::log::replay;
use crate::overlay::Overlay;
use crate::superblock::{MAGIC, SECTOR_BYTES_MAX, SUPERBLOCK_BYTES, Superblock};
use crate::volume::Volume;

/// An open XFS file system.
pub struct Xfs {
    volume: Volume,
    info: Info,
}

/// Tells whether a source looks like XFS. Never fails: what cannot be read is none.
pub fn probe(source: &dyn ReadAt) -> bool {
    let mut magic = [0; 4];
    source.read_exact_at(0, &mut magic).is_ok() && u32::from_be_bytes(magic) == MAGIC
}

impl Xfs {
    /// Opens a file system and replays its journal into memory.
    ///
    /// A journal that cannot be understood is not replayed, and a note in [`Info`] says so.
    ///
    /// # Errors
    /// Fails with [`FsError::NotThis`] for what is no XFS, with [`FsError::Unsupported`] for features that are not known
    /// here, and with [`FsError::Damaged`] for a superblock or a root folder that cannot be trusted.
    pub fn open(source: Arc<dyn ReadAt>) -> Result<Self, FsError> {
        let superblock = read_superblock(&source, &Overlay::default())?;
        let mut notes = Vec::new();
        if superblock.needs_repair {
            notes.push("marked as in need of repair".to_owned());
        }
        if source.size_bytes() < superblock.size_bytes() {
            notes.push(format!(
                "the image ends {} bytes before the file system",
                superblock.size_bytes() - source.size_bytes()
            ));
        }
        let replayed = replay(&source, &superblock);
        notes.extend(replayed.notes);
        // The journal may hold a newer superblock: of a file system that was just grown.
        let superblock = read_superblock(&source, &replayed.overlay)?;
        let info = Info {
            kind: KIND,
            label: (!superblock.label.is_empty())
                .then(|| String::from_utf8_lossy(&superblock.label).into_owned()),
            uuid: Some(format_uuid(superblock.uuid)),
            block_bytes: u64::from(superblock.block_bytes),
            size_bytes: superblock.size_bytes(),
            notes,
        };
        let has_moved_owners = replayed.has_moved_owners;
        let volume = Volume { disk: Disk::new(source, replayed.overlay), superblock, has_moved_owners };
        let root = Inode::read(&volume, volume.superblock.root)?;
        if root.node.kind != Kind::Folder {
            return Err(damaged("the root is no folder"));
        }
        Ok(Self { volume, info })
    }

    /// Returns the range of bytes that the journal has; none where it lies on another device. Old forms of metadata,
    /// with names and small values among them, lie there.
    pub fn log_range(&self) -> Option<Range<u64>> {
        let superblock = &self.volume.superblock;
        let blocks = u64::from(superblock.log_blocks);
        let start = superblock
            .block_offset(superblock.log_start, blocks)
            .ok()
            .filter(|_| superblock.log_start != 0)?;
        let bytes = blocks.checked_mul(u64::from(superblock.block_bytes))?;
        Some(start..start.checked_add(bytes)?)
    }

    fn inode(&self, id: NodeId) -> Result<Inode, FsError> {
        if id.tree != 0 {
            return Err(damaged(format!("there is no tree {}", id.tree)));
        }
        Inode::read(&self.volume, id.number)
    }
}

/// Reads the superblock through what the journal changes.
fn read_superblock(source: &Arc<dyn ReadAt>, overlay: &Overlay) -> Result<Superblock, FsError> {
    let count = source.size_bytes().min(SECTOR_BYTES_MAX as u64);
    let mut sector = vec![0; usize::try_from(count).unwrap_or(0)];
    if sector.len() < SUPERBLOCK_BYTES {
        return Err(FsError::NotThis(KIND));
    }
    overlay.read(source, 0, &mut sector)?;
    Superblock::parse(&sector, overlay.touches(0, SUPERBLOCK_BYTES))
}

/// Writes an id in the form of `blkid`.
fn format_uuid(uuid: [u8; 16]) -> String {
    let digits = format!("{:032x}", u128::from_be_bytes(uuid));
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32];
    parts.map(|part| digits.get(part).unwrap_or_default().to_owned()).join("-")
}

impl FileSystem for Xfs {
    fn info(&self) -> &Info {
        &self.info
    }

    fn root(&self) -> NodeId {
        NodeId::new(self.volume.superblock.root)
    }

    fn node(&self, id: NodeId) -> Result<Node, FsError> {
        Ok(self.inode(id)?.node)
    }

    fn read_dir(&self, id: NodeId, visit: &mut Visit<'_>) -> Result<(), FsError> {
        read_dir(&self.volume, &self.inode(id)?, visit)
    }

    fn read_link(&self, id: NodeId) -> Result<Vec<u8>, FsError> {
        read_link(&self.volume, &self.inode(id)?)
    }

    fn open(&self, id: NodeId) -> Result<Box<dyn OpenFile + '_>, FsError> {
        let inode = self.inode(id)?;
        if inode.node.kind != Kind::File {
            return Err(FsError::WrongKind("a regular file"));
        }
        Ok(Box::new(File::new(&self.volume, &inode)?))
    }

    fn xattrs(&self, id: NodeId) -> Result<Vec<Xattr>, FsError> {
        read_attributes(&self.volume, &self.inode(id)?)
    }

    fn position(&self, id: NodeId) -> Result<Option<u64>, FsError> {
        let inode = self.inode(id)?;
        if !matches!(inode.data.format, Format::Extents | Format::Tree) {
            return Ok(None);
        }
        let mut position = None;
        visit_extents(&self.volume, &inode, &inode.data, &mut |extent| {
            if extent.is_unwritten {
                return Ok(ControlFlow::Continue(()));
            }
            position = Some(extent.offset);
            Ok(ControlFlow::Break(()))
        })?;
        Ok(position)
    }

    fn slack(&self, id: NodeId) -> Result<Option<Range<u64>>, FsError> {
        let inode = self.inode(id)?;
        let block_bytes = u64::from(self.volume.superblock.block_bytes);
        let used = inode.node.bytes % block_bytes;
        if !matches!(inode.data.format, Format::Extents | Format::Tree) || used == 0 {
            return Ok(None);
        }
        let last = inode.node.bytes / block_bytes;
        let mut slack = None;
        visit_extents(&self.volume, &inode, &inode.data, &mut |extent| {
            if extent.end() <= last {
                return Ok(ControlFlow::Continue(()));
            }
            if extent.first <= last && !extent.is_unwritten {
                let start = extent.offset.saturating_add((last - extent.first).saturating_mul(block_bytes));
                slack = Some(start.saturating_add(used)..start.saturating_add(block_bytes));
            }
            Ok(ControlFlow::Break(()))
        })?;
        Ok(slack)
    }

    fn free_ranges(&self, visit: &mut dyn FnMut(Range<u64>) -> ControlFlow<()>) -> Result<(), FsError> {
        visit_free(&self.volume, visit)
    }
}
