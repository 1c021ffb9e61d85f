//! Virtual PC disks (Microsoft, "Virtual Hard Disk Image Format Specification" 1.0).
//!
//! A fixed disk is the raw disk and a footer. A dynamic one begins with a copy of the footer and has blocks, each
//! behind a bitmap of its sectors; what the bitmap does not name was never written and is zero.

use std::io;
use std::sync::Arc;

use amint_types::{Piece, ReadAt};

use crate::bytes::{Part, SECTOR_BYTES, array, be_u32, be_u64, index, is_within, repeated};
use crate::cache::SharedCache;
use crate::mapped::{Layout, Mapped, Run, Stretch};
use crate::{Format, FormatError};

const FORMAT: Format = Format::Vhd;
const FOOTER_BYTES: u64 = 512;
const HEADER_BYTES: u64 = 1024;
const TYPE_FIXED: u32 = 2;
const TYPE_DYNAMIC: u32 = 3;
const TYPE_DIFFERENCING: u32 = 4;
/// Largest block allocation table: disks of 2 TiB with blocks of 256 KiB.
const TABLE_BYTES_MAX: u64 = 32 << 20;
/// Sizes of blocks; the usual ones have 2 MiB.
const BLOCK_BYTES: std::ops::RangeInclusive<u32> = 4096..=256 << 20;
/// Bytes of bitmaps that are kept: 16 GiB of disk with the usual blocks.
const BITMAPS_BYTES_MAX: usize = 4 << 20;
/// Entry of the table: the block is not there and reads as zero.
const UNUSED: u32 = u32::MAX;

/// What a footer says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Footer {
    data_offset: u64,
    disk_bytes: u64,
    kind: u32,
    is_saved_state: bool,
}

impl Footer {
    fn parse(bytes: &[u8]) -> Option<Self> {
        if !bytes.starts_with(b"conectix") || !is_sum_right(bytes, 64) {
            return None;
        }
        Some(Self {
            data_offset: be_u64(bytes, 16)?,
            disk_bytes: be_u64(bytes, 48)?,
            kind: be_u32(bytes, 60)?,
            is_saved_state: *bytes.get(84)? != 0,
        })
    }

    fn read(file: &dyn ReadAt, offset: u64) -> Result<Option<Self>, FormatError> {
        let part = Part { format: FORMAT, what: "the footer", offset, bytes: FOOTER_BYTES };
        Ok(Self::parse(&part.read(file)?))
    }
}

/// Tells whether the checksum at `at` is the complement of the sum of all other bytes.
fn is_sum_right(bytes: &[u8], at: usize) -> bool {
    let Some(stored) = array::<4>(bytes, at) else { return false };
    let sum = |bytes: &[u8]| bytes.iter().fold(0_u32, |sum, byte| sum.wrapping_add((*byte).into()));
    !sum(bytes).wrapping_sub(sum(&stored)) == u32::from_be_bytes(stored)
}

/// Opens a disk.
pub(crate) fn open(file: Arc<dyn ReadAt>, notes: &mut Vec<String>) -> Result<Arc<dyn ReadAt>, FormatError> {
    let end = file.size_bytes().checked_sub(FOOTER_BYTES);
    let end = end.ok_or_else(|| FORMAT.damaged("the file is shorter than a footer"))?;
    let (last, first) = (Footer::read(&*file, end)?, Footer::read(&*file, 0)?);
    let footer = match (last, first) {
        (Some(last), Some(first)) => {
            if last != first && last.kind != TYPE_FIXED {
                notes.push("footer and its copy of the VHD image differ; the footer was used".to_owned());
            }
            last
        }
        (Some(last), None) if last.kind == TYPE_FIXED => last,
        (Some(last), None) => {
            notes.push("the copy of the footer of the VHD image is broken".to_owned());
            last
        }
        (None, Some(first)) if first.kind != TYPE_FIXED => {
            notes.push("the footer of the VHD image is broken or cut off; its copy was used".to_owned());
            first
        }
        _ => return Err(FORMAT.damaged("neither the footer nor its copy has the right checksum")),
    };
    if footer.is_saved_state {
        notes.push("the VHD image belongs to a machine that was suspended".to_owned());
    }
    match footer.kind {
        TYPE_FIXED if footer.disk_bytes > end => Err(FORMAT.damaged(format!(
            "the file has {end} bytes before its footer; the disk should have {}",
            footer.disk_bytes
        ))),
        TYPE_FIXED => Ok(Arc::new(Piece::new(file, 0, footer.disk_bytes))),
        TYPE_DYNAMIC => open_dynamic(file, &footer),
        TYPE_DIFFERENCING => Err(FORMAT.unsupported("a parent disk: it holds only differences")),
        other => Err(FORMAT.unsupported(format!("the disk type {other}"))),
    }
}

/// Opens a disk of blocks.
fn open_dynamic(file: Arc<dyn ReadAt>, footer: &Footer) -> Result<Arc<dyn ReadAt>, FormatError> {
    let offset = footer.data_offset;
    let bytes =
        Part { format: FORMAT, what: "the dynamic header", offset, bytes: HEADER_BYTES }.read(&*file)?;
    if !bytes.starts_with(b"cxsparse") || !is_sum_right(&bytes, 36) {
        return Err(FORMAT.damaged(format!("no dynamic header with a right checksum is at byte {offset}")));
    }
    let (Some(table_offset), Some(entries), Some(block_bytes)) =
        (be_u64(&bytes, 16), be_u32(&bytes, 28), be_u32(&bytes, 32))
    else {
        return Err(FORMAT.damaged("the dynamic header is cut off"));
    };
    if !block_bytes.is_power_of_two() || !BLOCK_BYTES.contains(&block_bytes) {
        return Err(FORMAT.damaged(format!(
            "blocks of {block_bytes} bytes; a power of two from 4 KiB to 256 MiB is possible"
        )));
    }
    let needed = footer.disk_bytes.div_ceil(block_bytes.into());
    if u64::from(entries) < needed {
        return Err(FORMAT.damaged(format!(
            "the block table has {entries} entries; a disk of {} bytes needs {needed}",
            footer.disk_bytes
        )));
    }
    let bytes = needed * 4;
    if bytes > TABLE_BYTES_MAX {
        return Err(FORMAT.limit(format!("a block table of {bytes} bytes, more than {TABLE_BYTES_MAX}")));
    }
    let bytes = Part { format: FORMAT, what: "the block table", offset: table_offset, bytes }.read(&*file)?;
    let (entries, _) = bytes.as_chunks::<4>();
    let layout = Dynamic {
        file,
        disk_bytes: footer.disk_bytes,
        block_bytes: block_bytes.into(),
        bitmap_bytes: u64::from(block_bytes).div_ceil(SECTOR_BYTES * 8).next_multiple_of(SECTOR_BYTES),
        table: entries.iter().map(|entry| u32::from_be_bytes(*entry)).collect(),
        bitmaps: SharedCache::new(BITMAPS_BYTES_MAX),
    };
    layout.check_table()?;
    Ok(Arc::new(Mapped::new(layout)))
}

/// A disk of blocks.
struct Dynamic {
    file: Arc<dyn ReadAt>,
    disk_bytes: u64,
    block_bytes: u64,
    bitmap_bytes: u64,
    /// Sectors of the blocks.
    table: Vec<u32>,
    bitmaps: SharedCache,
}

impl Dynamic {
    fn check_table(&self) -> Result<(), FormatError> {
        match repeated(self.table.iter().copied().filter(|place| *place != UNUSED)) {
            Some(sector) => {
                let what = format!("two entries of the block table share the block at sector {sector}");
                Err(FORMAT.damaged(what))
            }
            None => Ok(()),
        }
    }

    /// Returns the bitmap of a block.
    fn bitmap(&self, block: u64, place: u64) -> io::Result<Arc<Vec<u8>>> {
        let part =
            Part { format: FORMAT, what: "the bitmap of a block", offset: place, bytes: self.bitmap_bytes };
        self.bitmaps.get_or_read(block, || Ok(part.read(&*self.file)?))
    }
}

/// Tells whether the bitmap names a sector as written: the highest bit comes first.
fn is_written(bitmap: &[u8], sector: u64) -> bool {
    bitmap.get(index(sector / 8)).is_some_and(|byte| byte & (0x80 >> (sector % 8)) != 0)
}

impl Layout for Dynamic {
    fn disk_bytes(&self) -> u64 {
        self.disk_bytes
    }

    fn source(&self, number: usize) -> Option<&dyn ReadAt> {
        (number == 0).then_some(&*self.file)
    }

    fn locate(&self, offset: u64, bytes_max: u64) -> io::Result<Stretch> {
        let block = offset / self.block_bytes;
        let inside = offset % self.block_bytes;
        let left = self.block_bytes - inside;
        let place = match self.table.get(index(block)) {
            None => return Err(io::ErrorKind::UnexpectedEof.into()),
            Some(&UNUSED) => return Ok(Stretch { run: Run::Zero, bytes: left }),
            Some(sector) => u64::from(*sector) * SECTOR_BYTES,
        };
        let bitmap = self.bitmap(block, place)?;
        let first = inside / SECTOR_BYTES;
        let is_stored = is_written(&bitmap, first);
        let end_max = self.block_bytes.min(inside.saturating_add(bytes_max)).div_ceil(SECTOR_BYTES);
        let mut end = first + 1;
        while end < end_max && is_written(&bitmap, end) == is_stored {
            end += 1;
        }
        let bytes = (end * SECTOR_BYTES - inside).min(left);
        if !is_stored {
            return Ok(Stretch { run: Run::Zero, bytes });
        }
        let offset_in_file = place + self.bitmap_bytes + inside;
        if !is_within(&*self.file, offset_in_file, bytes.min(self.disk_bytes - offset)) {
            let start = offset - inside;
            return Err(FORMAT
                .damaged(format!(
                    "the block of disk byte {start} is said to be at byte {place}, beyond the end of the file"
                ))
                .into());
        }
        Ok(Stretch { run: Run::Stored { source: 0, offset: offset_in_file }, bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Enters the complement of the sum of all bytes.
    fn seal(bytes: &mut [u8], at: usize) {
        bytes[at..at + 4].fill(0);
        let sum: u32 = bytes.iter().map(|byte| u32::from(*byte)).sum();
        bytes[at..at + 4].copy_from_slice(&(!sum).to_be_bytes());
    }

    fn footer(kind: u32, disk_bytes: u64, data_offset: u64) -> Vec<u8> {
        let mut footer = vec![0; 512];
        footer[..8].copy_from_slice(b"conectix");
        footer[16..24].copy_from_slice(&data_offset.to_be_bytes());
        footer[48..56].copy_from_slice(&disk_bytes.to_be_bytes());
        footer[60..64].copy_from_slice(&kind.to_be_bytes());
        seal(&mut footer, 64);
        footer
    }

    fn dynamic(bitmap: &[u8]) -> Vec<u8> {
        let footer = footer(TYPE_DYNAMIC, 8192, 512);
        let mut header = vec![0; 1024];
        header[..8].copy_from_slice(b"cxsparse");
        header[16..24].copy_from_slice(&1536_u64.to_be_bytes());
        header[28..32].copy_from_slice(&2_u32.to_be_bytes());
        header[32..36].copy_from_slice(&4096_u32.to_be_bytes());
        seal(&mut header, 36);
        let mut table = vec![0xff; 512];
        table[4..8].copy_from_slice(&4_u32.to_be_bytes());
        let mut sectors = vec![0; 512];
        sectors[..bitmap.len()].copy_from_slice(bitmap);
        [footer.clone(), header, table, sectors, vec![7; 4096], footer].concat()
    }

    #[test]
    fn sectors_that_were_never_written_are_zero() {
        let mut notes = Vec::new();
        let disk = open(Arc::new(dynamic(&[0b0100_0001])), &mut notes).unwrap();
        let mut content = vec![9; 8192];
        disk.read_exact_at(0, &mut content).unwrap();
        let mut expected = vec![0; 8192];
        expected[4096 + 512..4096 + 1024].fill(7);
        expected[8192 - 512..].fill(7);
        assert_eq!(content, expected);
        assert!(disk.is_known_zero(0, 4096 + 512));
        assert!(!disk.is_known_zero(0, 4096 + 513));
        assert_eq!(notes, Vec::<String>::new());
    }

    #[test]
    fn the_copy_of_the_footer_helps_when_the_end_is_cut_off() {
        let mut image = dynamic(&[0xff]);
        image.truncate(image.len() - 512);
        let mut notes = Vec::new();
        open(Arc::new(image), &mut notes).unwrap();
        assert!(notes[0].contains("its copy was used"));
    }

    #[test]
    fn differences_to_a_parent_are_refused() {
        let image = footer(TYPE_DIFFERENCING, 8192, 512);
        let error = open(Arc::new(image), &mut Vec::new()).err().unwrap().to_string();
        assert_eq!(
            error,
            "the vhd image uses a parent disk: it holds only differences, which amint cannot read"
        );
    }
}
