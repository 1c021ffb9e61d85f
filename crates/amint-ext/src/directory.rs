//! Folders (`Documentation/filesystems/ext4/directory.rst`): entries in blocks, with or without an index, or in the inode.

use std::ops::ControlFlow;

use amint_fs::{ENTRIES_MAX, Entry, FsError, Kind, NodeId, Visit};

use crate::bytes::Fields;
use crate::checksum;
use crate::error::{bad_checksum, damaged, over_limit};
use crate::feature::incompatible;
use crate::inline;
use crate::inode::{Inode, flag};
use crate::mapping::Mapping;
use crate::volume::Volume;

/// Bytes of an entry before its name.
const ENTRY_BYTES: usize = 8;
/// The shortest entry: a name of one byte, filled up.
const ENTRY_BYTES_MIN: usize = 12;
/// Bytes at the end of a block that hold its checksum, in the form of an entry.
const TAIL_BYTES: usize = 12;
/// Bytes of one entry of an index, and of what is behind the last.
const INDEX_ENTRY_BYTES: usize = 8;
/// A folder that claims more is not read: no honest one comes near.
const FOLDER_BYTES_MAX: u64 = 4 << 30;

/// What reading the entries of one folder needs.
struct Reader<'a, 'v> {
    inode: &'a Inode,
    inode_count: u32,
    has_kinds: bool,
    entries: u64,
    visit: &'a mut Visit<'v>,
}

/// Visits the names of a folder.
pub(crate) fn read(volume: &Volume, inode: &Inode, visit: &mut Visit<'_>) -> Result<(), FsError> {
    let mut reader = Reader {
        inode,
        inode_count: volume.superblock.inode_count,
        has_kinds: volume.superblock.features.has_incompatible(incompatible::FILETYPE),
        entries: 0,
        visit,
    };
    if inode.has(flag::INLINE) {
        for part in inline::folder_parts(volume, inode)? {
            if reader.entries(&part)?.is_break() {
                break;
            }
        }
        return Ok(());
    }
    if inode.size_bytes > FOLDER_BYTES_MAX {
        return Err(over_limit(format!("a folder of {} bytes", inode.size_bytes)));
    }
    let mut mapping = Mapping::new(volume, inode)?;
    let end = inode.size_bytes.div_ceil(volume.superblock.block_bytes);
    let mut place = 0;
    while place < end {
        let run = mapping.run_at(place)?;
        let first = run.device.ok_or_else(|| damaged(format!("folder {} has a hole", inode.number)))?;
        for block in 0..run.count.min(end - place) {
            let bytes = volume.block(first + block)?;
            if volume.superblock.has_metadata_checksums() {
                verify(inode, place + block, &bytes)?;
            }
            if reader.entries(&bytes)?.is_break() {
                return Ok(());
            }
        }
        place = run.end();
    }
    Ok(())
}

impl Reader<'_, '_> {
    /// Visits the entries of one block.
    fn entries(&mut self, bytes: &[u8]) -> Result<ControlFlow<()>, FsError> {
        let fields = Fields::new(bytes, "a folder");
        let mut at = 0;
        while at < bytes.len() {
            let (number, lengths) = (fields.u32(at)?, fields.u16(at + 6)?);
            let [name_low, kind_or_high] = lengths.to_le_bytes();
            let entry_bytes = entry_bytes(fields.u16(at + 4)?, bytes.len());
            let name_bytes = usize::from(if self.has_kinds { name_low.into() } else { lengths });
            if entry_bytes < ENTRY_BYTES_MIN
                || !entry_bytes.is_multiple_of(4)
                || entry_bytes > bytes.len() - at
                || name_bytes + ENTRY_BYTES > entry_bytes
            {
                return Err(damaged(format!("an entry of folder {} has a wrong length", self.inode.number)));
            }
            if number != 0 {
                let name = fields.slice(at + ENTRY_BYTES, name_bytes)?;
                let kind = if self.has_kinds { kind(kind_or_high) } else { None };
                if self.entry(number, name, kind)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            at += entry_bytes;
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Visits one entry.
    fn entry(&mut self, number: u32, name: &[u8], kind: Option<Kind>) -> Result<ControlFlow<()>, FsError> {
        if name == b"." || name == b".." {
            return Ok(ControlFlow::Continue(()));
        }
        self.entries += 1;
        if self.entries > ENTRIES_MAX {
            return Err(over_limit(format!("a folder of more than {ENTRIES_MAX} names")));
        }
        if name.is_empty() || number > self.inode_count {
            return Err(damaged(format!("folder {} has an entry for inode {number}", self.inode.number)));
        }
        let node = NodeId::new(number.into());
        if self.inode.has(flag::ENCRYPT) {
            return Ok((self.visit)(Entry { name: &escaped(name), node, kind }));
        }
        if name.iter().any(|byte| matches!(byte, b'/' | 0)) {
            return Err(damaged(format!("folder {} has a name that no name can be", self.inode.number)));
        }
        Ok((self.visit)(Entry { name, node, kind }))
    }
}

/// Returns the length of an entry; blocks of 64 KiB need more bits than the field has.
fn entry_bytes(field: u16, block_bytes: usize) -> usize {
    if block_bytes < 1 << 16 {
        return field.into();
    }
    match field {
        0 | u16::MAX => block_bytes,
        _ => usize::from(field & 0xFFFC) | usize::from(field & 0x3) << 16,
    }
}

/// Returns the kind that an entry tells.
fn kind(number: u8) -> Option<Kind> {
    match number {
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

/// Writes the bytes of an encrypted name that no name may have as `%2F` and `%00`, and `%` itself as `%25`.
fn escaped(name: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(name.len());
    for byte in name {
        match byte {
            b'/' => text.extend(b"%2F"),
            0 => text.extend(b"%00"),
            b'%' => text.extend(b"%25"),
            _ => text.push(*byte),
        }
    }
    text
}

/// Verifies the checksum of a block.
fn verify(inode: &Inode, place: u64, bytes: &[u8]) -> Result<(), FsError> {
    let fields = Fields::new(bytes, "a block of a folder");
    let is_whole = |entry: u16, rest: usize| entry_bytes(entry, bytes.len()) == rest;
    // Blocks of an index look like blocks with one empty entry, or like `.` and `..` alone.
    let is_node = fields.u32(0)? == 0 && is_whole(fields.u16(4)?, bytes.len());
    if inode.has(flag::INDEX) && (place == 0 || is_node) {
        let count_offset = if place == 0 { 0x20 } else { 0x8 };
        return verify_index(inode, count_offset, bytes);
    }
    let tail = bytes.len().saturating_sub(TAIL_BYTES);
    let form = (fields.u32(tail)?, fields.u16(tail + 4)?, fields.u16(tail + 6)?);
    if form != (0, 12, 0xDE00)
        || checksum::extend(inode.seed, fields.slice(0, tail)?) != fields.u32(tail + 8)?
    {
        return Err(bad_checksum(format!("block {place} of folder {}", inode.number)));
    }
    Ok(())
}

/// Verifies the checksum of a block of an index.
fn verify_index(inode: &Inode, count_offset: usize, bytes: &[u8]) -> Result<(), FsError> {
    let fields = Fields::new(bytes, "the index of a folder");
    let (limit, count) = (usize::from(fields.u16(count_offset)?), usize::from(fields.u16(count_offset + 2)?));
    let tail = count_offset + limit * INDEX_ENTRY_BYTES;
    if count > limit {
        return Err(damaged(format!("the index of folder {} has too many entries", inode.number)));
    }
    let sum = checksum::extend(inode.seed, fields.slice(0, count_offset + count * INDEX_ENTRY_BYTES)?);
    let sum = checksum::extend(checksum::extend(sum, fields.slice(tail, 4)?), &[0; 4]);
    if sum != fields.u32(tail + 4)? {
        return Err(bad_checksum(format!("the index of folder {}", inode.number)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_entries_reach_64_kib() {
        assert_eq!(entry_bytes(12, 4096), 12);
        assert_eq!(entry_bytes(u16::MAX, 1 << 16), 1 << 16);
        assert_eq!(entry_bytes(0, 1 << 16), 1 << 16);
        assert_eq!(entry_bytes(0xFFF0, 1 << 16), 0xFFF0);
    }

    #[test]
    fn encrypted_names_stay_apart_and_are_names() {
        assert_eq!(escaped(b"a/b\0c%2F\xFF"), b"a%2Fb%00c%252F\xFF");
    }
}
