//! The first-level table, and the second-level tables used last.

use std::io;
use std::sync::Arc;

use amint_types::ReadAt;

use super::header::Header;
use crate::bytes::{Part, is_within, repeated};
use crate::cache::SharedCache;
use crate::{Format, FormatError};

const FORMAT: Format = Format::Qcow2;
/// Largest first-level table, as QEMU has it: a disk of 2 PiB with clusters of 64 KiB.
const L1_BYTES_MAX: u64 = 32 << 20;
/// Bytes of second-level tables that are kept: they map 32 GiB with clusters of 64 KiB.
const L2_BYTES_MAX: usize = 4 << 20;
const ENTRY_BYTES: u64 = 8;
/// Bits of an entry that tell where something is.
const PLACE: u64 = 0x00ff_ffff_ffff_fe00;

/// Reads the first-level table: places of second-level tables, 0 where there is none.
pub(super) fn read_l1(file: &dyn ReadAt, header: &Header) -> Result<Vec<u64>, FormatError> {
    let needed = header.disk_bytes.div_ceil(header.l2_span_bytes());
    let entries = u64::from(header.l1_entries);
    if entries < needed {
        return Err(FORMAT.damaged(format!(
            "the first-level table has {entries} entries; a disk of {} bytes needs {needed}",
            header.disk_bytes
        )));
    }
    let bytes = entries * ENTRY_BYTES;
    if bytes > L1_BYTES_MAX {
        return Err(FORMAT.limit(format!("a first-level table of {bytes} bytes, more than {L1_BYTES_MAX}")));
    }
    if needed == 0 {
        return Ok(Vec::new());
    }
    let offset = header.l1_offset;
    if offset == 0 || !offset.is_multiple_of(header.cluster_bytes()) {
        return Err(FORMAT.damaged(format!("the first-level table is at byte {offset}, amid a cluster")));
    }
    let part = Part { format: FORMAT, what: "the first-level table", offset, bytes: needed * ENTRY_BYTES };
    let bytes = part.read(file)?;
    let (entries, _) = bytes.as_chunks::<8>();
    let l1: Vec<u64> = entries.iter().map(|entry| u64::from_be_bytes(*entry) & PLACE).collect();
    check_places(file, header, &l1)?;
    Ok(l1)
}

/// Checks that second-level tables lie within the file, and over nothing else.
fn check_places(file: &dyn ReadAt, header: &Header, l1: &[u64]) -> Result<(), FormatError> {
    let cluster_bytes = header.cluster_bytes();
    let l1_end = header.l1_offset + l1.len() as u64 * ENTRY_BYTES;
    for (number, place) in l1.iter().copied().enumerate().filter(|(_, place)| *place != 0) {
        let broken = |what: &str| {
            FORMAT.damaged(format!("entry {number} of the first-level table points to byte {place}, {what}"))
        };
        if !place.is_multiple_of(cluster_bytes) {
            return Err(broken("amid a cluster"));
        }
        if !is_within(file, place, cluster_bytes) {
            return Err(broken("beyond the end of the file"));
        }
        if place < l1_end && place + cluster_bytes > header.l1_offset {
            return Err(broken("into the first-level table"));
        }
    }
    match repeated(l1.iter().copied().filter(|place| *place != 0)) {
        Some(place) => {
            let what = format!("two entries of the first-level table share the table at byte {place}");
            Err(FORMAT.damaged(what))
        }
        None => Ok(()),
    }
}

/// Second-level tables, read when needed.
#[derive(Debug)]
pub(super) struct L2Tables(SharedCache);

impl L2Tables {
    pub(super) fn new() -> Self {
        Self(SharedCache::new(L2_BYTES_MAX))
    }

    /// Returns the bytes of the table at `place`.
    pub(super) fn get(&self, file: &dyn ReadAt, place: u64, bytes: u64) -> io::Result<Arc<Vec<u8>>> {
        self.0.get_or_read(place, || {
            let part = Part { format: FORMAT, what: "a second-level table", offset: place, bytes };
            Ok(part.read(file)?)
        })
    }
}
