//! What can go wrong with an export.

use std::io;
use std::path::PathBuf;

use amint_types::{Cancelled, Hint, format_bytes};

use super::Format;
use crate::raw::{CopyError, RawError};

/// A disk could not be written in a format.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// A file of that name exists and shall not be replaced.
    #[error("failed to write `{path}`: it exists")]
    Exists {
        /// The output.
        path: PathBuf,
    },
    /// The disk is larger than the format can tell, or has no whole number of sectors.
    #[error("failed to write a disk of {bytes} bytes as {format}: it takes whole sectors up to {}", format_bytes(*maximum_bytes))]
    Size {
        /// The format.
        format: Format,
        /// Size of the disk.
        bytes: u64,
        /// The largest size.
        maximum_bytes: u64,
    },
    /// A block of the disk cannot be read.
    #[error("failed to read block {block} of the disk")]
    Read {
        /// Index of the 512 KiB block.
        block: u64,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The output cannot be written: disk full, no permission, input or output error.
    #[error("failed to write {what} to `{path}`")]
    Write {
        /// What was being written.
        what: &'static str,
        /// The output.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The backing file of an overlay cannot be used.
    #[error("failed to use `{path}` as backing file")]
    BackingFile {
        /// The backing file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The backing file of an overlay is not in the format that the caller told.
    #[error("failed to use `{path}` as backing file: {reason}")]
    Backing {
        /// The backing file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The raw backing file of an overlay cannot be used.
    #[error("failed to look at the backing file")]
    BackingRaw(#[source] RawError),
    /// The user asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Hint for ExportError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Exists { path } => {
                Some(format!("choose another name, or allow to replace `{}`", path.display()))
            }
            Self::Write { path, source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                let folder = path.parent().unwrap_or(path);
                Some(format!("make room on the file system of `{}`", folder.display()))
            }
            Self::BackingRaw(source) => source.hint(),
            _ => None,
        }
    }
}

/// An error inside a writer, which knows no path.
#[derive(Debug)]
pub(super) enum WriterError {
    /// Reading the source or writing data failed.
    Copy(CopyError),
    /// Writing the structures of the format failed.
    Structure(&'static str, io::Error),
}

impl From<CopyError> for WriterError {
    fn from(error: CopyError) -> Self {
        Self::Copy(error)
    }
}

impl WriterError {
    /// Adds the path.
    pub(super) fn at(self, path: &std::path::Path) -> ExportError {
        let path = path.to_owned();
        match self {
            Self::Copy(CopyError::Read { block, source }) => ExportError::Read { block, source },
            Self::Copy(CopyError::Write { source, .. }) => {
                ExportError::Write { what: "disk content", path, source }
            }
            Self::Copy(CopyError::Cancelled(cancelled)) => ExportError::Cancelled(cancelled),
            Self::Structure(what, source) => ExportError::Write { what, path, source },
        }
    }
}
