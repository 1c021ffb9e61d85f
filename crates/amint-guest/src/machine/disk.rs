//! The disk of a machine: an overlay, so that the image is never written.

use std::path::{Path, PathBuf};

use amint_disk::export::Format;
use amint_disk::export::qcow2::create_overlay;

use crate::error::GuestError;
use crate::spec::{DiskFormat, GuestDisk};

/// The disk of one machine, ready to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PreparedDisk {
    pub(crate) path: PathBuf,
    pub(crate) format: DiskFormat,
    /// The size that the guest sees.
    pub(crate) bytes: u64,
}

/// Makes an overlay of `disk` at `overlay` that is `grow_bytes` larger.
pub(crate) fn prepare_disk(
    disk: &GuestDisk,
    grow_bytes: u64,
    overlay: &Path,
) -> Result<PreparedDisk, GuestError> {
    let bytes = disk.bytes.saturating_add(grow_bytes);
    let format = match disk.format {
        DiskFormat::Raw => Format::Raw,
        DiskFormat::Qcow2 => Format::Qcow2,
    };
    create_overlay(overlay, &disk.path, format, bytes)
        .map_err(|source| GuestError::Overlay { path: disk.path.clone(), source: Box::new(source) })?;
    Ok(PreparedDisk { path: overlay.to_owned(), format: DiskFormat::Qcow2, bytes })
}
