//! Where the bytes of the disk are.

use std::io;
use std::sync::Arc;

use amint_types::ReadAt;

use super::entry::{Entry, SUBCLUSTERS, Unit};
use super::header::Header;
use super::tables::L2Tables;
use super::unpack::unpack;
use crate::bytes::{Part, index, is_within};
use crate::mapped::{self, Run, Stretch};
use crate::{Format, FormatError};

const FORMAT: Format = Format::Qcow2;
/// Numbers of the sources.
const FILE: usize = 0;
const BACKING: usize = 1;

/// The tables of a disk.
pub(super) struct Layout {
    file: Arc<dyn ReadAt>,
    header: Header,
    l1: Vec<u64>,
    l2: L2Tables,
    backing: Option<Arc<dyn ReadAt>>,
}

impl Layout {
    pub(super) fn new(
        file: Arc<dyn ReadAt>,
        header: Header,
        l1: Vec<u64>,
        backing: Option<Arc<dyn ReadAt>>,
    ) -> Self {
        Self { file, header, l1, l2: L2Tables::new(), backing }
    }

    /// Bytes of a cluster, or of a subcluster where there are such.
    fn unit_bytes(&self) -> u64 {
        self.header.cluster_bytes() / self.units_per_cluster()
    }

    fn units_per_cluster(&self) -> u64 {
        if self.header.has_subclusters { SUBCLUSTERS } else { 1 }
    }

    /// Returns the bytes of the second-level table that maps `offset`, if there is one.
    fn table(&self, offset: u64) -> io::Result<Option<Arc<Vec<u8>>>> {
        match self.l1.get(index(offset / self.header.l2_span_bytes())) {
            Some(0) => Ok(None),
            Some(place) => self.l2.get(&*self.file, *place, self.header.cluster_bytes()).map(Some),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    fn entry(&self, table: &[u8], offset: u64) -> io::Result<Entry> {
        let cluster = (offset % self.header.l2_span_bytes()) >> self.header.cluster_bits;
        Entry::find(table, &self.header, index(cluster)).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// Tells where the unit at `offset` of the disk comes from.
    fn unit(&self, table: &[u8], offset: u64) -> io::Result<Unit> {
        let entry = self.entry(table, offset)?;
        let subcluster = offset % self.header.cluster_bytes() / self.unit_bytes();
        entry.unit(&self.header, subcluster).map_err(|what| self.broken(offset, what).into())
    }

    fn broken(&self, offset: u64, what: &str) -> FormatError {
        let start = offset - offset % self.header.cluster_bytes();
        FORMAT.damaged(format!("the table entry of disk byte {start} {what}"))
    }

    /// Checks that stored bytes can be what they are said to be.
    fn check_stored(&self, offset: u64, place: u64, bytes: u64) -> Result<(), FormatError> {
        // Nothing behind the end of the disk is needed, and not all writers fill the last cluster.
        let bytes = bytes.min(self.header.disk_bytes - offset);
        if !is_within(&*self.file, place, bytes) {
            let size = self.file.size_bytes();
            return Err(self.broken(
                offset,
                &format!("points to byte {place}, beyond the end of the file ({size} bytes)"),
            ));
        }
        let l1_end = self.header.l1_offset + self.l1.len() as u64 * 8;
        if place < self.header.cluster_bytes() {
            return Err(self.broken(offset, "points into the header"));
        }
        if place < l1_end && place + bytes > self.header.l1_offset {
            return Err(self.broken(offset, "points into the first-level table"));
        }
        Ok(())
    }

    /// Returns what the disk has where nothing is stored: the backing file, and zeros behind its end.
    fn missing(&self, offset: u64, bytes: u64) -> Stretch {
        let backed = self.backing.as_ref().map_or(0, |backing| backing.size_bytes().saturating_sub(offset));
        if backed == 0 {
            return Stretch { run: Run::Zero, bytes };
        }
        Stretch { run: Run::Stored { source: BACKING, offset }, bytes: bytes.min(backed) }
    }
}

/// Tells whether a unit goes on where the one before it, `bytes` long up to here, ended.
fn continues(first: Unit, next: Unit, bytes: u64) -> bool {
    match (first, next) {
        (Unit::Missing, Unit::Missing) | (Unit::Zero, Unit::Zero) => true,
        (Unit::Stored(first), Unit::Stored(next)) => first.checked_add(bytes) == Some(next),
        _ => false,
    }
}

impl mapped::Layout for Layout {
    fn disk_bytes(&self) -> u64 {
        self.header.disk_bytes
    }

    fn source(&self, number: usize) -> Option<&dyn ReadAt> {
        match number {
            FILE => Some(&*self.file),
            BACKING => self.backing.as_deref(),
            _ => None,
        }
    }

    fn locate(&self, offset: u64, bytes_max: u64) -> io::Result<Stretch> {
        let span = self.header.l2_span_bytes();
        let span_end = (offset / span + 1) * span;
        let Some(table) = self.table(offset)? else {
            return Ok(self.missing(offset, span_end - offset));
        };
        let cluster_bytes = self.header.cluster_bytes();
        let unit = self.unit(&table, offset)?;
        if unit == Unit::Compressed {
            let inside = offset % cluster_bytes;
            let run = Run::Packed { unit: offset / cluster_bytes, inside };
            return Ok(Stretch { run, bytes: cluster_bytes - inside });
        }
        let unit_bytes = self.unit_bytes();
        let start = offset - offset % unit_bytes;
        let end_max = span_end.min(offset.saturating_add(bytes_max)).min(self.header.disk_bytes);
        let mut end = start + unit_bytes;
        while end < end_max && continues(unit, self.unit(&table, end)?, end - start) {
            end += unit_bytes;
        }
        let bytes = end - offset;
        Ok(match unit {
            Unit::Missing => self.missing(offset, bytes),
            Unit::Zero | Unit::Compressed => Stretch { run: Run::Zero, bytes },
            Unit::Stored(place) => {
                self.check_stored(start, place, end - start)?;
                let run = Run::Stored { source: FILE, offset: place + (offset - start) };
                Stretch { run, bytes }
            }
        })
    }

    fn unpack(&self, unit: u64) -> io::Result<Vec<u8>> {
        let offset = unit << self.header.cluster_bits;
        let table = self.table(offset)?.ok_or(io::ErrorKind::NotFound)?;
        let entry = self.entry(&table, offset)?;
        let place = entry.compressed(&self.header).ok_or(io::ErrorKind::NotFound)?;
        let left = self.file.size_bytes().saturating_sub(place.offset);
        if left == 0 {
            let what = format!("points to byte {}, beyond the end of the file", place.offset);
            return Err(self.broken(offset, &what).into());
        }
        // The last sector of the file may be cut off.
        let bytes = place.bytes.min(left);
        let what = "a compressed cluster";
        let packed = Part { format: FORMAT, what, offset: place.offset, bytes }.read(&*self.file)?;
        let unpacked = unpack(self.header.compression, &packed, index(self.header.cluster_bytes()));
        unpacked.map_err(|error| {
            let what = format!("points to byte {}, where no compressed cluster is ({error})", place.offset);
            self.broken(offset, &what).into()
        })
    }
}
