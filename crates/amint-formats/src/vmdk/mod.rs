//! `VMware` disks (`VMware`, "Virtual Disk Format 1.1").
//!
//! A disk is a descriptor and extents. Both may be one file (monolithic sparse, stream optimised), or the descriptor
//! is a text file and the extents lie beside it (flat, split into 2 GiB). Differences to a parent, and the sparse
//! formats of `ESXi`, are refused by name.

mod descriptor;
mod extents;
mod header;
mod sparse;

use std::sync::Arc;

use amint_types::ReadAt;

use crate::bytes::array;
use crate::open::Surroundings;
use crate::{Format, FormatError};
use descriptor::Descriptor;
use header::Header;

const FORMAT: Format = Format::Vmdk;
/// Longest descriptor.
const DESCRIPTOR_BYTES_MAX: u64 = 1 << 20;

/// Opens a disk.
pub(crate) fn open(
    file: Arc<dyn ReadAt>,
    surroundings: &Surroundings<'_>,
    notes: &mut Vec<String>,
) -> Result<Arc<dyn ReadAt>, FormatError> {
    let mut head = vec![0; usize::try_from(file.size_bytes().min(8)).unwrap_or(8)];
    file.read_exact_at(0, &mut head).map_err(|source| FormatError::Read {
        what: "the header",
        offset: 0,
        source,
    })?;
    match array::<4>(&head, 0).as_ref() {
        Some(b"KDMV") => open_monolithic(file, notes),
        Some(b"COWD") => Err(FORMAT.unsupported("the sparse extents of ESXi (vmfsSparse)")),
        Some(b"\xbe\xba\xfe\xca") => {
            Err(FORMAT.unsupported("the space-efficient extents of ESXi (seSparse)"))
        }
        _ => {
            let descriptor = Descriptor::read(&*file, 0, file.size_bytes())?;
            extents::open(&descriptor, surroundings, notes)
        }
    }
}

/// Opens a sparse extent that has its descriptor in itself.
fn open_monolithic(file: Arc<dyn ReadAt>, notes: &mut Vec<String>) -> Result<Arc<dyn ReadAt>, FormatError> {
    let header = Header::read(&*file)?;
    header.note(notes);
    match header.descriptor {
        Some((offset, bytes)) => {
            let descriptor = Descriptor::read(&*file, offset, bytes)?;
            descriptor.check_kind()?;
            if descriptor.extents.len() != 1 {
                return Err(FORMAT.unsupported(format!("{} extents in one file", descriptor.extents.len())));
            }
        }
        // Some writers of streams leave the descriptor out; the stream is the whole disk all the same.
        None if header.is_compressed => {}
        None => {
            return Err(
                FORMAT.unsupported("a descriptor of its own: this is one extent of a disk of several files")
            );
        }
    }
    sparse::open(file, header)
}
