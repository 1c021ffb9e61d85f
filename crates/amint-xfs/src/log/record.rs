//! Records of the journal: a header, then operations; the first word of every sector is the number of the round.

use std::cell::RefCell;

use amint_types::ReadAt;

use crate::fields::Fields;
use crate::superblock::Superblock;

/// Bytes of the units of the journal.
pub(super) const SECTOR_BYTES: usize = 512;
/// The first word of the header of a record.
pub(super) const MAGIC: u32 = 0xfeed_babe;
/// The largest record, in bytes, without its headers (Linux: 256 KiB; some room for padding).
const RECORD_BYTES_MAX: usize = 512 * 1024;
/// How many sectors one header describes.
const SECTORS_PER_HEADER: usize = 64;
/// The largest journal, in bytes.
const LOG_BYTES_MAX: u64 = 1 << 31;
/// Where the checksum of a record is.
const CRC_OFFSET: usize = 32;
/// Bytes of the header that the checksum covers: on 64-bit and on 32-bit machines.
const HEADER_CRC_BYTES: [usize; 2] = [328, 324];
/// Bytes of a further header that the checksum covers.
const FURTHER_CRC_BYTES: usize = 260;
/// Sectors that are read at once.
const WINDOW_SECTORS: u64 = 512;
/// Bit of the version: the journal is of version 2.
const VERSION_2: u32 = 2;
/// The order of numbers that Linux writes on little-endian machines.
const LITTLE_ENDIAN: u32 = 1;

/// The journal as sectors.
pub(super) struct Log<'a> {
    source: &'a dyn ReadAt,
    start: u64,
    pub(super) sectors: u64,
    uuid: [u8; 16],
    window: RefCell<(u64, Vec<u8>)>,
}

/// A record, with the first words put back.
pub(super) struct Record {
    /// The number of the record: the round in the upper half, the sector in the lower.
    pub(super) lsn: u64,
    /// The oldest record that was still needed when this one was written.
    pub(super) tail_lsn: u64,
    pub(super) operation_count: u32,
    pub(super) data: Vec<u8>,
    /// How many sectors it takes, headers included.
    pub(super) sectors: u64,
    /// Whether its checksum fits; records without one always fit.
    pub(super) is_intact: bool,
    /// Whether its numbers are in the order of this reader.
    pub(super) is_little_endian: bool,
}

impl<'a> Log<'a> {
    pub(super) fn new(source: &'a dyn ReadAt, superblock: &Superblock) -> Result<Self, String> {
        let start = superblock
            .block_offset(superblock.log_start, u64::from(superblock.log_blocks))
            .map_err(|_| "it lies outside of the file system".to_owned())?;
        let bytes = u64::from(superblock.log_blocks) * u64::from(superblock.block_bytes);
        let is_there = start.checked_add(bytes).is_some_and(|end| end <= source.size_bytes());
        if !is_there || bytes == 0 || bytes > LOG_BYTES_MAX {
            return Err("it has a wrong size".to_owned());
        }
        Ok(Self {
            source,
            start,
            sectors: bytes / SECTOR_BYTES as u64,
            uuid: superblock.uuid,
            window: RefCell::new((0, Vec::new())),
        })
    }

    /// Reads one sector; numbers beyond the end go round.
    pub(super) fn sector(&self, number: u64) -> Result<[u8; SECTOR_BYTES], String> {
        let number = number % self.sectors;
        let mut window = self.window.borrow_mut();
        let first = number / WINDOW_SECTORS * WINDOW_SECTORS;
        if window.0 != first || window.1.is_empty() {
            let count = (self.sectors - first).min(WINDOW_SECTORS);
            let mut bytes = vec![0; usize::try_from(count).unwrap_or(0) * SECTOR_BYTES];
            self.source
                .read_exact_at(self.start + first * SECTOR_BYTES as u64, &mut bytes)
                .map_err(|error| format!("it cannot be read: {error}"))?;
            *window = (first, bytes);
        }
        let place = usize::try_from(number - first).unwrap_or(0) * SECTOR_BYTES;
        Fields(&window.1).array(place).map_err(|error| error.to_string())
    }

    /// Returns the number of the round in which a sector was written.
    pub(super) fn cycle(&self, number: u64) -> Result<u32, String> {
        let sector = self.sector(number)?;
        let first = word(&sector, 0);
        Ok(if first == MAGIC { word(&sector, 4) } else { first })
    }

    /// Tells whether a sector is the header of a record.
    pub(super) fn is_header(&self, number: u64) -> Result<bool, String> {
        Ok(word(&self.sector(number)?, 0) == MAGIC)
    }

    /// Returns how many sectors a record takes by its header, without reading it.
    pub(super) fn record_sectors(&self, number: u64) -> Result<u64, String> {
        let header = self.sector(number)?;
        let shape = Shape::parse(&header)?;
        Ok(shape.sectors())
    }

    /// Reads the record whose header is in a sector.
    pub(super) fn record(&self, number: u64) -> Result<Record, String> {
        let header = self.sector(number)?;
        let fields = Fields(&header);
        let shape = Shape::parse(&header)?;
        let read = |offset| fields.u64(offset).map_err(|error| error.to_string());
        let uuid = fields.array::<16>(304).map_err(|error| error.to_string())?;
        if uuid != self.uuid && uuid != [0; 16] {
            return Err("it belongs to another file system".to_owned());
        }
        let mut headers = vec![header];
        for index in 1..shape.headers as u64 {
            headers.push(self.sector(number + index)?);
        }
        let mut data = Vec::with_capacity(shape.data_sectors() * SECTOR_BYTES);
        for index in 0..shape.data_sectors() as u64 {
            data.extend_from_slice(&self.sector(number + shape.headers as u64 + index)?);
        }
        let is_intact = Self::fits(&headers, data.get(..shape.bytes).unwrap_or(&data));
        for (index, sector) in data.chunks_exact_mut(SECTOR_BYTES).enumerate() {
            let (header, place) = (index / SECTORS_PER_HEADER, index % SECTORS_PER_HEADER);
            // In the first header the words follow its fields; in the others they follow the number of the round.
            let start = if header == 0 { 44 } else { 4 } + place * 4;
            let first = headers.get(header).and_then(|header| header.get(start..start + 4));
            let first = first.ok_or("a record has too few headers")?;
            sector[..4].copy_from_slice(first);
        }
        data.truncate(shape.bytes);
        Ok(Record {
            lsn: read(16)?,
            tail_lsn: read(24)?,
            operation_count: word(&header, 40),
            data,
            sectors: shape.sectors(),
            is_intact,
            is_little_endian: word(&header, 300) == LITTLE_ENDIAN,
        })
    }

    /// Tells whether the checksum of a record fits. Records that mkfs writes have none, and old kernels wrote none.
    fn fits(headers: &[[u8; SECTOR_BYTES]], data: &[u8]) -> bool {
        let Some((first, further)) = headers.split_first() else { return false };
        // Further headers count only as far as they describe data, however many there are.
        let described = data.len().div_ceil(SECTORS_PER_HEADER * SECTOR_BYTES).saturating_sub(1);
        let stored = Fields(first).u32_le(CRC_OFFSET).unwrap_or(0);
        if stored == 0 {
            return true;
        }
        HEADER_CRC_BYTES.iter().any(|bytes| {
            let mut crc = crc32c::crc32c(&first[..CRC_OFFSET]);
            crc = crc32c::crc32c_append(crc, &[0; 4]);
            crc = crc32c::crc32c_append(crc, &first[CRC_OFFSET + 4..*bytes]);
            for header in further.iter().take(described) {
                crc = crc32c::crc32c_append(crc, &header[..FURTHER_CRC_BYTES]);
            }
            crc32c::crc32c_append(crc, data) == stored
        })
    }
}

/// How large a record is.
struct Shape {
    headers: usize,
    bytes: usize,
}

impl Shape {
    fn parse(header: &[u8; SECTOR_BYTES]) -> Result<Self, String> {
        if word(header, 0) != MAGIC {
            return Err("a record is missing".to_owned());
        }
        let bytes = usize::try_from(word(header, 12)).unwrap_or(usize::MAX);
        if bytes > RECORD_BYTES_MAX {
            return Err("a record is too large".to_owned());
        }
        let is_2 = word(header, 8) & VERSION_2 != 0;
        let room = usize::try_from(word(header, 320)).unwrap_or(usize::MAX);
        let per_header = SECTORS_PER_HEADER * SECTOR_BYTES;
        if !is_2 {
            return Ok(Self { headers: 1, bytes });
        }
        if room > RECORD_BYTES_MAX {
            return Err("a record has a wrong header".to_owned());
        }
        // mkfs may write a record that is longer than the room that its header tells.
        let headers = room.max(bytes).div_ceil(per_header).max(1);
        Ok(Self { headers, bytes })
    }

    fn data_sectors(&self) -> usize {
        self.bytes.div_ceil(SECTOR_BYTES)
    }

    fn sectors(&self) -> u64 {
        (self.headers + self.data_sectors()) as u64
    }
}

/// Reads a big-endian word of a sector; the offsets are constants within it.
fn word(sector: &[u8; SECTOR_BYTES], offset: usize) -> u32 {
    Fields(sector).u32(offset).unwrap_or(0)
}
