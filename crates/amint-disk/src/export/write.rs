//! Writing a disk in any format.

use std::fs::File;
use std::io;
use std::path::Path;

use amint_types::{BlockSource, Cancel, Digest};

use super::error::WriterError;
use super::{ExportError, Format, flat, output, qcow2, vhd, vmdk};
use crate::raw::{CopyError, Staging};

/// Bytes of one sector.
pub(super) const SECTOR_BYTES: u64 = 512;
/// Largest disk written: that of an EBS volume.
const DISK_BYTES_MAX: u64 = 64 << 40;

/// How to export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExportOptions {
    /// The format to write.
    pub format: Format,
    /// Replaces a file that has the name of the output.
    pub overwrite: bool,
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExportSummary {
    /// Size of the file.
    pub bytes: u64,
    /// Digest of the file.
    pub sha256: Digest,
}

/// Writes the disk as a new file; fails when a file of that name exists.
///
/// The same as [`export_with`] without `overwrite`.
///
/// # Errors
/// Those of [`export_with`].
pub fn export(
    source: &dyn BlockSource,
    format: Format,
    output: &Path,
    progress: &(dyn Fn(u64, u64) + Sync),
    cancel: &Cancel,
) -> Result<ExportSummary, ExportError> {
    export_with(source, ExportOptions { format, overwrite: false }, output, progress, cancel)
}

/// Writes the disk as a file, which appears under its name only when it is whole.
///
/// `progress` gets the bytes of the disk done and in all.
///
/// # Errors
/// Fails when a block cannot be read, the output cannot be written or exists, the format cannot tell the size
/// of the disk, or the user cancels; nothing stays behind then.
pub fn export_with(
    source: &dyn BlockSource,
    options: ExportOptions,
    output: &Path,
    progress: &(dyn Fn(u64, u64) + Sync),
    cancel: &Cancel,
) -> Result<ExportSummary, ExportError> {
    let bytes = source.disk_bytes();
    let maximum_bytes = size_max(options.format);
    if bytes == 0 || !bytes.is_multiple_of(SECTOR_BYTES) || bytes > maximum_bytes {
        return Err(ExportError::Size { format: options.format, bytes, maximum_bytes });
    }
    // Asked now so that nobody waits for an answer known before; asked again when the name is given.
    if !options.overwrite && std::fs::symlink_metadata(output).is_ok() {
        return Err(ExportError::Exists { path: output.to_owned() });
    }
    let staging =
        Staging::create(output).map_err(|error| WriterError::Structure("the file", error).at(output))?;
    let (bytes, sha256) = write_format(source, options.format, staging.file(), progress, cancel)
        .map_err(|error| error.at(output))?;
    staging.commit(options.overwrite).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => ExportError::Exists { path: output.to_owned() },
        _ => WriterError::Structure("the file", error).at(output),
    })?;
    Ok(ExportSummary { bytes, sha256 })
}

/// Returns the largest disk that a format can tell.
fn size_max(format: Format) -> u64 {
    match format {
        Format::Raw | Format::Qcow2 => DISK_BYTES_MAX,
        Format::Vmdk => vmdk::DISK_BYTES_MAX,
        Format::Vhd | Format::VhdFixed => vhd::DISK_BYTES_MAX,
    }
}

fn write_format(
    source: &dyn BlockSource,
    format: Format,
    target: &File,
    progress: &(dyn Fn(u64, u64) + Sync),
    cancel: &Cancel,
) -> Result<(u64, Digest), WriterError> {
    match format {
        Format::Raw => return flat::write(source, target, None, progress, cancel),
        Format::VhdFixed => return flat::write(source, target, Some(vhd::fixed_footer), progress, cancel),
        Format::Qcow2 => qcow2::write(source, target, progress, cancel)?,
        Format::Vmdk => vmdk::write(source, target, progress, cancel)?,
        Format::Vhd => vhd::write_dynamic(source, target, progress, cancel)?,
    }
    output::digest_file(target, || cancel.check().map_err(|error| CopyError::from(error).into()))
}
