//! Folders: names in the inode itself (short form), or in data blocks.
//!
//! The index by hash (leaf, node and free blocks) is not needed to list names and is never read. It stands beyond
//! 32 GiB within the folder's fork, so the data blocks are all that comes before.

use std::ops::ControlFlow;

use amint_fs::{ENTRIES_MAX, Entry, FsError, Kind, NodeId, Visit};

use crate::extents::{Extent, load_extents};
use crate::fields::{Fields, damaged, limit};
use crate::header::{DIRECTORY, Origin, verify};
use crate::inode::{Format, Inode};
use crate::volume::Volume;

/// Where the index begins within the fork, in bytes.
const INDEX_OFFSET: u64 = 32 << 30;
/// How many bytes of data blocks one folder may have: more than [`ENTRIES_MAX`] of the longest names need.
const DATA_BYTES_MAX: u64 = 2 << 30;
/// `XD2B` and `XDB3`: the only block of a folder, with its index at the end.
const MAGIC_SINGLE_4: u32 = 0x5844_3242;
const MAGIC_SINGLE_5: u32 = 0x5844_4233;
/// `XD2D` and `XDD3`: one data block of several.
const MAGIC_DATA_4: u32 = 0x5844_3244;
const MAGIC_DATA_5: u32 = 0x5844_4433;
/// Marks unused room between names.
const UNUSED: u16 = 0xffff;

/// Hands names on and counts them.
struct Names<'a, 'b> {
    folder: u64,
    has_file_types: bool,
    count: u64,
    visit: &'a mut Visit<'b>,
}

/// Visits the names of a folder.
pub(crate) fn read_dir(volume: &Volume, inode: &Inode, visit: &mut Visit<'_>) -> Result<(), FsError> {
    if inode.node.kind != Kind::Folder {
        return Err(FsError::WrongKind("a folder"));
    }
    let mut names =
        Names { folder: inode.number, has_file_types: volume.superblock.has_file_types, count: 0, visit };
    if inode.data.format == Format::Local {
        return names.short_form(inode.local_bytes()?).map(|_| ());
    }
    let extents = load_extents(volume, inode, &inode.data)?;
    let blocks_per_unit = u64::from(volume.superblock.directory_block_bytes / volume.superblock.block_bytes);
    let index_block = INDEX_OFFSET >> volume.superblock.block_log;
    let mut read_bytes = 0;
    let mut next = 0;
    for extent in &extents {
        let mut first = extent.first.next_multiple_of(blocks_per_unit).max(next);
        // A block of a folder begins where a multiple does; a run that begins within one is a part of the one before.
        if extent.first % blocks_per_unit != 0 && extent.first > next {
            return Err(damaged(format!("folder {} has half a block", inode.number)));
        }
        while first < extent.end().min(index_block) {
            read_bytes += u64::from(volume.superblock.directory_block_bytes);
            if read_bytes > DATA_BYTES_MAX {
                return Err(limit("a folder of more than 2 GiB"));
            }
            let (block, origin) = read_block(volume, inode.number, &extents, first)?;
            if names.block(volume, &block, origin)?.is_break() {
                return Ok(());
            }
            first += blocks_per_unit;
            next = first;
        }
    }
    Ok(())
}

/// Reads one block of a folder, which may lie in several runs.
fn read_block(
    volume: &Volume,
    folder: u64,
    extents: &[Extent],
    first: u64,
) -> Result<(Vec<u8>, Origin), FsError> {
    let block_bytes = volume.superblock.block_bytes;
    let unit_bytes = volume.superblock.directory_block_bytes;
    let mut block = Vec::new();
    let mut origin: Option<Origin> = None;
    let mut place = first;
    let end = first + u64::from(unit_bytes / block_bytes);
    while place < end {
        let extent = extents.get(extents.partition_point(|extent| extent.end() <= place));
        let Some(extent) = extent.filter(|extent| extent.first <= place && !extent.is_unwritten) else {
            return Err(damaged(format!("folder {folder} has a hole within a block")));
        };
        let count = extent.end().min(end) - place;
        let bytes = usize::try_from(count * u64::from(block_bytes)).unwrap_or(0);
        let offset = extent.offset + (place - extent.first) * u64::from(block_bytes);
        let (part, from) = volume.metadata(offset, bytes, folder)?;
        let is_replayed = from.is_replayed || origin.is_some_and(|origin| origin.is_replayed);
        origin = Some(Origin { is_replayed, ..origin.unwrap_or(from) });
        block.extend(part);
        place += count;
    }
    let origin = origin.ok_or_else(|| damaged(format!("folder {folder} has an empty block")))?;
    Ok((block, origin))
}

impl Names<'_, '_> {
    /// Reads the names in the inode: two counts, the parent, then length, place, name, kind and number of each.
    fn short_form(&mut self, bytes: &[u8]) -> Result<ControlFlow<()>, FsError> {
        let fields = Fields(bytes);
        let count = fields.u8(0)?;
        let number_bytes = if fields.u8(1)? == 0 { 4 } else { 8 };
        let mut place = 2 + number_bytes;
        for _ in 0..count {
            let name_bytes = usize::from(fields.u8(place)?);
            let name = fields.slice(place + 3, name_bytes)?;
            place += 3 + name_bytes;
            let kind = if self.has_file_types { kind_of(fields.u8(place)?) } else { None };
            place += usize::from(self.has_file_types);
            let number = if number_bytes == 4 { u64::from(fields.u32(place)?) } else { fields.u64(place)? };
            place += number_bytes;
            if self.name(name, number, kind)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Reads the names of a data block.
    fn block(&mut self, volume: &Volume, block: &[u8], origin: Origin) -> Result<ControlFlow<()>, FsError> {
        let fields = Fields(block);
        let (single, data, header) = if volume.superblock.has_checksums {
            (MAGIC_SINGLE_5, MAGIC_DATA_5, 64)
        } else {
            (MAGIC_SINGLE_4, MAGIC_DATA_4, 16)
        };
        let magic = fields.u32(0)?;
        if magic != single && magic != data {
            return Err(self.damaged("has a foreign block"));
        }
        verify(volume, DIRECTORY, block, origin, "a block of a folder")?;
        let mut end = block.len();
        if magic == single {
            let index = usize::try_from(fields.u32(block.len().saturating_sub(8))?).unwrap_or(usize::MAX);
            end = index
                .checked_mul(8)
                .and_then(|bytes| block.len().checked_sub(bytes)?.checked_sub(8))
                .filter(|end| *end >= header)
                .ok_or_else(|| self.damaged("has an index that does not fit its block"))?;
        }
        let mut place = header;
        while place < end {
            if fields.u16(place)? == UNUSED {
                let bytes = usize::from(fields.u16(place + 2)?);
                if bytes == 0 || bytes % 8 != 0 {
                    return Err(self.damaged("has unused room of a wrong length"));
                }
                place += bytes;
                continue;
            }
            let name_bytes = usize::from(fields.u8(place + 8)?);
            let name = fields.slice(place + 9, name_bytes)?;
            let kind = if self.has_file_types { kind_of(fields.u8(place + 9 + name_bytes)?) } else { None };
            if self.name(name, fields.u64(place)?, kind)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
            // Number, length, name, kind, and the entry's own place in two bytes.
            place += (8 + 1 + name_bytes + usize::from(self.has_file_types) + 2).next_multiple_of(8);
        }
        if place == end { Ok(ControlFlow::Continue(())) } else { Err(self.damaged("has names that overlap")) }
    }

    /// Hands one name on.
    fn name(&mut self, name: &[u8], number: u64, kind: Option<Kind>) -> Result<ControlFlow<()>, FsError> {
        if name == b"." || name == b".." {
            return Ok(ControlFlow::Continue(()));
        }
        if name.is_empty() || name.iter().any(|byte| matches!(byte, 0 | b'/')) {
            return Err(self.damaged("has a name that no name can be"));
        }
        self.count += 1;
        if self.count > ENTRIES_MAX {
            return Err(limit(format!("a folder of more than {ENTRIES_MAX} names")));
        }
        Ok((self.visit)(Entry { name, node: NodeId::new(number), kind }))
    }

    fn damaged(&self, what: &str) -> FsError {
        damaged(format!("folder {} {what}", self.folder))
    }
}

fn kind_of(code: u8) -> Option<Kind> {
    match code {
        1 => Some(Kind::File),
        2 => Some(Kind::Folder),
        3 => Some(Kind::CharDevice),
        4 => Some(Kind::BlockDevice),
        5 => Some(Kind::Pipe),
        6 => Some(Kind::Socket),
        7 => Some(Kind::Link),
        _ => None,
    }
}
