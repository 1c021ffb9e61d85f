//! The metadata: sizes of the disk, its blocks and sectors.

use amint_types::ReadAt;

use super::region::Region;
use super::{FORMAT, Guid, guid_text};
use crate::FormatError;
use crate::bytes::{Part, array, le_u16, le_u32, le_u64};

const TABLE_BYTES: u64 = 64 << 10;
const ENTRIES_MAX: u16 = 2047;
const ENTRY_BYTES: usize = 32;
const FIRST_ENTRY: usize = 32;
const FLAG_REQUIRED: u32 = 1 << 2;
/// Items that are read have 8 bytes at most.
const ITEM_BYTES: u64 = 8;
/// Largest disk, by the specification.
const DISK_BYTES_MAX: u64 = 64 << 40;
/// Sizes of blocks, by the specification.
const BLOCK_BYTES: std::ops::RangeInclusive<u32> = 1 << 20..=256 << 20;
const HAS_PARENT: u32 = 1 << 1;

/// caa16737-fa36-4d43-b3b6-33f0aa44e76b
const FILE_PARAMETERS: Guid =
    [0x37, 0x67, 0xa1, 0xca, 0x36, 0xfa, 0x43, 0x4d, 0xb3, 0xb6, 0x33, 0xf0, 0xaa, 0x44, 0xe7, 0x6b];
/// 2fa54224-cd1b-4876-b211-5dbed83bf4b8
const DISK_SIZE: Guid =
    [0x24, 0x42, 0xa5, 0x2f, 0x1b, 0xcd, 0x76, 0x48, 0xb2, 0x11, 0x5d, 0xbe, 0xd8, 0x3b, 0xf4, 0xb8];
/// 8141bf1d-a96f-4709-ba47-f233a8faab5f
const LOGICAL_SECTOR: Guid =
    [0x1d, 0xbf, 0x41, 0x81, 0x6f, 0xa9, 0x09, 0x47, 0xba, 0x47, 0xf2, 0x33, 0xa8, 0xfa, 0xab, 0x5f];
/// cda348c7-445d-4471-9cc9-e9885251c556
const PHYSICAL_SECTOR: Guid =
    [0xc7, 0x48, 0xa3, 0xcd, 0x5d, 0x44, 0x71, 0x44, 0x9c, 0xc9, 0xe9, 0x88, 0x52, 0x51, 0xc5, 0x56];
/// beca12ab-b2e6-4523-93ef-c309e000c746
const DISK_ID: Guid =
    [0xab, 0x12, 0xca, 0xbe, 0xe6, 0xb2, 0x23, 0x45, 0x93, 0xef, 0xc3, 0x09, 0xe0, 0x00, 0xc7, 0x46];
/// a8d35f2d-b30b-454d-abf7-d3d84834ab0c
const PARENT_LOCATOR: Guid =
    [0x2d, 0x5f, 0xd3, 0xa8, 0x0b, 0xb3, 0x4d, 0x45, 0xab, 0xf7, 0xd3, 0xd8, 0x48, 0x34, 0xab, 0x0c];

/// What the metadata say, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    pub(super) disk: u64,
    pub(super) block: u64,
    pub(super) sector: u64,
}

/// Values as they stand in the file.
#[derive(Debug, Default)]
struct Items {
    block_bytes: Option<u32>,
    flags: u32,
    disk_bytes: Option<u64>,
    sector_bytes: Option<u32>,
}

/// Reads the metadata.
pub(super) fn read(file: &dyn ReadAt, region: Region) -> Result<Sizes, FormatError> {
    let offset = region.offset;
    let bytes = Part { format: FORMAT, what: "the metadata", offset, bytes: TABLE_BYTES.min(region.bytes) };
    let table = bytes.read(file)?;
    if !table.starts_with(b"metadata") {
        return Err(FORMAT.damaged(format!("no metadata table is at byte {offset}")));
    }
    let cut_off = || FORMAT.damaged("the metadata table is cut off");
    let count = le_u16(&table, 10).ok_or_else(cut_off)?;
    if count > ENTRIES_MAX {
        return Err(
            FORMAT.damaged(format!("the metadata table has {count} entries, more than {ENTRIES_MAX}"))
        );
    }
    let mut items = Items::default();
    let entries = table.get(FIRST_ENTRY..).unwrap_or_default().chunks_exact(ENTRY_BYTES);
    for (entry, _) in entries.zip(0..count) {
        let (Some(id), Some(place), Some(length), Some(flags)) =
            (array::<16>(entry, 0), le_u32(entry, 16), le_u32(entry, 20), le_u32(entry, 24))
        else {
            return Err(cut_off());
        };
        let value = || {
            let offset = offset.saturating_add(place.into());
            let bytes = ITEM_BYTES.min(length.into());
            Part { format: FORMAT, what: "a metadata item", offset, bytes }.read(file)
        };
        items.take(&id, flags, value)?;
    }
    items.check()
}

impl Items {
    fn take(
        &mut self,
        id: &Guid,
        flags: u32,
        value: impl FnOnce() -> Result<Vec<u8>, FormatError>,
    ) -> Result<(), FormatError> {
        match *id {
            FILE_PARAMETERS => {
                let value = value()?;
                self.block_bytes = le_u32(&value, 0);
                self.flags = le_u32(&value, 4).unwrap_or_default();
            }
            DISK_SIZE => self.disk_bytes = le_u64(&value()?, 0),
            LOGICAL_SECTOR => self.sector_bytes = le_u32(&value()?, 0),
            PHYSICAL_SECTOR | DISK_ID => {}
            PARENT_LOCATOR => self.flags |= HAS_PARENT,
            _ if flags & FLAG_REQUIRED != 0 => {
                return Err(FORMAT.unsupported(format!("the unknown metadata item {}", guid_text(id))));
            }
            _ => {}
        }
        Ok(())
    }

    fn check(self) -> Result<Sizes, FormatError> {
        let missing = |what: &str| FORMAT.damaged(format!("the metadata do not tell {what}"));
        if self.flags & HAS_PARENT != 0 {
            return Err(FORMAT.unsupported("a parent disk: it holds only differences"));
        }
        let block_bytes = self.block_bytes.ok_or_else(|| missing("the size of blocks"))?;
        let disk_bytes = self.disk_bytes.ok_or_else(|| missing("the size of the disk"))?;
        let sector_bytes = self.sector_bytes.ok_or_else(|| missing("the size of sectors"))?;
        if !block_bytes.is_power_of_two() || !BLOCK_BYTES.contains(&block_bytes) {
            return Err(FORMAT.damaged(format!(
                "blocks of {block_bytes} bytes; a power of two from 1 to 256 MiB is possible"
            )));
        }
        if !matches!(sector_bytes, 512 | 4096) {
            return Err(FORMAT.damaged(format!("sectors of {sector_bytes} bytes; 512 and 4096 are possible")));
        }
        if disk_bytes > DISK_BYTES_MAX {
            return Err(FORMAT.limit(format!("a disk of {disk_bytes} bytes, more than 64 TiB")));
        }
        Ok(Sizes { disk: disk_bytes, block: block_bytes.into(), sector: sector_bytes.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guids_are_those_of_the_specification() {
        let ids = [FILE_PARAMETERS, DISK_SIZE, LOGICAL_SECTOR, PHYSICAL_SECTOR, DISK_ID, PARENT_LOCATOR];
        let texts = ids.map(|id| guid_text(&id));
        assert_eq!(
            texts,
            [
                "caa16737-fa36-4d43-b3b6-33f0aa44e76b",
                "2fa54224-cd1b-4876-b211-5dbed83bf4b8",
                "8141bf1d-a96f-4709-ba47-f233a8faab5f",
                "cda348c7-445d-4471-9cc9-e9885251c556",
                "beca12ab-b2e6-4523-93ef-c309e000c746",
                "a8d35f2d-b30b-454d-abf7-d3d84834ab0c",
            ]
        );
    }
}
