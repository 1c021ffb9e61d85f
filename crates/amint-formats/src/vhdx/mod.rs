//! Hyper-V disks (Microsoft, `[MS-VHDX]`).
//!
//! A log that was not played back when the file was last closed is played back in memory.

mod header;
mod layout;
mod log;
mod metadata;
mod overlay;
mod region;

use std::sync::Arc;

use amint_types::ReadAt;

use crate::mapped::Mapped;
use crate::{Format, FormatError};

const FORMAT: Format = Format::Vhdx;

/// A GUID as it stands in a file.
type Guid = [u8; 16];

/// Opens a disk.
pub(crate) fn open(file: Arc<dyn ReadAt>, notes: &mut Vec<String>) -> Result<Arc<dyn ReadAt>, FormatError> {
    let header = header::read(&*file)?;
    let file = match header.log {
        None => file,
        Some(log) => log::replay(file, log, notes)?,
    };
    let regions = region::read(&*file)?;
    let metadata = metadata::read(&*file, regions.metadata)?;
    Ok(Arc::new(Mapped::new(layout::Layout::new(file, regions.table, metadata)?)))
}

/// Tells whether the CRC-32C at byte 4 is that of all bytes with itself taken as zero.
fn is_sum_right(bytes: &[u8]) -> bool {
    let (Some(head), Some(stored), Some(rest)) =
        (bytes.get(..4), crate::bytes::le_u32(bytes, 4), bytes.get(8..))
    else {
        return false;
    };
    let sum = crc32c::crc32c_append(crc32c::crc32c_append(crc32c::crc32c(head), &[0; 4]), rest);
    sum == stored
}

/// Returns a GUID as people write it.
fn guid_text(guid: &Guid) -> String {
    let [a3, a2, a1, a0, b1, b0, c1, c0, d0, d1, e @ ..] = guid;
    let mut text =
        format!("{a0:02x}{a1:02x}{a2:02x}{a3:02x}-{b0:02x}{b1:02x}-{c0:02x}{c1:02x}-{d0:02x}{d1:02x}-");
    text.push_str(&hex::encode(e));
    text
}
