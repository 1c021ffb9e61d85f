//! What can go wrong while a disk is assembled.

use std::io;
use std::path::{Path, PathBuf};

use amint_types::{Cancelled, Hint, format_bytes};

/// A disk could not be assembled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// The size asked for is no whole number of sectors.
    #[error("failed to make a disk of {bytes} bytes: not a whole number of 512-byte sectors")]
    DiskSize {
        /// The size asked for.
        bytes: u64,
    },
    /// The tree does not fit on a disk of the size asked for.
    #[error("failed to fit the tree on a disk of {}: it needs {}", format_bytes(*bytes), format_bytes(*needed_bytes))]
    DiskTooSmall {
        /// The size asked for.
        bytes: u64,
        /// The smallest size that works.
        needed_bytes: u64,
    },
    /// The EFI system partition is too small for FAT32 or for its files, or too large for FAT32.
    #[error(
        "fit the EFI system partition in {}: it needs between {} and {}",
        format_bytes(*bytes), format_bytes(*minimum_bytes), format_bytes(*maximum_bytes)
    )]
    EspSize {
        /// The size asked for.
        bytes: u64,
        /// The smallest size that works.
        minimum_bytes: u64,
        /// The largest size that works.
        maximum_bytes: u64,
    },
    /// A file of the EFI system partition has a path that cannot be, or that two files share.
    #[error("failed to place `{path}` on the EFI system partition: {reason}")]
    EspPath {
        /// The path.
        path: String,
        /// Why it cannot be.
        reason: &'static str,
    },
    /// GRUB's boot image or core image is not what GRUB makes.
    #[error("failed to install GRUB for BIOS: {reason}")]
    Grub {
        /// What is wrong.
        reason: String,
    },
    /// The partition table cannot be made.
    #[error("failed to make the partition table")]
    Table(#[source] gptman::Error),
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
    /// The root file system cannot be made.
    #[error("failed to make the root file system")]
    Root(#[source] crate::ext4::Ext4Error),
    /// The user asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl ImageError {
    /// Makes a function that wraps a failed write of `what`.
    pub(super) fn write(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Write { what, path: path.to_owned(), source }
    }
}

impl Hint for ImageError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::DiskTooSmall { needed_bytes, .. } => {
                let gib = needed_bytes.div_ceil(amint_types::GIB);
                Some(format!("ask for {gib} GiB or more, or leave the size out"))
            }
            Self::Write { path, source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                let folder = path.parent().unwrap_or(path);
                Some(format!("make room on the file system of `{}`", folder.display()))
            }
            Self::Grub { .. } => {
                Some("use boot.img and a core image made by grub-mkimage -O i386-pc".to_owned())
            }
            Self::Root(source) => source.hint(),
            _ => None,
        }
    }
}
