//! What can go wrong in the store.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use amint_types::{Cancelled, Digest, Hint, ImageRef, format_duration};

use crate::blocks::BlockError;
use crate::catalogue::CatalogueError;
use crate::manifest::ManifestError;
use crate::operation::OperationId;

/// An operation of the store failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A file or folder of the store could not be used.
    #[error("failed to {action} {path}")]
    Io {
        /// What was tried: `read`, `write`, `remove`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The catalogue refused, or is damaged.
    #[error("failed to use the catalogue {path}")]
    Catalogue {
        /// The catalogue's file.
        path: PathBuf,
        /// Why.
        #[source]
        source: CatalogueError,
    },
    /// No image has the name, or the version; or it was collected meanwhile.
    #[error("no image `{reference}` is in the store")]
    NotFound {
        /// What was asked for.
        reference: ImageRef,
        /// Images that may have been meant.
        similar: Vec<String>,
    },
    /// No manifest with the digest is in the store.
    #[error("no manifest {digest} is in the store")]
    NoManifest {
        /// The digest.
        digest: Digest,
    },
    /// A manifest was found damaged.
    #[error("the manifest {path} is damaged")]
    Manifest {
        /// The manifest's file.
        path: PathBuf,
        /// How.
        #[source]
        source: ManifestError,
    },
    /// The disk to be stored does not fit a manifest: it is empty or too large.
    #[error("the disk cannot be stored")]
    Disk {
        /// Why.
        #[source]
        source: ManifestError,
    },
    /// A block of the store was found missing or damaged.
    #[error(transparent)]
    Block(#[from] BlockError),
    /// The disk to be stored could not be read.
    #[error("failed to read block {index} of the disk to be stored")]
    Source {
        /// The block.
        index: u64,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Another process held the store's lock for longer than was to be waited.
    #[error("another amint is using the store {root} (waited {})", format_duration(*.waited))]
    Busy {
        /// The store's folder.
        root: PathBuf,
        /// How long was waited.
        waited: Duration,
    },
    /// A document has a kind that cannot be stored.
    #[error("`{kind}` is no kind of document (1 to 64 of a-z, 0-9, `-`)")]
    DocumentKind {
        /// The kind.
        kind: String,
    },
    /// A document is too large.
    #[error("the document `{kind}` has {bytes} bytes, more than {max} are not stored")]
    DocumentSize {
        /// Its kind.
        kind: String,
        /// Its size.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// An operation was to be finished that has a result already, or that never began.
    #[error("operation {id} is not open")]
    OperationNotOpen {
        /// The operation.
        id: OperationId,
    },
    /// The work was stopped because the user asked for it.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl StoreError {
    /// Tells whether the user stopped the work.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Cancelled(_))
    }

    /// Tells whether something that was asked for is not in the store.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. } | Self::NoManifest { .. })
    }

    /// Tells whether something in the store is damaged.
    pub fn is_corrupt(&self) -> bool {
        match self {
            Self::Manifest { .. } | Self::Block(_) => true,
            Self::Catalogue { source, .. } => matches!(source, CatalogueError::Damaged { .. }),
            _ => false,
        }
    }

    /// Tells whether another process was using the store for too long.
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Busy { .. })
            || matches!(self, Self::Catalogue { source: CatalogueError::Busy { .. }, .. })
    }

    /// Tells whether the file system of the store is full.
    pub fn is_full(&self) -> bool {
        match self {
            Self::Io { source, .. } => is_full(source),
            Self::Catalogue { source, .. } => matches!(source, CatalogueError::Full { .. }),
            _ => false,
        }
    }

    /// Makes an error of what happened to `path`, for `map_err`.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}

impl Hint for StoreError {
    fn hint(&self) -> Option<String> {
        let text = match self {
            error if error.is_full() => {
                "free space on the file system of the store: `amint gc` removes what no image needs"
                    .to_owned()
            }
            Self::Io { source, path, .. } => match source.kind() {
                io::ErrorKind::PermissionDenied => {
                    format!("the store belongs to one user: see who owns {}", path.display())
                }
                io::ErrorKind::ReadOnlyFilesystem => {
                    "the store must lie on a file system that can be written".to_owned()
                }
                _ => return None,
            },
            Self::Catalogue { source, .. } => return source.hint(),
            Self::NotFound { similar, .. } if similar.is_empty() => {
                "`amint images` lists the images of the store".to_owned()
            }
            Self::NotFound { similar, .. } => {
                let similar: Vec<String> = similar.iter().map(|name| format!("`{name}`")).collect();
                format!("the store has {}", similar.join(", "))
            }
            Self::Manifest { source: ManifestError::Newer { .. }, .. } => {
                "use the newer amint that wrote it".to_owned()
            }
            Self::Manifest { .. } => {
                "build the image again, or restore this file from a backup of the store".to_owned()
            }
            Self::Block(error) => return error.hint(),
            Self::Busy { .. } => "try again when it has finished".to_owned(),
            _ => return None,
        };
        Some(text)
    }
}
