//! QEMU copy-on-write, versions 2 and 3 (QEMU `docs/interop/qcow2.txt`).
//!
//! Reference counts and internal snapshots are not looked at: reading the active disk needs neither.

mod entry;
mod header;
mod layout;
mod tables;
mod unpack;

use std::sync::Arc;

use amint_types::ReadAt;

use crate::mapped::Mapped;
use crate::open::Surroundings;
use crate::{Format, FormatError};
use header::Header;
use layout::Layout;

/// Opens a disk.
pub(crate) fn open(
    file: Arc<dyn ReadAt>,
    surroundings: &Surroundings<'_>,
    notes: &mut Vec<String>,
) -> Result<Arc<dyn ReadAt>, FormatError> {
    let header = Header::read(&*file)?;
    header.note(notes);
    let l1 = tables::read_l1(&*file, &header)?;
    let backing = match &header.backing {
        None => None,
        Some(backing) => {
            let format = match backing.format.as_deref() {
                // What a guest wrote on a raw disk may look like any format: the image says that it is none.
                Some("raw") => Some(Format::Raw),
                _ => None,
            };
            let opened = surroundings.open_backing(&backing.name, format)?;
            notes.push(format!("the disk is completed by the backing file `{}`", backing.name));
            notes.extend(opened.notes.into_iter().map(|note| format!("`{}`: {note}", backing.name)));
            Some(opened.disk)
        }
    };
    Ok(Arc::new(Mapped::new(Layout::new(file, header, l1, backing))))
}
