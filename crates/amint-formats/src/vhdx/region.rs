//! The region table: where the block table and the metadata are.

use amint_types::ReadAt;

use super::{FORMAT, Guid, guid_text, is_sum_right};
use crate::FormatError;
use crate::bytes::{Part, array, is_within, le_u32, le_u64};

const TABLE_OFFSETS: [u64; 2] = [192 << 10, 256 << 10];
const TABLE_BYTES: u64 = 64 << 10;
const ENTRIES_MAX: u32 = 2047;
const ENTRY_BYTES: usize = 32;
const FIRST_ENTRY: usize = 16;
const FLAG_REQUIRED: u32 = 1;

/// 2dc27766-f623-4200-9d64-115e9bfd4a08
const BLOCK_TABLE: Guid =
    [0x66, 0x77, 0xc2, 0x2d, 0x23, 0xf6, 0x00, 0x42, 0x9d, 0x64, 0x11, 0x5e, 0x9b, 0xfd, 0x4a, 0x08];
/// 8b7ca206-4790-4b9a-b8fe-575f050f886e
const METADATA: Guid =
    [0x06, 0xa2, 0x7c, 0x8b, 0x90, 0x47, 0x9a, 0x4b, 0xb8, 0xfe, 0x57, 0x5f, 0x05, 0x0f, 0x88, 0x6e];

/// A region of the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Region {
    pub(super) offset: u64,
    pub(super) bytes: u64,
}

/// The regions that a disk needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Regions {
    pub(super) table: Region,
    pub(super) metadata: Region,
}

/// Reads the region table, or its copy when it is broken.
pub(super) fn read(file: &dyn ReadAt) -> Result<Regions, FormatError> {
    for offset in TABLE_OFFSETS {
        let bytes = Part { format: FORMAT, what: "a region table", offset, bytes: TABLE_BYTES }.read(file)?;
        if bytes.starts_with(b"regi") && is_sum_right(&bytes) {
            return parse(file, &bytes);
        }
    }
    Err(FORMAT.damaged("neither of the two region tables has the right checksum"))
}

fn parse(file: &dyn ReadAt, bytes: &[u8]) -> Result<Regions, FormatError> {
    let cut_off = || FORMAT.damaged("the region table is cut off");
    let count = le_u32(bytes, 8).ok_or_else(cut_off)?;
    if count > ENTRIES_MAX {
        return Err(FORMAT.damaged(format!("the region table has {count} entries, more than {ENTRIES_MAX}")));
    }
    let (mut table, mut metadata) = (None, None);
    for entry in bytes.get(FIRST_ENTRY..).unwrap_or_default().chunks_exact(ENTRY_BYTES).zip(0..count) {
        let (entry, _) = entry;
        let (Some(id), Some(offset), Some(length), Some(flags)) =
            (array::<16>(entry, 0), le_u64(entry, 16), le_u32(entry, 24), le_u32(entry, 28))
        else {
            return Err(cut_off());
        };
        let place = match id {
            BLOCK_TABLE => &mut table,
            METADATA => &mut metadata,
            _ if flags & FLAG_REQUIRED == 0 => continue,
            _ => return Err(FORMAT.unsupported(format!("the unknown region {}", guid_text(&id)))),
        };
        if !is_within(file, offset, length.into()) {
            return Err(FORMAT.damaged(format!(
                "the region {} ({length} bytes at byte {offset}) reaches beyond the end of the file",
                guid_text(&id)
            )));
        }
        if place.replace(Region { offset, bytes: length.into() }).is_some() {
            return Err(FORMAT.damaged(format!("the region {} is there twice", guid_text(&id))));
        }
    }
    match (table, metadata) {
        (Some(table), Some(metadata)) => Ok(Regions { table, metadata }),
        (None, _) => Err(FORMAT.damaged("the region of the block table is missing")),
        (_, None) => Err(FORMAT.damaged("the region of the metadata is missing")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guids_are_those_of_the_specification() {
        assert_eq!(guid_text(&BLOCK_TABLE), "2dc27766-f623-4200-9d64-115e9bfd4a08");
        assert_eq!(guid_text(&METADATA), "8b7ca206-4790-4b9a-b8fe-575f050f886e");
    }
}
