//! The hash of Berkeley DB that rpm kept its headers in (Berkeley DB's `dbinc/db_page.h`).
//!
//! All pages are gone through and those of a hash are read, instead of following the buckets: the order is the
//! keys' own anyway. A header is nearly always longer than a page, so it lies in a chain of overflow pages. Numbers
//! have the byte order of the machine that made the file.

use std::borrow::Cow;

use crate::Problems;
use crate::bytes::{be_u16, be_u32, le_u16, le_u32, slice};

use super::store::{HEADER_BYTES_MAX, PACKAGES_MAX};

/// Magic number of a hash.
const MAGIC: u32 = 0x0006_1561;
const MAGIC_AT: usize = 12;
/// Bytes before the index of a page.
const PAGE_HEADER_BYTES: usize = 26;
/// Kinds of pages.
const PAGE_HASH_UNSORTED: u8 = 2;
const PAGE_OVERFLOW: u8 = 7;
const PAGE_HASH_META: u8 = 8;
const PAGE_HASH: u8 = 13;
/// Kinds of items.
const ITEM_INLINE: u8 = 1;
const ITEM_OVERFLOW: u8 = 3;

type Failure = &'static str;

/// Tells whether a file is a hash of Berkeley DB.
pub(super) fn is_hash(database: &[u8]) -> bool {
    le_u32(database, MAGIC_AT) == Some(MAGIC) || be_u32(database, MAGIC_AT) == Some(MAGIC)
}

/// A database as pages.
struct Pages<'a> {
    database: &'a [u8],
    is_big_endian: bool,
    page_bytes: usize,
    /// How many bytes of headers may still be read: in a sound database each byte belongs to one header.
    room: usize,
}

/// Where a header lies.
#[derive(Clone, Copy)]
enum Place<'a> {
    Inline(&'a [u8]),
    Chain { page: u32, length: usize },
}

/// Visits the headers.
pub(super) fn visit(
    database: &[u8],
    problems: &mut Problems,
    visit: &mut dyn FnMut(u64, &[u8], &mut Problems),
) -> Result<(), Failure> {
    let mut pages = Pages::open(database)?;
    let mut found = Vec::new();
    let mut pair_count = 0_u64;
    let last = pages.u32(database, 32).ok_or("is cut off")?;
    for number in 1..=last {
        let Some(page) = pages.page(number) else {
            problems.add(u64::from(number), "the database is cut off at this page");
            break;
        };
        if !matches!(page.get(25), Some(&(PAGE_HASH | PAGE_HASH_UNSORTED))) {
            continue;
        }
        for pair in 0..pages.u16(page, 20).unwrap_or(0) / 2 {
            pair_count += 1;
            match pages.pair(page, usize::from(pair) * 2) {
                // Number 0 is the counter that new packages get their numbers from.
                Some((0, _)) => {}
                Some(pair) => found.push(pair),
                None => problems.add(u64::from(number), "an item of this page makes no sense"),
            }
        }
        if found.len() > PACKAGES_MAX {
            return Err("has too many packages");
        }
    }
    let wanted_count = pages.u32(database, 88).map_or(0, u64::from);
    if pair_count < wanted_count {
        problems.add(0, format!("{pair_count} of {wanted_count} records were found"));
    }
    found.sort_by_key(|(package, _)| *package);
    found.dedup_by_key(|(package, _)| *package);
    for (package, place) in found {
        match pages.header(place) {
            Some(header) => visit(u64::from(package), &header, problems),
            None => problems.add(u64::from(package), "the pages of a header do not hold together"),
        }
    }
    Ok(())
}

impl<'a> Pages<'a> {
    fn open(database: &'a [u8]) -> Result<Self, Failure> {
        let is_big_endian = be_u32(database, MAGIC_AT) == Some(MAGIC);
        let mut pages = Self { database, is_big_endian, page_bytes: 0, room: database.len() };
        pages.page_bytes = pages
            .u32(database, 20)
            .and_then(|bytes| usize::try_from(bytes).ok())
            .filter(|bytes| (512..=65_536).contains(bytes) && bytes.is_power_of_two())
            .ok_or("has pages of an impossible size")?;
        if database.get(25) != Some(&PAGE_HASH_META) {
            return Err("does not begin with the page of a hash");
        }
        // Neither is used by rpm, and both move the items of pages.
        if database.get(24) != Some(&0) || database.get(26).is_none_or(|flags| flags & 1 != 0) {
            return Err("is encrypted or has checksums");
        }
        Ok(pages)
    }

    fn u16(&self, bytes: &[u8], at: usize) -> Option<u16> {
        if self.is_big_endian { be_u16(bytes, at) } else { le_u16(bytes, at) }
    }

    fn u32(&self, bytes: &[u8], at: usize) -> Option<u32> {
        if self.is_big_endian { be_u32(bytes, at) } else { le_u32(bytes, at) }
    }

    fn page(&self, number: u32) -> Option<&'a [u8]> {
        let index = usize::try_from(number).ok()?;
        slice(self.database, index.checked_mul(self.page_bytes)?, self.page_bytes)
    }

    /// Reads a key and the place of its value; items lie from the end of a page towards its start.
    fn pair(&self, page: &'a [u8], index: usize) -> Option<(u32, Place<'a>)> {
        let (kind, key) = self.item(page, index)?.split_first()?;
        if *kind != ITEM_INLINE || key.len() != 4 {
            return None;
        }
        let value = self.item(page, index + 1)?;
        let (kind, inline) = value.split_first()?;
        let place = match *kind {
            ITEM_INLINE => Place::Inline(inline),
            ITEM_OVERFLOW => {
                Place::Chain { page: self.u32(value, 4)?, length: usize::try_from(self.u32(value, 8)?).ok()? }
            }
            _ => return None,
        };
        Some((self.u32(key, 0)?, place))
    }

    fn item(&self, page: &'a [u8], index: usize) -> Option<&'a [u8]> {
        let offset = |index: usize| self.u16(page, PAGE_HEADER_BYTES + 2 * index).map(usize::from);
        let start = offset(index)?;
        let end = match index.checked_sub(1) {
            Some(before) => offset(before)?,
            None => self.page_bytes,
        };
        page.get(start..end)
    }

    fn header(&mut self, place: Place<'a>) -> Option<Cow<'a, [u8]>> {
        let (mut next, length) = match place {
            Place::Inline(header) => {
                self.room = self.room.checked_sub(header.len())?;
                return Some(Cow::Borrowed(header));
            }
            Place::Chain { page, length } => (page, length),
        };
        self.room = self.room.checked_sub(length).filter(|_| length <= HEADER_BYTES_MAX)?;
        let mut header = Vec::with_capacity(length);
        while header.len() < length {
            let page = self.page(next)?;
            let used = usize::from(self.u16(page, 22)?);
            // A page without content would let a chain in a circle go on for ever.
            if page.get(25) != Some(&PAGE_OVERFLOW) || used == 0 {
                return None;
            }
            header.extend_from_slice(slice(page, PAGE_HEADER_BYTES, used.min(length - header.len()))?);
            next = self.u32(page, 16)?;
        }
        Some(Cow::Owned(header))
    }
}
