//! Extents of a fork: in the inode itself, or in a tree of blocks.

use std::ops::ControlFlow;

use amint_fs::FsError;

use crate::fields::{Fields, damaged, limit};
use crate::header::{EXTENT_TREE, verify};
use crate::inode::{Fork, Format, Inode};
use crate::superblock::unsupported;
use crate::volume::Volume;

/// Bytes of an extent.
const EXTENT_BYTES: usize = 16;
/// Bytes of a key and of a pointer of the tree.
const KEY_BYTES: usize = 8;
/// How deep a tree may be: no honest one of 2^48 extents is deeper.
const LEVELS_MAX: u16 = 12;
/// How many extents of one fork are kept in memory at once.
const EXTENTS_MAX: usize = 2_000_000;
/// `BMAP`: a block of the tree, version 4.
const MAGIC_4: u32 = 0x424d_4150;
/// `BMA3`: the same of version 5.
const MAGIC_5: u32 = 0x424d_4133;

/// A run of blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// The first block within the fork.
    pub(crate) first: u64,
    /// How many blocks.
    pub(crate) blocks: u64,
    /// Where it begins on the disk, in bytes.
    pub(crate) offset: u64,
    /// Allocated and never written: it reads as zeros.
    pub(crate) is_unwritten: bool,
}

impl Extent {
    /// Returns the first block within the fork that follows the extent.
    pub(crate) fn end(&self) -> u64 {
        self.first.saturating_add(self.blocks)
    }
}

/// What a visitor of extents is.
type VisitExtent<'a> = dyn FnMut(Extent) -> Result<ControlFlow<()>, FsError> + 'a;

/// Walks the extents of one fork and makes sure that they come in order.
struct Walk<'a> {
    volume: &'a Volume,
    inode: u64,
    next: u64,
    visit: &'a mut VisitExtent<'a>,
}

/// Visits the extents of a fork in order.
pub(crate) fn visit_extents<'a>(
    volume: &'a Volume,
    inode: &Inode,
    fork: &Fork,
    visit: &'a mut VisitExtent<'a>,
) -> Result<(), FsError> {
    // Attributes are on the data device even then.
    if inode.is_realtime && fork.extents > 0 && std::ptr::eq(fork, &raw const inode.data) {
        return Err(unsupported("content on a realtime device".to_owned()));
    }
    let mut walk = Walk { volume, inode: inode.number, next: 0, visit };
    let bytes = inode.fork_bytes(fork);
    match fork.format {
        Format::Extents => {
            let count = usize::try_from(fork.extents).unwrap_or(usize::MAX);
            walk.records(bytes, 0, count).map(|_| ())
        }
        Format::Tree => walk.root(bytes),
        Format::Device | Format::Local => {
            Err(damaged(format!("inode {} has no extents where it should", inode.number)))
        }
    }
}

/// Returns the extents of a fork, with those that follow each other on the disk made one.
pub(crate) fn load_extents(volume: &Volume, inode: &Inode, fork: &Fork) -> Result<Vec<Extent>, FsError> {
    let block_bytes = u64::from(volume.superblock.block_bytes);
    let mut extents: Vec<Extent> = Vec::new();
    visit_extents(volume, inode, fork, &mut |extent| {
        if let Some(last) = extents.last_mut()
            && last.end() == extent.first
            && last.is_unwritten == extent.is_unwritten
            && last.offset + last.blocks * block_bytes == extent.offset
        {
            last.blocks += extent.blocks;
        } else if extents.len() >= EXTENTS_MAX {
            return Err(limit(format!("a file of more than {EXTENTS_MAX} extents")));
        } else {
            extents.push(extent);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(extents)
}

impl Walk<'_> {
    /// Visits `count` extents that stand in `bytes` from `start` on.
    fn records(&mut self, bytes: &[u8], start: usize, count: usize) -> Result<ControlFlow<()>, FsError> {
        let total = count.checked_mul(EXTENT_BYTES);
        let total = total.ok_or_else(|| self.damaged("has more extents than fit"))?;
        for record in Fields(bytes).slice(start, total)?.chunks_exact(EXTENT_BYTES) {
            let extent = self.extent(Fields(record))?;
            if extent.first < self.next || extent.blocks == 0 {
                return Err(self.damaged("has extents out of order"));
            }
            self.next = extent.end();
            if (self.visit)(extent)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Unpacks one extent: 1 bit of state, 54 of place in the fork, 52 of block, 21 of length.
    fn extent(&self, record: Fields<'_>) -> Result<Extent, FsError> {
        let (upper, lower) = (record.u64(0)?, record.u64(8)?);
        let blocks = lower & 0x1f_ffff;
        let block = (upper & 0x1ff) << 43 | lower >> 21;
        Ok(Extent {
            first: upper >> 9 & 0x3f_ffff_ffff_ffff,
            blocks,
            offset: self.volume.superblock.block_offset(block, blocks)?,
            is_unwritten: upper >> 63 == 1,
        })
    }

    /// Goes down from the root in the inode: a level, a count, keys, pointers.
    fn root(&mut self, bytes: &[u8]) -> Result<(), FsError> {
        let fields = Fields(bytes);
        let level = fields.u16(0)?;
        let count = usize::from(fields.u16(2)?);
        let room = bytes.len().saturating_sub(4) / (KEY_BYTES * 2);
        if level == 0 || level > LEVELS_MAX || count > room {
            return Err(self.damaged("has a tree of extents with a wrong root"));
        }
        for pointer in pointers(fields, 4, room, count)? {
            if self.block(pointer, level - 1)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Visits the extents below one block. Ends, as levels go down and extents must go up.
    fn block(&mut self, number: u64, level: u16) -> Result<ControlFlow<()>, FsError> {
        let superblock = &self.volume.superblock;
        let offset = superblock.block_offset(number, 1)?;
        let (block, origin) = self.volume.metadata(offset, self.volume.block_bytes(), self.inode)?;
        let fields = Fields(&block);
        let (magic, header) = if superblock.has_checksums { (MAGIC_5, 72) } else { (MAGIC_4, 24) };
        if fields.u32(0)? != magic || fields.u16(4)? != level {
            return Err(self.damaged("has a tree of extents with a foreign block"));
        }
        verify(self.volume, EXTENT_TREE, &block, origin, "a block of a tree of extents")?;
        let count = usize::from(fields.u16(6)?);
        if count == 0 {
            return Err(self.damaged("has a tree of extents with an empty block"));
        }
        if level == 0 {
            return self.records(&block, header, count);
        }
        let room = block.len().saturating_sub(header) / (KEY_BYTES * 2);
        if count > room {
            return Err(self.damaged("has a tree of extents with an overfull block"));
        }
        for pointer in pointers(fields, header, room, count)? {
            if self.block(pointer, level - 1)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn damaged(&self, what: &str) -> FsError {
        damaged(format!("inode {} {what}", self.inode))
    }
}

/// Returns the pointers of a block of the tree: they follow the room for all keys.
fn pointers(fields: Fields<'_>, header: usize, room: usize, count: usize) -> Result<Vec<u64>, FsError> {
    let start = header + room * KEY_BYTES;
    (0..count).map(|index| fields.u64(start + index * KEY_BYTES)).collect()
}
