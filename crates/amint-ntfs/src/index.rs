//! Folders: the index of names.
//!
//! Blocks are read in their order on the disk rather than along the tree: no circle can be met, and a scan does not jump.

use std::ops::ControlFlow;

use amint_fs::{ENTRIES_MAX, FsError, OpenFile};

use crate::attribute::{Attribute, Attributes, BITMAP, FILE_NAME, INDEX_ALLOCATION, INDEX_ROOT};
use crate::bytes::{byte, index_u16, index_u32, le_u16, le_u32, le_u64, slice, utf16};
use crate::error::{damaged, limit};
use crate::record::{REFERENCE_NUMBER, restore};
use crate::stream::Stream;
use crate::table::{Loaded, Table};

/// The name of attributes that index names.
const NAME: &str = "$I30";
/// Flag of an entry: it ends its block.
const LAST: u16 = 2;
/// Bytes of an entry without its key.
const ENTRY_BYTES: usize = 16;
/// The short name of a file with a long one.
const DOS_NAME: u8 = 2;
/// The largest bitmap of index blocks: for four million names in blocks of 512 bytes.
const BITMAP_BYTES_MAX: u64 = 1024 * 1024;
/// Where in an index block the header of its entries is.
const BLOCK_HEADER_AT: usize = 24;
/// Where in the root the header of its entries is.
const ROOT_HEADER_AT: usize = 16;
const BLOCK_BYTES: std::ops::RangeInclusive<usize> = 512..=65536;
/// Flags of a file, as index entries and records keep them ([MS-FSCC] section 2.6).
const SYSTEM: u32 = 0x0004;
const REPARSE: u32 = 0x0400;
const FOLDER: u32 = 0x1000_0000;

/// A name in a folder.
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) record: u64,
    flags: u32,
}

impl Name {
    /// Tells whether it is a folder; none where only the node can tell.
    pub(crate) fn is_folder(&self) -> Option<bool> {
        (self.flags & (REPARSE | SYSTEM) == 0).then_some(self.flags & FOLDER != 0)
    }
}

type Each<'a> = dyn FnMut(Name) -> ControlFlow<()> + 'a;

/// Visits all names of a folder but short ones.
///
/// # Errors
/// [`FsError::WrongKind`] for a node without an index.
pub(crate) fn visit(table: &Table, folder: &Loaded, each: &mut Each<'_>) -> Result<(), FsError> {
    let attributes = &folder.attributes;
    let root = attributes.find(INDEX_ROOT, NAME).ok_or(FsError::WrongKind("a folder"))?;
    let root = root.resident().ok_or_else(|| damaged("the root of an index is not in its record"))?;
    let mut each = Counted { each, count: 0 };
    if block_entries(root, ROOT_HEADER_AT, &mut each)?.is_break() {
        return Ok(());
    }
    let Some(allocation) = attributes.find(INDEX_ALLOCATION, NAME) else { return Ok(()) };
    let is_right = |bytes: &usize| bytes.is_power_of_two() && BLOCK_BYTES.contains(bytes);
    let block_bytes =
        index_u32(root, 8).filter(is_right).ok_or_else(|| damaged("an index has blocks of a wrong size"))?;
    visit_blocks(table, attributes, allocation, block_bytes, &mut each)
}

/// Visits the names in blocks.
fn visit_blocks(
    table: &Table,
    attributes: &Attributes,
    allocation: &Attribute,
    block_bytes: usize,
    each: &mut Counted<'_, '_>,
) -> Result<(), FsError> {
    let bitmap =
        attributes.find(BITMAP, NAME).ok_or_else(|| damaged("an index has no bitmap of its blocks"))?;
    let mut bitmap = Stream::new(&table.chunks, table.cluster_bytes, attributes, bitmap)?;
    let bitmap = bitmap.read_all(BITMAP_BYTES_MAX)?;
    let mut stream = Stream::new(&table.chunks, table.cluster_bytes, attributes, allocation)?;
    let count = stream.size_bytes() / (block_bytes as u64);
    // Blocks know their place, in clusters, or in sectors where they are smaller than a cluster.
    let place_bytes = if table.cluster_bytes <= block_bytes as u64 { table.cluster_bytes } else { 512 };
    let in_use = bitmap.iter().enumerate().flat_map(|(at, bits)| {
        (0..8_u64).filter(move |bit| bits >> bit & 1 != 0).map(move |bit| at as u64 * 8 + bit)
    });
    for index in in_use {
        if index >= count {
            return Err(damaged("an index has more blocks in use than there are"));
        }
        let at = index * (block_bytes as u64);
        let mut block = vec![0; block_bytes];
        stream.read_at(at, &mut block)?;
        restore(&mut block, *b"INDX", "an index block")?;
        if le_u64(&block, 16) != Some(at / place_bytes) {
            return Err(damaged("an index block is not the one that belongs here"));
        }
        if block_entries(&block, BLOCK_HEADER_AT, each)?.is_break() {
            return Ok(());
        }
    }
    Ok(())
}

/// A visitor that counts.
struct Counted<'a, 'b> {
    each: &'a mut Each<'b>,
    count: u64,
}

/// Visits the names of one block.
fn block_entries(
    block: &[u8],
    header_at: usize,
    each: &mut Counted<'_, '_>,
) -> Result<ControlFlow<()>, FsError> {
    let wrong = || damaged("an index block makes no sense");
    let header = block.get(header_at..).ok_or_else(wrong)?;
    let (start, end) = (index_u32(header, 0).ok_or_else(wrong)?, index_u32(header, 4).ok_or_else(wrong)?);
    let mut rest = header.get(start..end).ok_or_else(wrong)?;
    loop {
        let length = index_u16(rest, 8).filter(|length| *length >= ENTRY_BYTES).ok_or_else(wrong)?;
        let (entry, behind) = rest.split_at_checked(length).ok_or_else(wrong)?;
        if le_u16(entry, 12).ok_or_else(wrong)? & LAST != 0 {
            return Ok(ControlFlow::Continue(()));
        }
        rest = behind;
        if key(entry).and_then(name_space) == Some(DOS_NAME) {
            continue;
        }
        let name = parse_entry(entry).ok_or_else(wrong)?;
        if name.text.is_empty() || name.text.contains(['/', '\0']) || name.text == ".." {
            return Err(damaged("a folder has an improper name"));
        }
        each.count += 1;
        if each.count > ENTRIES_MAX {
            return Err(limit(format!("a folder of more than {ENTRIES_MAX} names")));
        }
        if (each.each)(name).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
}

/// Returns the key of an entry: the name with what was copied from the file.
fn key(entry: &[u8]) -> Option<&[u8]> {
    slice(entry, ENTRY_BYTES, index_u16(entry, 10)?)
}

fn parse_entry(entry: &[u8]) -> Option<Name> {
    let key = key(entry)?;
    let text = utf16(slice(key, 66, usize::from(byte(key, 64)?) * 2)?);
    Some(Name { text, record: le_u64(entry, 0)? & REFERENCE_NUMBER, flags: le_u32(key, 56)? })
}

fn name_space(key: &[u8]) -> Option<u8> {
    byte(key, 65)
}

/// Counts the names of a node that are not short names of others.
pub(crate) fn name_count(attributes: &Attributes) -> u64 {
    let is_name = |attribute: &&Attribute| {
        attribute.resident().and_then(name_space).is_some_and(|space| space != DOS_NAME)
    };
    attributes.of_kind(FILE_NAME).filter(is_name).count() as u64
}

/// Returns the size of a folder's blocks.
pub(crate) fn folder_bytes(attributes: &Attributes) -> u64 {
    attributes.find(INDEX_ALLOCATION, NAME).map_or(0, Attribute::bytes)
}
