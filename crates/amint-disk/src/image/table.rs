//! The partition table and the boot sector.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

use gptman::{GPT, GPTPartitionEntry};
use uuid::Uuid;

use super::layout::SECTOR_BYTES;
use crate::raw::is_zero;

/// A partition to enter.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: &'static str,
    pub(super) kind: Uuid,
    pub(super) id: Uuid,
    pub(super) bytes: Range<u64>,
}

/// Writes both copies of the partition table and the protective MBR, with `boot_code` at its beginning.
pub(super) fn write_table(
    target: &File,
    disk_bytes: u64,
    disk_id: Uuid,
    entries: &[Entry],
    boot_code: &[u8],
) -> Result<(), gptman::Error> {
    let mut device = HoleKeeper { target, position: 0, bytes: disk_bytes };
    let mut table = GPT::new_from(&mut device, SECTOR_BYTES, disk_id.to_bytes_le())?;
    for (number, entry) in (1..).zip(entries) {
        table[number] = GPTPartitionEntry {
            partition_type_guid: entry.kind.to_bytes_le(),
            unique_partition_guid: entry.id.to_bytes_le(),
            starting_lba: entry.bytes.start / SECTOR_BYTES,
            ending_lba: entry.bytes.end / SECTOR_BYTES - 1,
            attribute_bits: 0,
            partition_name: entry.name.into(),
        };
    }
    table.write_into(&mut device)?;
    GPT::write_protective_mbr_into(&mut device, SECTOR_BYTES)?;
    target.write_all_at(boot_code, 0)?;
    Ok(())
}

/// A file of zeros that stays a hole where zeros are written.
struct HoleKeeper<'a> {
    target: &'a File,
    position: u64,
    bytes: u64,
}

impl Read for HoleKeeper<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.target.read_at(buffer, self.position)?;
        self.position += length as u64;
        Ok(length)
    }
}

impl Write for HoleKeeper<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !is_zero(bytes) {
            self.target.write_all_at(bytes, self.position)?;
        }
        self.position += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for HoleKeeper<'_> {
    fn seek(&mut self, target: SeekFrom) -> io::Result<u64> {
        let position = match target {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(distance) => self.bytes.checked_add_signed(distance),
            SeekFrom::Current(distance) => self.position.checked_add_signed(distance),
        };
        self.position = position
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "position before the beginning"))?;
        Ok(self.position)
    }
}
