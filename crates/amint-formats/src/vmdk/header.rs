//! The header of a sparse extent.

use amint_types::ReadAt;

use super::FORMAT;
use crate::FormatError;
use crate::bytes::{Part, SECTOR_BYTES, array, le_u16, le_u32, le_u64};

/// Where the directory is: in the footer.
const DIRECTORY_AT_END: u64 = u64::MAX;
/// The footer is the last sector but one: the end marker follows.
const FOOTER_FROM_END: u64 = 2 * SECTOR_BYTES;
/// Largest grain: the usual one has 64 KiB.
const GRAIN_SECTORS_MAX: u64 = 4096;
/// Entries of a grain table: the format says 512.
const TABLE_ENTRIES_MAX: u32 = 4096;
/// Largest disk: places are 32-bit numbers of sectors, but compressed and zero grains take less than they hold.
const DISK_SECTORS_MAX: u64 = (64 << 40) / SECTOR_BYTES;

const FLAG_NEWLINES: u32 = 1;
const FLAG_REDUNDANT: u32 = 1 << 1;
const FLAG_ZERO_GRAINS: u32 = 1 << 2;
const FLAG_COMPRESSED: u32 = 1 << 16;
const FLAG_MARKERS: u32 = 1 << 17;
/// The only way of compressing.
const DEFLATE: u16 = 1;

/// What the header says; places are in bytes.
#[derive(Clone, Debug)]
pub(super) struct Header {
    pub(super) disk_bytes: u64,
    pub(super) grain_bytes: u64,
    pub(super) table_entries: u64,
    pub(super) directory_offset: u64,
    /// Where the descriptor is, and how long.
    pub(super) descriptor: Option<(u64, u64)>,
    pub(super) is_compressed: bool,
    /// An entry of 1 stands for a grain of zeros.
    pub(super) has_zero_grains: bool,
    is_unclean: bool,
}

/// The fields as they stand in the file, in sectors.
#[derive(Debug)]
struct Fields {
    version: u32,
    flags: u32,
    capacity: u64,
    grain: u64,
    descriptor: u64,
    descriptor_sectors: u64,
    table_entries: u32,
    redundant_directory: u64,
    directory: u64,
    is_unclean: bool,
    newlines: [u8; 4],
    compression: u16,
}

impl Fields {
    fn parse(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            version: le_u32(bytes, 4)?,
            flags: le_u32(bytes, 8)?,
            capacity: le_u64(bytes, 12)?,
            grain: le_u64(bytes, 20)?,
            descriptor: le_u64(bytes, 28)?,
            descriptor_sectors: le_u64(bytes, 36)?,
            table_entries: le_u32(bytes, 44)?,
            redundant_directory: le_u64(bytes, 48)?,
            directory: le_u64(bytes, 56)?,
            is_unclean: *bytes.get(72)? != 0,
            newlines: array(bytes, 73)?,
            compression: le_u16(bytes, 77)?,
        })
    }

    fn read(file: &dyn ReadAt, what: &'static str, offset: u64) -> Result<Self, FormatError> {
        let bytes = Part { format: FORMAT, what, offset, bytes: SECTOR_BYTES }.read(file)?;
        if !bytes.starts_with(b"KDMV") {
            return Err(FORMAT.damaged(format!("{what} is not at byte {offset}")));
        }
        Self::parse(&bytes).ok_or_else(|| FORMAT.damaged(format!("{what} is cut off")))
    }

    fn check(&self) -> Result<(), FormatError> {
        if !(1..=3).contains(&self.version) {
            return Err(FORMAT.unsupported(format!("version {} of sparse extents", self.version)));
        }
        if self.flags & FLAG_NEWLINES != 0 && self.newlines != *b"\n \r\n" {
            return Err(FORMAT.damaged("line ends were changed: the file was transferred as text"));
        }
        let is_compressed = self.flags & FLAG_COMPRESSED != 0;
        if is_compressed && self.compression != DEFLATE {
            return Err(FORMAT.unsupported(format!("compression method {}", self.compression)));
        }
        if is_compressed && self.flags & FLAG_MARKERS == 0 {
            return Err(FORMAT.unsupported("compressed grains without markers"));
        }
        if !self.grain.is_power_of_two() || self.grain > GRAIN_SECTORS_MAX {
            return Err(FORMAT.damaged(format!(
                "grains of {} sectors; a power of two up to {GRAIN_SECTORS_MAX} is possible",
                self.grain
            )));
        }
        if self.table_entries == 0 || self.table_entries > TABLE_ENTRIES_MAX {
            return Err(FORMAT.damaged(format!(
                "grain tables of {} entries; 1 to {TABLE_ENTRIES_MAX} are possible",
                self.table_entries
            )));
        }
        if self.capacity > DISK_SECTORS_MAX {
            return Err(FORMAT.limit(format!("a disk of {} sectors, more than 64 TiB", self.capacity)));
        }
        Ok(())
    }
}

impl Header {
    /// Reads and checks the header, and the footer where the header leads there.
    pub(super) fn read(file: &dyn ReadAt) -> Result<Self, FormatError> {
        let first = Fields::read(file, "the header", 0)?;
        first.check()?;
        let (descriptor, descriptor_sectors) = (first.descriptor, first.descriptor_sectors);
        let fields = if first.directory == DIRECTORY_AT_END {
            let offset = file.size_bytes().saturating_sub(FOOTER_FROM_END);
            let footer = Fields::read(file, "the footer", offset)?;
            footer.check()?;
            if (footer.capacity, footer.grain) != (first.capacity, first.grain) {
                return Err(FORMAT.damaged("header and footer contradict each other"));
            }
            footer
        } else {
            first
        };
        let directory = if fields.flags & FLAG_REDUNDANT != 0 && fields.directory == 0 {
            fields.redundant_directory
        } else {
            fields.directory
        };
        let bytes_of = |sectors: u64, what: &str| {
            sectors
                .checked_mul(SECTOR_BYTES)
                .ok_or_else(|| FORMAT.damaged(format!("{what} is beyond all files, at sector {sectors}")))
        };
        let descriptor = match descriptor {
            0 => None,
            sector => {
                let what = "the descriptor";
                Some((bytes_of(sector, what)?, bytes_of(descriptor_sectors, what)?))
            }
        };
        Ok(Self {
            disk_bytes: bytes_of(fields.capacity, "the end of the disk")?,
            grain_bytes: bytes_of(fields.grain, "a grain")?,
            table_entries: fields.table_entries.into(),
            directory_offset: bytes_of(directory, "the grain directory")?,
            descriptor,
            is_compressed: fields.flags & FLAG_COMPRESSED != 0,
            has_zero_grains: fields.flags & FLAG_ZERO_GRAINS != 0,
            is_unclean: fields.is_unclean,
        })
    }

    /// Bytes of disk that one grain table maps.
    pub(super) fn table_span_bytes(&self) -> u64 {
        self.grain_bytes * self.table_entries
    }

    /// Tells what the user should know.
    pub(super) fn note(&self, notes: &mut Vec<String>) {
        if self.is_unclean {
            notes.push("the VMDK image was not closed by the program that wrote it".to_owned());
        }
    }
}
