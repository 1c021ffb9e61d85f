//! What a file system inside an image is: nodes, folders, content, attributes, free space.
//!
//! [`FileSystem`] is what every reader (ext, XFS, btrfs, FAT, NTFS, squashfs) offers, and all that a scan needs: it
//! goes by node and never by path, so nothing can lead out of the image. Readers take any
//! [`ReadAt`](amint_types::ReadAt), change nothing, replay a journal in memory, and answer damage with an error,
//! never with a panic, a hang or a made-up byte.

mod chunks;
mod error;
mod file_system;
mod node;
mod path;

pub use chunks::Chunks;
pub use error::FsError;
pub use file_system::{ENTRIES_MAX, FileSystem, Info, NAME_BYTES_MAX, OpenFile, Visit, XATTR_BYTES_MAX};
pub use node::{Entry, Kind, Node, NodeId, Xattr};
pub use path::{LINKS_MAX, find, read_all, read_file};
