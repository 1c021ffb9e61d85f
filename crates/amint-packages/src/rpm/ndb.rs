//! The store ndb of rpm: slots of 16 bytes that point to blobs (rpm's `lib/backend/ndb/rpmpkg.c`).
//!
//! The file begins with `RpmP`, version, generation and the number of pages of slots; all numbers are little-endian,
//! positions are counted in blocks of 16 bytes. A blob carries its own number, its length and an Adler-32.

use crate::Problems;
use crate::bytes::{le_u32, slice};

use super::store::PACKAGES_MAX;

/// First bytes of the file.
pub(super) const MAGIC: &[u8] = b"RpmP";
const SLOT_MAGIC: &[u8] = b"Slot";
const BLOB_MAGIC: &[u8] = b"BlbS";
const BLOB_END_MAGIC: &[u8] = b"BlbE";
const BLOCK_BYTES: usize = 16;
const PAGE_BYTES: usize = 4096;
const HEADER_BYTES: usize = 32;
const SLOT_BYTES: usize = 16;
const BLOB_HEAD_BYTES: usize = 16;
const BLOB_TAIL_BYTES: usize = 12;
const VERSION: u32 = 0;

/// Where a header lies.
#[derive(Clone, Copy)]
struct Slot {
    package: u32,
    start: usize,
    length: usize,
}

/// Visits the headers.
pub(super) fn visit(
    database: &[u8],
    problems: &mut Problems,
    visit: &mut dyn FnMut(u64, &[u8], &mut Problems),
) -> Result<(), &'static str> {
    if le_u32(database, 4) != Some(VERSION) {
        return Err("is of an unknown version");
    }
    let slots_end = le_u32(database, 12)
        .and_then(|pages| usize::try_from(pages).ok()?.checked_mul(PAGE_BYTES))
        .filter(|end| *end >= PAGE_BYTES)
        .ok_or("has no slots")?;
    let slots = database.get(HEADER_BYTES..slots_end).ok_or("is cut off within its slots")?;
    let mut used = Vec::new();
    for (number, slot) in (1_u64..).zip(slots.chunks_exact(SLOT_BYTES)) {
        match read_slot(slot) {
            Some(slot) if slot.package == 0 => {}
            Some(slot) => used.push(slot),
            None => problems.add(number, "a slot makes no sense"),
        }
        if used.len() > PACKAGES_MAX {
            return Err("has too many packages");
        }
    }
    used.sort_by_key(|slot| slot.package);
    // Two slots of one number would let a small file hold any amount of headers.
    used.dedup_by_key(|slot| slot.package);
    // In a sound database each byte belongs to one header; without this, headers could hold each other.
    let mut room = database.len();
    for slot in used {
        room = room.checked_sub(slot.length).ok_or("has headers that lie upon each other")?;
        match read_blob(database, slot) {
            Ok((header, is_sound)) => {
                // rpm reads such headers too, without a word.
                if !is_sound {
                    problems.add(u64::from(slot.package), "the checksum of a header is wrong");
                }
                visit(u64::from(slot.package), header, problems);
            }
            Err(reason) => problems.add(u64::from(slot.package), reason),
        }
    }
    Ok(())
}

fn read_slot(slot: &[u8]) -> Option<Slot> {
    if !slot.starts_with(SLOT_MAGIC) {
        return None;
    }
    let bytes = |at| usize::try_from(le_u32(slot, at)?).ok()?.checked_mul(BLOCK_BYTES);
    Some(Slot { package: le_u32(slot, 4)?, start: bytes(8)?, length: bytes(12)? })
}

/// Returns a header, and whether its checksum is right.
fn read_blob(database: &[u8], slot: Slot) -> Result<(&[u8], bool), &'static str> {
    const SHORT: &str = "a header lies outside of the database";
    let blob = slice(database, slot.start, slot.length).ok_or(SHORT)?;
    if !blob.starts_with(BLOB_MAGIC) || le_u32(blob, 4) != Some(slot.package) {
        return Err("a slot points to no header of its own");
    }
    let length = le_u32(blob, 12).and_then(|length| usize::try_from(length).ok()).ok_or(SHORT)?;
    let tail_at = blob.len().checked_sub(BLOB_TAIL_BYTES).ok_or(SHORT)?;
    let (body, tail) = blob.split_at_checked(tail_at).ok_or(SHORT)?;
    let header = slice(body, BLOB_HEAD_BYTES, length).ok_or(SHORT)?;
    if !tail.ends_with(BLOB_END_MAGIC) {
        return Err("a header has no end");
    }
    Ok((header, le_u32(tail, 0) == Some(adler32(body))))
}

/// Adler-32 (RFC 1950, section 9).
fn adler32(bytes: &[u8]) -> u32 {
    const BASE: u32 = 65_521;
    // The most sums of bytes that fit 32 bits before they must be reduced.
    const RUN: usize = 5552;
    let (mut low, mut high) = (1_u32, 0_u32);
    for run in bytes.chunks(RUN) {
        for byte in run {
            low += u32::from(*byte);
            high += low;
        }
        low %= BASE;
        high %= BASE;
    }
    (high << 16) | low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_as_the_standard_does() {
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
        // So many that the sums overflow if they are not reduced in time.
        assert_eq!(adler32(&vec![0xff; 1 << 20]), 0x8e88_ef11);
        assert_eq!(adler32(b""), 1);
    }
}
