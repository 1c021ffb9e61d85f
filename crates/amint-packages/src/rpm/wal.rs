//! The write-ahead log of `SQLite` (<https://www.sqlite.org/fileformat2.html>, section 4).
//!
//! A log that was left behind holds the newest form of some pages. Only frames count that carry the log's own salt
//! and an unbroken chain of checksums, and only up to the last that ends a transaction.

use std::collections::HashMap;

use crate::bytes::{be_index, be_u32, le_u32, slice};

const HEADER_BYTES: usize = 32;
const FRAME_HEADER_BYTES: usize = 24;
/// Magic number without its last bit, which tells the byte order of the checksums.
const MAGIC: u32 = 0x377f_0682;
const VERSION: u32 = 3_007_000;

/// The pages that a log replaces.
pub(super) struct Log<'a> {
    pub(super) page_bytes: usize,
    /// Newest content by number of the page.
    pub(super) pages: HashMap<u32, &'a [u8]>,
    /// Pages of the database after the last transaction.
    pub(super) page_count: u32,
}

/// Tells whether a number can be the size of a page.
pub(super) fn is_page_size(bytes: usize) -> bool {
    (512..=65_536).contains(&bytes) && bytes.is_power_of_two()
}

impl<'a> Log<'a> {
    /// Reads a log; none if it holds no whole transaction.
    pub(super) fn read(log: &'a [u8]) -> Option<Self> {
        let magic = be_u32(log, 0)?;
        let page_bytes = be_index(log, 8)?;
        if magic & !1 != MAGIC || be_u32(log, 4)? != VERSION || !is_page_size(page_bytes) {
            return None;
        }
        let is_big_endian = magic & 1 == 1;
        let mut sum = checksum((0, 0), slice(log, 0, 24)?, is_big_endian)?;
        if sum != (be_u32(log, 24)?, be_u32(log, 28)?) {
            return None;
        }
        let salt = slice(log, 16, 8)?;
        let mut committed = Self { page_bytes, pages: HashMap::new(), page_count: 0 };
        let mut pending = Vec::new();
        for frame in log.get(HEADER_BYTES..)?.chunks_exact(FRAME_HEADER_BYTES + page_bytes) {
            let (head, page) = frame.split_at_checked(FRAME_HEADER_BYTES)?;
            if slice(head, 8, 8)? != salt {
                break;
            }
            sum = checksum(sum, slice(head, 0, 8)?, is_big_endian)?;
            sum = checksum(sum, page, is_big_endian)?;
            if sum != (be_u32(head, 16)?, be_u32(head, 20)?) {
                break;
            }
            pending.push((be_u32(head, 0)?, page));
            let page_count = be_u32(head, 4)?;
            if page_count != 0 {
                committed.pages.extend(pending.drain(..));
                committed.page_count = page_count;
            }
        }
        (committed.page_count != 0).then_some(committed)
    }
}

/// Goes on with a checksum over whole pairs of words.
fn checksum(start: (u32, u32), bytes: &[u8], is_big_endian: bool) -> Option<(u32, u32)> {
    let word = if is_big_endian { be_u32 } else { le_u32 };
    let (mut first, mut second) = start;
    for pair in bytes.chunks_exact(8) {
        first = first.wrapping_add(word(pair, 0)?).wrapping_add(second);
        second = second.wrapping_add(word(pair, 4)?).wrapping_add(first);
    }
    Some((first, second))
}
