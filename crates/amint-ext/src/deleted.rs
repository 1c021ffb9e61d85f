//! Inodes that no name leads to any more, but that still tell where their content was.

use std::ops::ControlFlow;

use amint_fs::{FsError, Kind, NodeId, OpenFile};

use crate::content::Content;
use crate::ext::Ext;
use crate::extents;
use crate::group::Group;
use crate::inode::{Inode, flag};
use crate::volume::Volume;

/// A deleted inode that still has a map of blocks.
pub struct DeletedInode<'a> {
    volume: &'a Volume,
    inode: Inode,
    kind: Kind,
}

impl<'a> DeletedInode<'a> {
    /// Returns its number; [`FileSystem`](amint_fs::FileSystem) answers it with an error.
    pub fn id(&self) -> NodeId {
        NodeId::new(self.inode.number.into())
    }

    /// Returns what it was.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the size in bytes that it had last.
    pub fn size_bytes(&self) -> u64 {
        self.inode.size_bytes
    }

    /// Opens its content. Its blocks may hold something newer since.
    ///
    /// # Errors
    /// [`FsError::Damaged`] where the map makes no sense any more, now or while reading.
    pub fn open(&self) -> Result<Box<dyn OpenFile + 'a>, FsError> {
        Ok(Box::new(Content::open(self.volume, &self.inode)?))
    }
}

impl std::fmt::Debug for DeletedInode<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("DeletedInode").field("inode", &self.inode.number).finish_non_exhaustive()
    }
}

impl Ext {
    /// Visits the inodes that were deleted and still have a size and a map of blocks: files, folders and long links, in
    /// order of their numbers. Deletion by the kernel clears both, except on ext2, and for files that were still in use.
    ///
    /// Inodes that cannot be read are passed over: what is deleted need not be sound.
    ///
    /// # Errors
    /// Fails when a group's descriptor or bitmap cannot be read.
    pub fn deleted_inodes(
        &self,
        visit: &mut dyn FnMut(DeletedInode<'_>) -> ControlFlow<()>,
    ) -> Result<(), FsError> {
        let superblock = &self.volume.superblock;
        let per_group = superblock.inodes_per_group;
        for number in 0..superblock.group_count {
            let group = Group::read(&self.volume, number)?;
            if group.has_no_inodes {
                continue;
            }
            let table_bytes = u64::from(per_group) * superblock.inode_bytes;
            let table_offset = group.inode_table.saturating_mul(superblock.block_bytes);
            if self.volume.is_known_zero(table_offset, table_bytes) {
                continue;
            }
            let Some(before) = u32::try_from(number).ok().and_then(|number| number.checked_mul(per_group))
            else {
                break;
            };
            for place in 0..per_group.saturating_sub(group.unused_inodes) {
                let Some(inode_number) = before.checked_add(place + 1) else { break };
                if inode_number < superblock.first_inode || inode_number > superblock.inode_count {
                    continue;
                }
                let Some(deleted) = self.deleted_inode(&group, inode_number, place)? else { continue };
                if visit(deleted).is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Returns an inode if it is deleted and still leads to content.
    fn deleted_inode(
        &self,
        group: &Group,
        number: u32,
        place: u32,
    ) -> Result<Option<DeletedInode<'_>>, FsError> {
        let inode = match Inode::read(&self.volume, number) {
            Ok(inode) => inode,
            Err(error @ FsError::Io(_)) => return Err(error),
            Err(_) => return Ok(None),
        };
        let is_deleted = inode.links == 0 || inode.deleted_at != 0 && !is_in_use(&self.volume, group, place)?;
        if !is_deleted || inode.size_bytes == 0 || inode.has(flag::ENCRYPT) || !has_map(&inode) {
            return Ok(None);
        }
        Ok(match inode.kind() {
            Ok(kind @ (Kind::File | Kind::Folder | Kind::Link)) => {
                Some(DeletedInode { volume: &self.volume, inode, kind })
            }
            _ => None,
        })
    }
}

/// Tells whether the bitmap has an inode in use: the time of deletion of a file that is being shortened is no time.
fn is_in_use(volume: &Volume, group: &Group, place: u32) -> Result<bool, FsError> {
    let bitmap = volume.block(group.inode_bitmap)?;
    let byte = usize::try_from(place / 8).ok().and_then(|at| bitmap.get(at)).copied().unwrap_or(0);
    Ok(byte >> (place % 8) & 1 != 0)
}

/// Tells whether the map of an inode leads anywhere.
fn has_map(inode: &Inode) -> bool {
    let Ok(map) = inode.map() else { return false };
    if inode.has(flag::INLINE) {
        return true;
    }
    if inode.has(flag::EXTENTS) {
        return extents::has_entries(&map);
    }
    // The whole target of a short link stands in place of the map.
    let is_short_link =
        inode.kind().is_ok_and(|kind| kind == Kind::Link) && inode.size_bytes < map.len() as u64;
    !is_short_link && map.iter().any(|byte| *byte != 0)
}
