//! Reads XFS (versions 4 and 5) and changes nothing.
//!
//! Follows "XFS Algorithms & Data Structures", 3rd edition
//! (<https://mirrors.edge.kernel.org/pub/linux/utils/fs/xfs/docs/xfs_filesystem_structure.pdf>). Checksums and
//! self-describing headers of version 5 are verified wherever a block is used; a dirty journal is replayed into memory.
//! What is on a realtime device, and features that change the format in ways unknown here, are refused.

mod attributes;
mod directory;
mod disk;
mod extents;
mod fields;
mod file;
mod filesystem;
mod free;
mod header;
mod inode;
mod link;
mod log;
mod overlay;
mod superblock;
mod volume;

pub use filesystem::{Xfs, probe};
