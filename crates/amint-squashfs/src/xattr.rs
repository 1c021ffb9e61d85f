//! Extended attributes: a table of lists, and values that may be shared.

use amint_fs::{FsError, XATTR_BYTES_MAX, Xattr};
use amint_types::ReadAt;

use crate::error::{damaged, over_limit};
use crate::image::{Image, long, short, word};
use crate::metadata::Reader;
use crate::table::Table;

/// How many extended attributes one node may have.
const XATTRS_MAX: u32 = 4096;
/// Bytes of the head of the table: where lists begin, how many there are.
const HEAD_BYTES: usize = 16;
/// Bytes of an entry that leads to a list.
const LIST_BYTES: usize = 16;
/// Bit of a type: the value is stored elsewhere.
const ELSEWHERE: u16 = 1 << 8;
/// Beginnings of names by type.
const PREFIXES: [&[u8]; 3] = [b"user.", b"trusted.", b"security."];

/// Where attributes are.
#[derive(Debug)]
pub(crate) struct XattrTables {
    lists: Table<LIST_BYTES>,
    /// Where names and values begin.
    start: u64,
}

impl XattrTables {
    /// Reads the head of the table.
    pub(crate) fn read(source: &dyn ReadAt, place: u64) -> Result<Self, FsError> {
        let mut head = [0; HEAD_BYTES];
        source.read_exact_at(place, &mut head)?;
        let lists = place.checked_add(HEAD_BYTES as u64).ok_or_else(|| damaged("a table beyond all"))?;
        Ok(Self { lists: Table::read(source, lists, word(&head, 8))?, start: long(&head, 0) })
    }
}

/// Reads the list of a node.
pub(crate) fn read(image: &Image, index: u32) -> Result<Vec<Xattr>, FsError> {
    let tables = image.xattrs().ok_or_else(|| damaged("attributes, but no table of them"))?;
    let start = tables.start;
    let list = tables.lists.entry(image, index)?;
    let count = word(&list, 8);
    if count > XATTRS_MAX {
        return Err(over_limit(format!("{count} extended attributes of one file")));
    }
    let mut reader = Reader::at_reference(image, start, long(&list, 0))?;
    let mut xattrs = Vec::new();
    for _ in 0..count {
        xattrs.push(read_one(image, start, &mut reader)?);
    }
    xattrs.sort();
    Ok(xattrs)
}

fn read_one(image: &Image, start: u64, reader: &mut Reader<'_>) -> Result<Xattr, FsError> {
    let head: [u8; 4] = reader.array()?;
    let xattr_type = short(&head, 0);
    let prefix = PREFIXES.get(usize::from(xattr_type & !ELSEWHERE));
    let prefix = prefix.ok_or_else(|| damaged(format!("an attribute of type {xattr_type}")))?;
    let mut name = prefix.to_vec();
    let bytes = usize::from(short(&head, 2));
    if bytes > usize::from(u8::MAX) {
        return Err(damaged(format!("an attribute whose name has {bytes} bytes")));
    }
    name.extend(reader.vec(bytes)?);
    let mut value = read_value(reader)?;
    if xattr_type & ELSEWHERE != 0 {
        let reference = <[u8; 8]>::try_from(value).map_err(|_| damaged("an attribute that leads nowhere"))?;
        value = read_value(&mut Reader::at_reference(image, start, u64::from_le_bytes(reference))?)?;
    }
    Ok(Xattr { name, value })
}

fn read_value(reader: &mut Reader<'_>) -> Result<Vec<u8>, FsError> {
    let bytes = u32::from_le_bytes(reader.array()?);
    match usize::try_from(bytes) {
        Ok(bytes) if bytes <= XATTR_BYTES_MAX => reader.vec(bytes),
        _ => Err(over_limit(format!("an extended attribute of {bytes} bytes"))),
    }
}
