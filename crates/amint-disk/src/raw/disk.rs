//! Reading a raw disk file.

use std::fs::File;
use std::io::{self, Seek as _};
use std::os::unix::fs::{FileExt as _, FileTypeExt as _};
use std::path::{Path, PathBuf};

use amint_types::{BLOCK_BYTES, BlockSource};
use rustix::fs::SeekFrom;
use rustix::io::Errno;

use super::sniff::sniff_file;
use super::{RawError, is_zero};

/// Bytes of one sector.
const SECTOR_BYTES: u64 = 512;

/// A raw disk file, opened for reading only.
///
/// Blocks are read with their position, so that any number of threads can read at once.
#[derive(Debug)]
pub struct RawDisk {
    path: PathBuf,
    file: File,
    bytes: u64,
}

impl RawDisk {
    /// Opens the file at `path`.
    ///
    /// # Errors
    /// Fails when the file cannot be read, is a container such as qcow2, or has no whole number of sectors.
    pub fn open(path: &Path) -> Result<Self, RawError> {
        let (file, bytes) = open_with_size(path)?;
        let format =
            sniff_file(&file, bytes).map_err(|source| RawError::Open { path: path.to_owned(), source })?;
        if !format.may_be_raw() {
            return Err(RawError::NotRaw { path: path.to_owned(), format });
        }
        if bytes == 0 || !bytes.is_multiple_of(SECTOR_BYTES) {
            return Err(RawError::Size { path: path.to_owned(), bytes });
        }
        Ok(Self { path: path.to_owned(), file, bytes })
    }

    /// Returns the path it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl BlockSource for RawDisk {
    fn disk_bytes(&self) -> u64 {
        self.bytes
    }

    fn read_block(&self, index: u64, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        let outside =
            || io::Error::new(io::ErrorKind::InvalidInput, format!("the disk has no block {index}"));
        let start = index.checked_mul(BLOCK_BYTES).filter(|start| *start < self.bytes).ok_or_else(outside)?;
        let end = self.bytes.min(start + BLOCK_BYTES);
        if next_data(&self.file, start)?.is_none_or(|data| data >= end) {
            return Ok(None);
        }
        let length = usize::try_from(end - start).map_err(io::Error::other)?;
        let block = buffer.get_mut(..length).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, "the buffer is shorter than a block")
        })?;
        // "`None`, with the buffer left as it was" holds for holes at no cost; a zero block that takes room is
        // rare and reads as zeros, which the buffer then is.
        self.file.read_exact_at(block, start)?;
        Ok(if is_zero(block) { None } else { Some(length) })
    }
}

/// Returns where data begin at or after `start`; `None` when there is nothing but a hole up to the end.
pub(crate) fn next_data(file: &File, start: u64) -> io::Result<Option<u64>> {
    // The position of the file changes, which nobody minds: all reads and writes name theirs.
    match rustix::fs::seek(file, SeekFrom::Data(start)) {
        Ok(data) => Ok(Some(data)),
        Err(Errno::NXIO) => Ok(None),
        // The file system, or the device, cannot tell: everything is data.
        Err(Errno::INVAL | Errno::OPNOTSUPP) => Ok(Some(start)),
        Err(error) => Err(error.into()),
    }
}

/// Opens a file or block device and finds its size.
pub(super) fn open_with_size(path: &Path) -> Result<(File, u64), RawError> {
    let failed = |source| RawError::Open { path: path.to_owned(), source };
    // Looked at before opening: opening a named pipe would wait for a writer.
    let kind = std::fs::metadata(path).map_err(failed)?.file_type();
    if !kind.is_file() && !kind.is_block_device() {
        return Err(RawError::NotAFile { path: path.to_owned() });
    }
    let mut file = File::open(path).map_err(failed)?;
    // Metadata tell no size of a block device.
    let bytes = file.seek(io::SeekFrom::End(0)).map_err(failed)?;
    Ok((file, bytes))
}
