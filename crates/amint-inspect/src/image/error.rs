//! What can go wrong when an image is opened.

use std::io;
use std::path::PathBuf;

use amint_formats::FormatError;
use amint_fs::FsError;
use amint_types::Hint;
use amint_volumes::VolumeError;

/// An image could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InspectError {
    /// The file or folder cannot be looked at.
    #[error("failed to open `{}`", .path.display())]
    Open {
        /// The path on the host.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is neither a file, a folder nor a disk.
    #[error("`{}` is no image: it is neither a file, a folder nor a block device", .path.display())]
    NotAnImage {
        /// The path on the host.
        path: PathBuf,
    },
    /// The image's format cannot be read.
    #[error("failed to read the image")]
    Format(#[from] FormatError),
    /// The disk's partitions cannot be read.
    #[error("failed to read the partitions")]
    Volumes(#[from] VolumeError),
    /// An archive cannot be read.
    #[error("failed to read the archive")]
    Archive(#[source] FsError),
    /// There is nothing in it.
    #[error("the image holds nothing: {what}")]
    Empty {
        /// What was looked at.
        what: String,
    },
    /// The user asked to stop.
    #[error(transparent)]
    Cancelled(#[from] amint_types::Cancelled),
}

impl Hint for InspectError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Format(error) => error.hint(),
            Self::Volumes(error) => error.hint(),
            Self::Archive(error) => error.hint(),
            Self::NotAnImage { .. } | Self::Empty { .. } => {
                Some("name a disk image, a folder, a tar archive, or NAME[:VERSION] of the store".to_owned())
            }
            Self::Open { .. } | Self::Cancelled(_) => None,
        }
    }
}
