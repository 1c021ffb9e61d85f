//! `VirtualBox` disks (`VDICore.h` of `VirtualBox`), dynamic and fixed.

use std::io;
use std::sync::Arc;

use amint_types::ReadAt;

use crate::bytes::{Part, index, is_within, le_u32, le_u64, repeated};
use crate::mapped::{Layout, Mapped, Run, Stretch};
use crate::{Format, FormatError};

const FORMAT: Format = Format::Vdi;
const HEADER_BYTES: u64 = 512;
/// The only version that was ever published widely: 1.1.
const VERSION: u32 = 0x0001_0001;
const TYPE_DYNAMIC: u32 = 1;
const TYPE_FIXED: u32 = 2;
/// Largest block map.
const MAP_BYTES_MAX: u64 = 32 << 20;
/// Sizes of blocks; all known writers make blocks of 1 MiB.
const BLOCK_BYTES: std::ops::RangeInclusive<u32> = 4096..=256 << 20;
/// Entries of the map from here on: the block is not there, or was discarded; both read as zero.
const ENTRY_ZERO_MIN: u32 = 0xffff_fffe;

/// A disk of blocks.
struct Blocks {
    file: Arc<dyn ReadAt>,
    disk_bytes: u64,
    block_bytes: u64,
    data_offset: u64,
    map: Vec<u32>,
}

/// The fields as they stand in the file.
#[derive(Debug)]
struct Fields {
    version: u32,
    kind: u32,
    map_offset: u32,
    data_offset: u32,
    disk_bytes: u64,
    block_bytes: u32,
    extra_bytes: u32,
    blocks: u32,
}

impl Fields {
    fn parse(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            version: le_u32(bytes, 0x44)?,
            kind: le_u32(bytes, 0x4c)?,
            map_offset: le_u32(bytes, 0x154)?,
            data_offset: le_u32(bytes, 0x158)?,
            disk_bytes: le_u64(bytes, 0x170)?,
            block_bytes: le_u32(bytes, 0x178)?,
            extra_bytes: le_u32(bytes, 0x17c)?,
            blocks: le_u32(bytes, 0x180)?,
        })
    }

    fn check(&self) -> Result<(), FormatError> {
        if self.version != VERSION {
            return Err(FORMAT.unsupported(format!(
                "version {}.{}",
                self.version >> 16,
                self.version & 0xffff
            )));
        }
        if !matches!(self.kind, TYPE_DYNAMIC | TYPE_FIXED) {
            return Err(FORMAT.unsupported(format!("the image type {} (a difference to another)", self.kind)));
        }
        if !self.block_bytes.is_power_of_two() || !BLOCK_BYTES.contains(&self.block_bytes) {
            return Err(FORMAT.damaged(format!("blocks of {} bytes", self.block_bytes)));
        }
        if self.extra_bytes != 0 {
            return Err(FORMAT.unsupported("extra data before blocks"));
        }
        let needed = self.disk_bytes.div_ceil(self.block_bytes.into());
        if u64::from(self.blocks) < needed {
            return Err(FORMAT.damaged(format!(
                "the block map has {} entries; a disk of {} bytes needs {needed}",
                self.blocks, self.disk_bytes
            )));
        }
        Ok(())
    }
}

/// Opens a disk.
pub(crate) fn open(file: Arc<dyn ReadAt>) -> Result<Arc<dyn ReadAt>, FormatError> {
    let header = Part { format: FORMAT, what: "the header", offset: 0, bytes: HEADER_BYTES }.read(&*file)?;
    let fields = Fields::parse(&header).ok_or_else(|| FORMAT.damaged("the header is cut off"))?;
    fields.check()?;
    let bytes = fields.disk_bytes.div_ceil(fields.block_bytes.into()) * 4;
    if bytes > MAP_BYTES_MAX {
        return Err(FORMAT.limit(format!("a block map of {bytes} bytes, more than {MAP_BYTES_MAX}")));
    }
    let map = Part { format: FORMAT, what: "the block map", offset: fields.map_offset.into(), bytes };
    let map = map.read(&*file)?;
    let (entries, _) = map.as_chunks::<4>();
    let map: Vec<u32> = entries.iter().map(|entry| u32::from_le_bytes(*entry)).collect();
    if let Some(block) = repeated(map.iter().copied().filter(|place| *place < ENTRY_ZERO_MIN)) {
        return Err(FORMAT.damaged(format!("two entries of the block map share block {block}")));
    }
    Ok(Arc::new(Mapped::new(Blocks {
        file,
        disk_bytes: fields.disk_bytes,
        block_bytes: fields.block_bytes.into(),
        data_offset: fields.data_offset.into(),
        map,
    })))
}

impl Layout for Blocks {
    fn disk_bytes(&self) -> u64 {
        self.disk_bytes
    }

    fn source(&self, number: usize) -> Option<&dyn ReadAt> {
        (number == 0).then_some(&*self.file)
    }

    fn locate(&self, offset: u64, _bytes_max: u64) -> io::Result<Stretch> {
        let inside = offset % self.block_bytes;
        let bytes = self.block_bytes - inside;
        let entry = self.map.get(index(offset / self.block_bytes)).ok_or(io::ErrorKind::UnexpectedEof)?;
        if *entry >= ENTRY_ZERO_MIN {
            return Ok(Stretch { run: Run::Zero, bytes });
        }
        let place = self.data_offset + u64::from(*entry) * self.block_bytes + inside;
        if !is_within(&*self.file, place, bytes.min(self.disk_bytes - offset)) {
            let what =
                format!("disk byte {offset} is said to be at byte {place}, beyond the end of the file");
            return Err(FORMAT.damaged(what).into());
        }
        Ok(Stretch { run: Run::Stored { source: 0, offset: place }, bytes })
    }
}
