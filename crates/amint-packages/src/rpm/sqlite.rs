//! The table `Packages` of a database of `SQLite` (<https://www.sqlite.org/fileformat2.html>, sections 1 to 2).
//!
//! Only this table is read, page by page, and no SQL of the image is ever run: a schema made by somebody else can
//! therefore neither hang the scan nor reach anything. Pages are walked once each, so links in circles end.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::Problems;
use crate::bytes::{be_u16, be_u32, slice};

use super::store::{HEADER_BYTES_MAX, PACKAGES_MAX};
use super::wal::{Log, is_page_size};

/// First bytes of every database.
pub(super) const MAGIC: &[u8] = b"SQLite format 3\0";
/// Bytes before the content of the first page.
const FILE_HEADER_BYTES: usize = 100;
const TABLE_INTERIOR: u8 = 0x05;
const TABLE_LEAF: u8 = 0x0d;

type Failure = &'static str;
/// Gets the number of a row and its payload.
type VisitRow<'a> = dyn FnMut(u64, &[u8], &mut Problems) -> Result<(), Failure> + 'a;

/// Visits the headers; returns how many pages came out of the log.
pub(super) fn visit(
    database: &[u8],
    log: Option<&[u8]>,
    problems: &mut Problems,
    visit: &mut dyn FnMut(u64, &[u8], &mut Problems),
) -> Result<usize, Failure> {
    let given_log = log.filter(|log| !log.is_empty());
    let log = given_log.and_then(Log::read);
    if given_log.is_some() && log.is_none() {
        problems.add(0, "the write-ahead log holds no whole transaction and was not used");
    }
    let mut pages = Pages::open(database, log)?;
    let root = pages.root_of("Packages", problems)?.ok_or("has no table of packages")?;
    let mut count = 0;
    pages.walk(root, problems, &mut |number, payload, problems| {
        count += 1;
        if count > PACKAGES_MAX {
            return Err("has too many packages");
        }
        match columns(payload).find(Column::is_blob) {
            Some(column) => visit(number, column.bytes, problems),
            None => problems.add(number, "a record has no header"),
        }
        Ok(())
    })?;
    Ok(pages.log.as_ref().map_or(0, |log| log.pages.len()))
}

/// A database as pages.
struct Pages<'a> {
    database: &'a [u8],
    log: Option<Log<'a>>,
    page_bytes: usize,
    /// Bytes of a page that hold content.
    usable_bytes: usize,
    page_count: u32,
    /// How many bytes of records may still be read: in a sound database each byte belongs to one record.
    room: usize,
}

impl<'a> Pages<'a> {
    fn open(database: &'a [u8], log: Option<Log<'a>>) -> Result<Self, Failure> {
        let first = match &log {
            Some(log) => log.pages.get(&1).copied().unwrap_or(database),
            None => database,
        };
        if !first.starts_with(MAGIC) {
            return Err("has no first page");
        }
        let page_bytes = match be_u16(first, 16) {
            Some(1) => 65_536,
            Some(bytes) => usize::from(bytes),
            None => 0,
        };
        if !is_page_size(page_bytes) || log.as_ref().is_some_and(|log| log.page_bytes != page_bytes) {
            return Err("has pages of an impossible size");
        }
        let reserved = first.get(20).copied().map_or(0, usize::from);
        let usable_bytes = page_bytes
            .checked_sub(reserved)
            .filter(|bytes| *bytes >= 480)
            .ok_or("reserves too much of its pages")?;
        let file_pages = u32::try_from(database.len().div_ceil(page_bytes)).map_err(|_| "is too large")?;
        let page_count = log.as_ref().map_or(file_pages, |log| log.page_count);
        let log_bytes = log.as_ref().map_or(0, |log| log.pages.len().saturating_mul(page_bytes));
        let room = database.len().saturating_add(log_bytes);
        Ok(Self { database, log, page_bytes, usable_bytes, page_count, room })
    }

    /// Returns a page by its number, from 1.
    fn page(&self, number: u32) -> Option<&'a [u8]> {
        if number == 0 || number > self.page_count {
            return None;
        }
        if let Some(page) = self.log.as_ref().and_then(|log| log.pages.get(&number)) {
            return Some(page);
        }
        let index = usize::try_from(number - 1).ok()?;
        slice(self.database, index.checked_mul(self.page_bytes)?, self.page_bytes)
    }

    /// Looks a table up in the schema.
    fn root_of(&mut self, table: &str, problems: &mut Problems) -> Result<Option<u32>, Failure> {
        let mut root = None;
        self.walk(1, problems, &mut |_, payload, _| {
            let mut columns = columns(payload);
            let (kind, name) = (columns.next(), columns.next());
            let is_text = |column: Option<Column<'_>>, wanted: &str| {
                column.is_some_and(|column| column.is_text() && column.bytes == wanted.as_bytes())
            };
            if is_text(kind, "table") && is_text(name, table) {
                root = root.or(columns.nth(1).and_then(Column::number));
            }
            Ok(())
        })?;
        Ok(root)
    }

    /// Calls `visit` with number and payload of each row of a table, in their order.
    fn walk(&mut self, root: u32, problems: &mut Problems, visit: &mut VisitRow<'_>) -> Result<(), Failure> {
        let mut seen = HashSet::new();
        let mut stack = vec![root];
        while let Some(number) = stack.pop() {
            if !seen.insert(number) {
                problems.add(u64::from(number), "a page is linked twice");
                continue;
            }
            let Some(page) = self.page(number) else {
                problems.add(u64::from(number), "a page is missing");
                continue;
            };
            let start = if number == 1 { FILE_HEADER_BYTES } else { 0 };
            match page.get(start) {
                Some(&TABLE_INTERIOR) => {
                    let cells = cell_offsets(page, start, 12);
                    let children = cells.filter_map(|at| be_u32(page, at)).chain(be_u32(page, start + 8));
                    let first = stack.len();
                    stack.extend(children);
                    // The leftmost child comes off the stack first.
                    if let Some(added) = stack.get_mut(first..) {
                        added.reverse();
                    }
                }
                Some(&TABLE_LEAF) => {
                    for at in cell_offsets(page, start, 8) {
                        match self.row(page, at) {
                            Some((row, payload)) => visit(row, &payload, problems)?,
                            None => problems.add(u64::from(number), "a record of this page is cut off"),
                        }
                    }
                }
                _ => problems.add(u64::from(number), "a page is of another kind than its table"),
            }
        }
        Ok(())
    }

    /// Reads a cell of a leaf: number of the row and its payload, put together from overflow pages.
    fn row(&mut self, page: &'a [u8], at: usize) -> Option<(u64, Cow<'a, [u8]>)> {
        let (payload_bytes, used) = varint(page, at)?;
        let payload_bytes = usize::try_from(payload_bytes).ok().filter(|bytes| *bytes <= HEADER_BYTES_MAX)?;
        self.room = self.room.checked_sub(payload_bytes)?;
        let (row, row_used) = varint(page, at + used)?;
        let start = at + used + row_used;
        let local_bytes = self.local_bytes(payload_bytes);
        let local = slice(page, start, local_bytes)?;
        if local_bytes == payload_bytes {
            return Some((row, Cow::Borrowed(local)));
        }
        let mut payload = Vec::with_capacity(payload_bytes);
        payload.extend_from_slice(local);
        let mut next = be_u32(page, start + local_bytes)?;
        while payload.len() < payload_bytes {
            let overflow = self.page(next)?;
            let length = (payload_bytes - payload.len()).min(self.usable_bytes - 4);
            payload.extend_from_slice(slice(overflow, 4, length)?);
            next = be_u32(overflow, 0)?;
        }
        Some((row, Cow::Owned(payload)))
    }

    /// Returns how much of a payload lies in the leaf itself.
    fn local_bytes(&self, payload_bytes: usize) -> usize {
        let usable = self.usable_bytes;
        let largest = usable - 35;
        if payload_bytes <= largest {
            return payload_bytes;
        }
        let smallest = (usable - 12) * 32 / 255 - 23;
        let local = smallest + (payload_bytes - smallest) % (usable - 4);
        if local <= largest { local } else { smallest }
    }
}

/// Returns where the cells of a page begin; `header_bytes` lie before the list of them.
fn cell_offsets(page: &[u8], start: usize, header_bytes: usize) -> impl Iterator<Item = usize> + use<'_> {
    let count = be_u16(page, start + 3).map_or(0, usize::from);
    let list = slice(page, start + header_bytes, count * 2).unwrap_or_default();
    list.chunks_exact(2).filter_map(|offset| be_u16(offset, 0).map(usize::from))
}

/// Reads a number of one to nine bytes; returns how many it took.
fn varint(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut number = 0_u64;
    for index in 0..8 {
        let byte = *bytes.get(at.checked_add(index)?)?;
        number = (number << 7) | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((number, index + 1));
        }
    }
    Some(((number << 8) | u64::from(*bytes.get(at.checked_add(8)?)?), 9))
}

/// A value of a row.
#[derive(Clone, Copy)]
struct Column<'a> {
    serial_type: u64,
    bytes: &'a [u8],
}

impl Column<'_> {
    fn is_blob(&self) -> bool {
        self.serial_type >= 12 && self.serial_type.is_multiple_of(2)
    }

    fn is_text(&self) -> bool {
        self.serial_type >= 13 && !self.serial_type.is_multiple_of(2)
    }

    /// Returns a whole number that is no larger than a page number.
    fn number(self) -> Option<u32> {
        match self.serial_type {
            1..=6 => {
                let number = self.bytes.iter().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
                u32::try_from(number).ok()
            }
            9 => Some(1),
            _ => None,
        }
    }
}

/// Splits the payload of a row; ends early where it is cut off.
fn columns(payload: &[u8]) -> impl Iterator<Item = Column<'_>> {
    let (header_bytes, mut at) = varint(payload, 0).unwrap_or_default();
    let header_bytes = usize::try_from(header_bytes).unwrap_or(0);
    let mut data_at = header_bytes;
    std::iter::from_fn(move || {
        if at >= header_bytes {
            return None;
        }
        let (serial_type, used) = varint(payload, at)?;
        let length = match serial_type {
            0 | 8 | 9 => 0,
            1..=4 => usize::try_from(serial_type).ok()?,
            5 => 6,
            6 | 7 => 8,
            10 | 11 => return None,
            _ => usize::try_from((serial_type - 12) / 2).ok()?,
        };
        let bytes = slice(payload, data_at, length)?;
        at += used;
        data_at += length;
        Some(Column { serial_type, bytes })
    })
}
