//! Writes ext4 file systems from a directory tree.
//!
//! [`write_tree`] turns a tree into a file system inside a sparse file: no mount, no loop device, no
//! `mke2fs`. The bytes are a function of the tree's content and of [`Ext4Options`] alone: the order in which
//! the host lists a directory, its inode numbers, and every time stamp but `mtime` (whole seconds, clamped
//! to the epoch) leave no trace, so that the same inputs give the same bytes on every host.
//!
//! The features are those of Debian 12's `mke2fs -t ext4` with 4 KiB blocks and 256-byte inodes, without
//! `orphan_file` and `metadata_csum_seed`, so kernels from 4.x on mount it, and `resize_inode` leaves
//! room to grow 1024 times online. Lazy initialisation has nothing to do: what is unused is zero already.
//!
//! The work has three parts, and only the first and the last touch files:
//! 1. `scan` reads names, owners, modes, attributes and holes in byte order of the names;
//! 2. `content`, `geometry` and `plan` decide where every block goes, purely;
//! 3. `copy` and `write` put the bytes there, the primary superblock last.
//!
//! Placement is sequential: journal, then directories, attributes and long symbolic links, then file data
//! in order of inode numbers, in groups with room behind each where the size allows it: a file that grows then
//! moves some megabytes, and not everything behind it, so that the next version of an image shares most of its blocks
//! with the last. Sparse files keep their holes in whole 4 KiB blocks; blocks of zeros that the
//! source stores are allocated but left as holes of the target. Sockets are left out, as are extended
//! attributes outside `user`, `trusted`, `security` and POSIX access control lists; both are counted.
//!
//! The format is described in the kernel's `Documentation/filesystems/ext4/`
//! (<https://docs.kernel.org/filesystems/ext4/>).

mod acl;
mod attributes;
mod bytes;
mod checksum;
mod content;
mod copy;
mod directory;
mod error;
mod extents;
mod geometry;
mod groups;
mod half_md4;
mod inode;
mod inode_table;
mod journal;
mod model;
mod options;
mod plan;
mod resize_inode;
mod scan;
mod scan_attributes;
mod superblock;
mod walk;
mod write;

pub use error::Ext4Error;
pub use options::{Ext4Options, Ext4Summary};
pub use write::{minimum_bytes, write_tree};
