//! Disks of several files.
//!
//! Extents are regular files in the descriptor's folder; a name with a folder in it, or a link, is refused: the
//! descriptor may come from elsewhere, and could otherwise have any file of this machine read.

use std::path::Path;
use std::sync::Arc;

use amint_types::{Piece, ReadAt};

use super::descriptor::{Descriptor, Extent, ExtentKind};
use super::header::Header;
use super::{FORMAT, sparse};
use crate::FormatError;
use crate::bytes::SECTOR_BYTES;
use crate::file::FileSource;
use crate::joined::{Joined, Zeros};
use crate::open::Surroundings;

/// Opens the disk of a descriptor that stands alone.
pub(super) fn open(
    descriptor: &Descriptor,
    surroundings: &Surroundings<'_>,
    notes: &mut Vec<String>,
) -> Result<Arc<dyn ReadAt>, FormatError> {
    descriptor.check_kind()?;
    if descriptor.extents.is_empty() {
        return Err(FORMAT.damaged("the descriptor names no extents"));
    }
    let mut joined = Joined::default();
    for extent in &descriptor.extents {
        let part = match extent.kind {
            ExtentKind::Zero => Arc::new(Zeros(bytes_of(extent.sectors)?)),
            ExtentKind::Flat | ExtentKind::Sparse => {
                let folder = folder_for(&extent.file, surroundings)?;
                open_extent(folder, extent, notes).map_err(|error| error.part(&extent.file))?
            }
        };
        joined.push(part).ok_or_else(|| FORMAT.damaged("the extents together are larger than any disk"))?;
    }
    Ok(Arc::new(joined))
}

/// Returns the folder in which an extent may be looked for.
fn folder_for<'a>(name: &str, surroundings: &'a Surroundings<'_>) -> Result<&'a Path, FormatError> {
    let refuse = |why| FormatError::Reference { format: FORMAT, name: name.to_owned(), why };
    if matches!(name, "" | "." | "..") || name.contains('/') {
        return Err(refuse("which is not in its own folder"));
    }
    surroundings.folder.as_deref().ok_or_else(|| refuse("and is not in a folder itself"))
}

fn open_extent(
    folder: &Path,
    extent: &Extent,
    notes: &mut Vec<String>,
) -> Result<Arc<dyn ReadAt>, FormatError> {
    let file = Arc::new(FileSource::open_in(folder, &extent.file)?);
    let bytes = bytes_of(extent.sectors)?;
    if extent.kind == ExtentKind::Flat {
        let offset = bytes_of(extent.offset_sectors)?;
        let has = file.size_bytes().saturating_sub(offset);
        if has < bytes {
            return Err(FORMAT.damaged(format!("an extent has {has} bytes, and should have {bytes}")));
        }
        return Ok(Arc::new(Piece::new(file, offset, bytes)));
    }
    let header = Header::read(&*file)?;
    header.note(notes);
    if header.disk_bytes < bytes {
        return Err(
            FORMAT.damaged(format!("an extent holds {} bytes, and should hold {bytes}", header.disk_bytes))
        );
    }
    Ok(Arc::new(Piece::new(sparse::open(file, header)?, 0, bytes)))
}

fn bytes_of(sectors: u64) -> Result<u64, FormatError> {
    sectors
        .checked_mul(SECTOR_BYTES)
        .ok_or_else(|| FORMAT.damaged(format!("an extent of {sectors} sectors is larger than any disk")))
}
