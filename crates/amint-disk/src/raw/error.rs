//! What can go wrong with raw disk files.

use std::io;
use std::path::PathBuf;

use amint_types::{Cancelled, Hint};

use super::Format;

/// A raw disk file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RawError {
    /// The file cannot be opened, or reading its beginning or end fails.
    #[error("failed to open disk file `{path}`")]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The path names a directory, a socket or the like.
    #[error("`{path}` is neither a file nor a block device")]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// The content is a container, not a raw disk.
    #[error("`{path}` is {format}, not a raw disk")]
    NotRaw {
        /// The file.
        path: PathBuf,
        /// What it is.
        format: Format,
    },
    /// The size is zero or no multiple of 512: a disk has whole sectors.
    #[error("`{path}` has {bytes} bytes, which is no whole number of 512-byte sectors")]
    Size {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
}

impl Hint for RawError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NotRaw { path, format: Format::Compressed } => {
                Some(format!("decompress `{}` first", path.display()))
            }
            Self::NotRaw { path, .. } => {
                Some(format!("convert it: qemu-img convert -O raw `{}` disk.raw", path.display()))
            }
            Self::Size { .. } => Some("the file may be cut off; fetch or make it again".to_owned()),
            _ => None,
        }
    }
}

/// A disk could not be copied.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    /// A block of the source cannot be read.
    #[error("failed to read block {block} of the disk")]
    Read {
        /// Index of the 512 KiB block.
        block: u64,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The target cannot be written: disk full, input or output error.
    #[error("failed to write the disk at byte {offset}")]
    Write {
        /// Where.
        offset: u64,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The user asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Hint for CopyError {}
