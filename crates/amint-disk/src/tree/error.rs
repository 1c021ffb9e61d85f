//! What can go wrong when a file of an image is read or changed.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use amint_types::Hint;

/// A file of an image could not be read or changed. All paths are paths of the image, except in `Open`.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TreeError {
    /// The host folder that should be the root of the tree cannot be opened.
    #[error("failed to open the folder `{}`", .path.display())]
    Open {
        /// The folder on the host.
        path: PathBuf,
        /// Why.
        #[source]
        source: Arc<io::Error>,
    },
    /// Nothing has this name.
    #[error("nothing at `{}` in the image", .path.display())]
    NotFound {
        /// The path asked for.
        path: PathBuf,
    },
    /// A folder was needed, and something else was there; also when a parent is no folder.
    #[error("`{}` in the image is not a folder", .path.display())]
    NotADirectory {
        /// The path asked for.
        path: PathBuf,
    },
    /// A regular file was needed: folders, devices, pipes and sockets are never opened.
    #[error("`{}` in the image is not a regular file", .path.display())]
    NotAFile {
        /// The path asked for.
        path: PathBuf,
    },
    /// A symbolic link was needed.
    #[error("`{}` in the image is not a symbolic link", .path.display())]
    NotALink {
        /// The path asked for.
        path: PathBuf,
    },
    /// The path leads through more symbolic links than Linux follows.
    #[error("`{}` in the image leads through too many symbolic links", .path.display())]
    Loop {
        /// The path asked for.
        path: PathBuf,
    },
    /// The file is larger than the reader accepts.
    #[error("`{}` in the image is larger than {limit_bytes} bytes", .path.display())]
    TooLarge {
        /// The path asked for.
        path: PathBuf,
        /// The most that the reader accepts.
        limit_bytes: u64,
    },
    /// A folder or a walk holds more entries than its limit.
    #[error("`{}` in the image holds more than {limit} entries", .path.display())]
    TooMany {
        /// The folder, or the start of the walk.
        path: PathBuf,
        /// The limit.
        limit: u64,
    },
    /// A walk went deeper than its limit.
    #[error("`{}` in the image lies deeper than {limit} folders", .path.display())]
    TooDeep {
        /// The folder that was not entered.
        path: PathBuf,
        /// The limit.
        limit: usize,
    },
    /// The image's file system contradicts itself.
    #[error("`{}` in the image is damaged: {what}", .path.display())]
    Damaged {
        /// The path asked for.
        path: PathBuf,
        /// What does not fit.
        what: String,
    },
    /// The operating system refused.
    #[error("failed to {action} `{}` in the image", .path.display())]
    Io {
        /// What was tried: `read`, `write`.
        action: &'static str,
        /// The path asked for.
        path: PathBuf,
        /// Why.
        #[source]
        source: Arc<io::Error>,
    },
}

impl TreeError {
    /// Tells whether the error says that nothing is there, as opposed to not knowing what is there.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::NotFound { .. } | Self::NotADirectory { .. })
    }

    /// Makes the error for a failed operation on `path`.
    pub fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound => Self::NotFound { path },
            io::ErrorKind::NotADirectory => Self::NotADirectory { path },
            _ if source.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => Self::Loop { path },
            _ => Self::Io { action, path, source: Arc::new(source) },
        }
    }
}

impl Hint for TreeError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Io { source, .. } | Self::Open { source, .. }
                if source.kind() == io::ErrorKind::PermissionDenied =>
            {
                Some("run as the user who owns the tree, or as root".to_owned())
            }
            Self::Io { source, .. } if source.raw_os_error() == Some(38) => {
                Some("the kernel lacks openat2: Linux 5.6 or later is needed".to_owned())
            }
            _ => None,
        }
    }
}
