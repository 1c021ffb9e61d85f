//! Why a file system could not be written.

use std::io;
use std::path::PathBuf;

use amint_types::{Cancelled, Hint, format_bytes};

/// Why a tree could not be turned into an ext4 file system.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Ext4Error {
    /// The size is no multiple of 4096 bytes, or above 4 TiB.
    #[error("a file system of {bytes} bytes cannot be made: the size must be a multiple of 4096 up to 4 TiB")]
    InvalidSize {
        /// The size asked for.
        bytes: u64,
    },
    /// The label is longer than 16 bytes or has a zero byte.
    #[error("the label `{label}` is not 0 to 16 bytes of text")]
    InvalidLabel {
        /// The label asked for.
        label: String,
    },
    /// The tree and the file system's own tables need more room than there is.
    #[error("the tree needs a file system of {}, but it has {}", format_bytes(*.needed_bytes), format_bytes(*.available_bytes))]
    TooSmall {
        /// Size that would do, as far as it can be told.
        needed_bytes: u64,
        /// Size that was asked for.
        available_bytes: u64,
    },
    /// Something in the tree could not be opened or read.
    #[error("failed to read `{}`", .path.display())]
    Read {
        /// What could not be read.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The target could not be written.
    #[error("failed to write {length} bytes at byte {offset} of the target")]
    Write {
        /// Place in the target file.
        offset: u64,
        /// How many bytes were to be written.
        length: usize,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file changed while it was read.
    #[error("`{}` changed while it was read", .path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// A name has more than 255 bytes.
    #[error("the name of `{}` is longer than 255 bytes", .path.display())]
    NameTooLong {
        /// The file with that name.
        path: PathBuf,
    },
    /// A file has more names than ext4 can count.
    #[error("`{}` has {links} hard links, more than the 65000 that ext4 allows", .path.display())]
    TooManyLinks {
        /// One of the file's names.
        path: PathBuf,
        /// How many names the tree has for it.
        links: u32,
    },
    /// A file or a symbolic link's target is longer than ext4 can hold.
    #[error("`{}` has {bytes} bytes, more than ext4 can hold", .path.display())]
    FileTooLarge {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: u64,
    },
    /// A directory has more entries than a two-level hash tree can hold.
    #[error("the directory `{}` has too many entries ({entries})", .path.display())]
    DirectoryTooLarge {
        /// The directory.
        path: PathBuf,
        /// How many entries it has.
        entries: usize,
    },
    /// Directories are nested deeper than this writer follows.
    #[error("`{}` is nested more than {depth_max} directories deep", .path.display())]
    TooDeep {
        /// The directory that is too deep.
        path: PathBuf,
        /// The limit.
        depth_max: usize,
    },
    /// The extended attributes of one file do not fit into its inode and one block.
    #[error("the extended attributes of `{}` do not fit into one block", .path.display())]
    AttributesTooLarge {
        /// The file.
        path: PathBuf,
    },
    /// An access control list read from the tree has a form that ext4 cannot hold.
    #[error("the access control list of `{}` cannot be understood", .path.display())]
    InvalidAcl {
        /// The file.
        path: PathBuf,
    },
    /// The tree has something called `lost+found` at its top that is not a directory.
    #[error("`{}` is not a directory, as ext4 demands", .path.display())]
    LostAndFound {
        /// The file in the way.
        path: PathBuf,
    },
    /// The user asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Hint for Ext4Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::TooSmall { needed_bytes, .. } => {
                Some(format!("make the file system at least {needed_bytes} bytes large"))
            }
            Self::Changed { .. } => Some("nothing may write to the tree while its image is made".to_owned()),
            Self::Read { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                Some("run as the tree's owner or as root".to_owned())
            }
            Self::LostAndFound { .. } => Some("remove it; the directory is made for you".to_owned()),
            _ => None,
        }
    }
}
