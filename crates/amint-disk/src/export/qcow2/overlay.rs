//! Empty images over another, so that the other is never written.

use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use amint_types::BlockSource as _;

use super::{CLUSTER_BYTES, ENTRY_BYTES, Header, MAGIC, l1_entries, write_refcounts};
use crate::export::error::WriterError;
use crate::export::output::Output;
use crate::export::write::SECTOR_BYTES;
use crate::export::{ExportError, Format};
use crate::raw::{RawDisk, Staging};

/// Header extension: name of the format of the backing file.
const EXTENSION_BACKING_FORMAT: u32 = 0xe279_2aca;
/// Longest name of a backing file.
const BACKING_NAME_BYTES_MAX: usize = 1023;
/// Largest disk.
const DISK_BYTES_MAX: u64 = 64 << 40;

/// Makes an empty qcow2 image at `path` that shows the disk `backing` and keeps what is written to it.
///
/// The disk has `virtual_bytes`; what goes beyond the backing file reads as zero. The format of the backing
/// file is written down, so that QEMU never guesses it from bytes that a guest has written.
///
/// # Errors
/// Fails when `path` exists or cannot be written, or when `backing` cannot be read, is not in the format told,
/// or is larger than the disk.
pub fn create_overlay(
    path: &Path,
    backing: &Path,
    backing_format: Format,
    virtual_bytes: u64,
) -> Result<(), ExportError> {
    let unusable = |source| ExportError::BackingFile { path: backing.to_owned(), source };
    // QEMU looks for a relative name next to the overlay, and takes `x:` at the beginning for a protocol.
    let name = std::fs::canonicalize(backing).map_err(unusable)?;
    let refuse = |reason| Err(ExportError::Backing { path: backing.to_owned(), reason });
    let backing_bytes = match backing_format {
        Format::Raw => RawDisk::open(&name).map_err(ExportError::BackingRaw)?.disk_bytes(),
        Format::Qcow2 => match qcow2_disk_bytes(&name).map_err(unusable)? {
            Some(bytes) => bytes,
            None => return refuse("it is not qcow2".to_owned()),
        },
        other => return refuse(format!("{other} is no format for it; raw and qcow2 are")),
    };
    if name.as_os_str().len() > BACKING_NAME_BYTES_MAX {
        return refuse(format!("its full name is longer than {BACKING_NAME_BYTES_MAX} bytes"));
    }
    if virtual_bytes < backing_bytes {
        return refuse(format!("it has {backing_bytes} bytes, the overlay only {virtual_bytes}"));
    }
    if !virtual_bytes.is_multiple_of(SECTOR_BYTES) || virtual_bytes > DISK_BYTES_MAX {
        return Err(ExportError::Size {
            format: Format::Qcow2,
            bytes: virtual_bytes,
            maximum_bytes: DISK_BYTES_MAX,
        });
    }
    let failed = |error| WriterError::Structure("the overlay", error).at(path);
    let staging = Staging::create(path).map_err(failed)?;
    write(staging.file(), &name, backing_format, virtual_bytes).map_err(|error| error.at(path))?;
    staging.commit(false).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => ExportError::Exists { path: path.to_owned() },
        _ => failed(error),
    })
}

/// Writes the image.
fn write(target: &File, backing: &Path, format: Format, virtual_bytes: u64) -> Result<(), WriterError> {
    let mut output = Output::new(target);
    output.skip(CLUSTER_BYTES);
    let l1_entries = l1_entries(virtual_bytes);
    let l1_offset = output.skip((l1_entries * ENTRY_BYTES).next_multiple_of(CLUSTER_BYTES));
    let refcounts = write_refcounts(&mut output)?;

    let name = backing.as_os_str().as_bytes();
    let extensions = extensions(format);
    let name_offset = u64::from(super::HEADER_BYTES) + extensions.len() as u64;
    let header = Header {
        backing_name: (name_offset, u32::try_from(name.len()).expect("checked to be short")),
        disk_bytes: virtual_bytes,
        l1_entries,
        l1_offset,
        refcount_table_offset: refcounts.table_offset,
        refcount_table_clusters: refcounts.table_clusters,
    };
    let mut bytes = header.to_bytes();
    bytes.extend(extensions);
    bytes.extend(name);
    output.patch("the header", 0, &bytes)?;
    output.finish()
}

/// Returns the header extensions: the format of the backing file, and the end of the list.
fn extensions(backing_format: Format) -> Vec<u8> {
    let name = backing_format.as_str().as_bytes();
    let mut bytes = EXTENSION_BACKING_FORMAT.to_be_bytes().to_vec();
    bytes.extend(u32::try_from(name.len()).expect("names of formats are short").to_be_bytes());
    bytes.extend(name);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes.extend([0; 8]);
    bytes
}

/// Returns the size of the disk in a qcow2 image; `None` when the file is none.
fn qcow2_disk_bytes(path: &Path) -> io::Result<Option<u64>> {
    let mut header = [0; 32];
    match File::open(path)?.read_exact_at(&mut header, 0) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        result => result?,
    }
    let mut disk_bytes = [0; 8];
    disk_bytes.copy_from_slice(&header[24..32]);
    Ok((header[..4] == MAGIC.to_be_bytes()).then(|| u64::from_be_bytes(disk_bytes)))
}
