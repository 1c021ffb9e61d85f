//! Sparse extents: a directory of tables of grains.

use std::io::{self, Read as _};
use std::sync::Arc;

use amint_types::ReadAt;
use flate2::read::ZlibDecoder;

use super::FORMAT;
use super::header::Header;
use crate::FormatError;
use crate::bytes::{Part, SECTOR_BYTES, index, is_within, le_u32, le_u64};
use crate::cache::SharedCache;
use crate::mapped::{Layout, Mapped, Run, Stretch};

/// Largest grain directory.
const DIRECTORY_BYTES_MAX: u64 = 32 << 20;
/// Bytes of grain tables that are kept: they map 64 GiB with the usual grains.
const TABLES_BYTES_MAX: usize = 4 << 20;
/// Bytes of an entry of the directory and of tables.
const ENTRY_BYTES: u64 = 4;
/// Entry of a table: a grain of zeros, where the header allows it.
const ZERO_GRAIN: u32 = 1;
/// Bytes of the marker before a compressed grain: its first sector on the disk, and how long it is.
const MARKER_BYTES: u64 = 12;

/// A sparse extent.
struct Sparse {
    file: Arc<dyn ReadAt>,
    header: Header,
    /// Sectors of the grain tables; 0 where there is none.
    directory: Vec<u32>,
    tables: SharedCache,
}

/// Opens a sparse extent.
pub(super) fn open(file: Arc<dyn ReadAt>, header: Header) -> Result<Arc<dyn ReadAt>, FormatError> {
    let entries = header.disk_bytes.div_ceil(header.table_span_bytes());
    let bytes = entries * ENTRY_BYTES;
    if bytes > DIRECTORY_BYTES_MAX {
        return Err(
            FORMAT.limit(format!("a grain directory of {bytes} bytes, more than {DIRECTORY_BYTES_MAX}"))
        );
    }
    let part = Part { format: FORMAT, what: "the grain directory", offset: header.directory_offset, bytes };
    let bytes = part.read(&*file)?;
    let (entries, _) = bytes.as_chunks::<4>();
    let directory: Vec<u32> = entries.iter().map(|entry| u32::from_le_bytes(*entry)).collect();
    let table_bytes = header.table_entries * ENTRY_BYTES;
    for (number, sector) in directory.iter().enumerate().filter(|(_, sector)| **sector != 0) {
        let place = u64::from(*sector) * SECTOR_BYTES;
        if !is_within(&*file, place, table_bytes) {
            return Err(FORMAT.damaged(format!(
                "entry {number} of the grain directory points to byte {place}, beyond the end of the file"
            )));
        }
    }
    let tables = SharedCache::new(TABLES_BYTES_MAX);
    Ok(Arc::new(Mapped::new(Sparse { file, header, directory, tables })))
}

impl Sparse {
    /// Returns the bytes of the table that maps `offset`, if there is one.
    fn table(&self, offset: u64) -> io::Result<Option<Arc<Vec<u8>>>> {
        let number = offset / self.header.table_span_bytes();
        match self.directory.get(index(number)) {
            None => Err(io::ErrorKind::UnexpectedEof.into()),
            Some(0) => Ok(None),
            Some(sector) => {
                let part = Part {
                    format: FORMAT,
                    what: "a grain table",
                    offset: u64::from(*sector) * SECTOR_BYTES,
                    bytes: self.header.table_entries * ENTRY_BYTES,
                };
                self.tables.get_or_read(number, || Ok(part.read(&*self.file)?)).map(Some)
            }
        }
    }

    /// Returns the byte where the grain at `offset` of the disk is; none for one of zeros.
    fn grain(&self, table: &[u8], offset: u64) -> io::Result<Option<u64>> {
        let entry = offset % self.header.table_span_bytes() / self.header.grain_bytes;
        match le_u32(table, index(entry * ENTRY_BYTES)) {
            None => Err(io::ErrorKind::UnexpectedEof.into()),
            Some(0) => Ok(None),
            Some(ZERO_GRAIN) if self.header.has_zero_grains => Ok(None),
            Some(sector) => Ok(Some(u64::from(sector) * SECTOR_BYTES)),
        }
    }

    fn broken(&self, offset: u64, place: u64, what: &str) -> io::Error {
        let start = offset - offset % self.header.grain_bytes;
        FORMAT.damaged(format!("the grain of disk byte {start} is said to be at byte {place}, {what}")).into()
    }

    /// Bytes of the grain at `offset` that the disk has.
    fn grain_bytes_at(&self, offset: u64) -> u64 {
        let start = offset - offset % self.header.grain_bytes;
        self.header.grain_bytes.min(self.header.disk_bytes - start)
    }
}

impl Layout for Sparse {
    fn disk_bytes(&self) -> u64 {
        self.header.disk_bytes
    }

    fn source(&self, number: usize) -> Option<&dyn ReadAt> {
        (number == 0).then_some(&*self.file)
    }

    fn locate(&self, offset: u64, bytes_max: u64) -> io::Result<Stretch> {
        let span = self.header.table_span_bytes();
        let span_end = (offset / span + 1) * span;
        let Some(table) = self.table(offset)? else {
            return Ok(Stretch { run: Run::Zero, bytes: span_end - offset });
        };
        let grain_bytes = self.header.grain_bytes;
        let inside = offset % grain_bytes;
        let place = self.grain(&table, offset)?;
        if place.is_some() && self.header.is_compressed {
            let run = Run::Packed { unit: offset / grain_bytes, inside };
            return Ok(Stretch { run, bytes: grain_bytes - inside });
        }
        let start = offset - inside;
        let end_max = span_end.min(offset.saturating_add(bytes_max)).min(self.header.disk_bytes);
        let mut end = start + grain_bytes;
        while end < end_max {
            let is_next = match (place, self.grain(&table, end)?) {
                (None, None) => true,
                (Some(first), Some(next)) => first + (end - start) == next,
                _ => false,
            };
            if !is_next {
                break;
            }
            end += grain_bytes;
        }
        let Some(place) = place else { return Ok(Stretch { run: Run::Zero, bytes: end - offset }) };
        let needed = (end - start).min(self.header.disk_bytes - start);
        if !is_within(&*self.file, place, needed) {
            return Err(self.broken(offset, place, "beyond the end of the file"));
        }
        Ok(Stretch { run: Run::Stored { source: 0, offset: place + inside }, bytes: end - offset })
    }

    fn unpack(&self, unit: u64) -> io::Result<Vec<u8>> {
        let offset = unit * self.header.grain_bytes;
        let table = self.table(offset)?.ok_or(io::ErrorKind::NotFound)?;
        let place = self.grain(&table, offset)?.ok_or(io::ErrorKind::NotFound)?;
        let read = |offset, bytes| {
            Part { format: FORMAT, what: "a compressed grain", offset, bytes }.read(&*self.file)
        };
        let marker = read(place, MARKER_BYTES)?;
        let (Some(sector), Some(bytes)) = (le_u64(&marker, 0), le_u32(&marker, 8)) else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        if sector.checked_mul(SECTOR_BYTES) != Some(offset) {
            return Err(self.broken(offset, place, &format!("where the grain of sector {sector} is")));
        }
        // What does not get smaller grows by little.
        if u64::from(bytes) > self.header.grain_bytes * 2 + SECTOR_BYTES {
            return Err(self.broken(offset, place, &format!("with {bytes} bytes, more than it can have")));
        }
        let packed = read(place + MARKER_BYTES, bytes.into())?;
        let mut grain = vec![0; index(self.grain_bytes_at(offset))];
        ZlibDecoder::new(&*packed)
            .read_exact(&mut grain)
            .map_err(|error| self.broken(offset, place, &format!("and cannot be unpacked ({error})")))?;
        Ok(grain)
    }
}
