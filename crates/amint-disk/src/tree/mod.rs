//! The files of an image, read (and, for a folder on this host, edited) without ever leaving the image.
//!
//! [`FileTree`] is the view that rules read through: a folder today, a file system inside a disk image
//! tomorrow. Paths are absolute paths of the image, as bytes; symbolic links are resolved inside the image
//! only, so a link to `../../../etc/shadow` names the image's file and never the host's.

mod dir_tree;
mod edit;
mod error;
mod file_tree;
mod metadata;
mod walk;

#[cfg(test)]
mod hostile_tests;

pub use dir_tree::DirTree;
pub use edit::TreeEdit;
pub use error::TreeError;
pub use file_tree::{FileTree, LINKS_MAX};
pub use metadata::{Attribute, DirEntry, FileKind, Metadata};
pub use walk::{WalkEntry, WalkLimits, WalkStep, WalkSummary};
