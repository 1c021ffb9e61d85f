//! What is known of the file system as a whole: label, state.

use amint_fs::{FsError, Info};

use crate::attribute::{Attribute, VOLUME_INFORMATION, VOLUME_NAME};
use crate::boot::Boot;
use crate::bytes::{byte, le_u16, utf16};
use crate::error::{KIND, damaged, unsupported};
use crate::table::Table;

/// The record of `$Volume`.
const VOLUME: u64 = 3;
/// Flag of a volume: it was not unmounted, or needs a check.
const DIRTY: u16 = 1;

/// Reads label and state.
///
/// # Errors
/// [`FsError::Unsupported`] for versions other than 1.2 and 3.
pub(crate) fn read(boot: &Boot, table: &Table) -> Result<Info, FsError> {
    let attributes = table.load(VOLUME)?.attributes;
    let find = |kind| attributes.find(kind, "").and_then(Attribute::resident);
    let state = find(VOLUME_INFORMATION).ok_or_else(|| damaged("the volume has no version"))?;
    let version = (byte(state, 8), byte(state, 9));
    let (Some(major), Some(minor)) = version else { return Err(damaged("the volume has no version")) };
    if !matches!((major, minor), (1, 2) | (3, _)) {
        return Err(unsupported(format!("version {major}.{minor}")));
    }
    let label = find(VOLUME_NAME).map(utf16).filter(|label| !label.is_empty());
    let is_dirty = le_u16(state, 10).is_some_and(|flags| flags & DIRTY != 0);
    let mut notes = Vec::new();
    if is_dirty {
        notes.push("not cleanly unmounted; its log was not replayed".to_owned());
    }
    if boot.size_bytes > table.chunks.source().size_bytes() {
        notes.push("ends behind the end of its partition".to_owned());
    }
    Ok(Info {
        kind: KIND,
        label,
        uuid: Some(format!("{:016X}", boot.serial)),
        block_bytes: boot.cluster_bytes,
        size_bytes: boot.size_bytes,
        notes,
    })
}
