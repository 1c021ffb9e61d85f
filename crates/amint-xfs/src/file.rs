//! The content of regular files.

use amint_fs::{FsError, OpenFile};

use crate::extents::{Extent, load_extents};
use crate::inode::Inode;
use crate::volume::Volume;

/// An open file: its extents, and the disk.
pub(crate) struct File<'a> {
    volume: &'a Volume,
    extents: Vec<Extent>,
    bytes: u64,
}

impl<'a> File<'a> {
    pub(crate) fn new(volume: &'a Volume, inode: &Inode) -> Result<Self, FsError> {
        let extents = load_extents(volume, inode, &inode.data)?;
        Ok(Self { volume, extents, bytes: inode.node.bytes })
    }
}

impl OpenFile for File<'_> {
    fn size_bytes(&self) -> u64 {
        self.bytes
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<usize, FsError> {
        let left = usize::try_from(self.bytes.saturating_sub(offset)).unwrap_or(usize::MAX);
        let count = left.min(buffer.len());
        let wanted = buffer.get_mut(..count).unwrap_or_default();
        read_extents(self.volume, &self.extents, offset, wanted)?;
        Ok(count)
    }
}

/// Fills `buffer` with what the extents hold from `offset` on; what none holds, or was never written, is zeros.
pub(crate) fn read_extents(
    volume: &Volume,
    extents: &[Extent],
    offset: u64,
    buffer: &mut [u8],
) -> Result<(), FsError> {
    let block_bytes = u64::from(volume.superblock.block_bytes);
    let mut place = offset;
    let mut rest = buffer;
    let mut index = extents.partition_point(|extent| extent.end().saturating_mul(block_bytes) <= offset);
    while !rest.is_empty() {
        let extent = extents.get(index);
        let start = extent.map_or(u64::MAX, |extent| extent.first.saturating_mul(block_bytes));
        let is_hole = place < start;
        let end = if is_hole {
            start
        } else {
            extent.map_or(u64::MAX, |extent| extent.end().saturating_mul(block_bytes))
        };
        let count = usize::try_from(end.saturating_sub(place)).unwrap_or(usize::MAX).min(rest.len());
        let (now, later) = rest.split_at_mut(count);
        match extent {
            Some(extent) if !is_hole && !extent.is_unwritten => {
                volume.disk.read(extent.offset.saturating_add(place - start), now)?;
            }
            _ => now.fill(0),
        }
        if !is_hole {
            index += 1;
        }
        rest = later;
        place = end;
    }
    Ok(())
}
