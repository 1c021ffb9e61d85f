//! Reads ext2, ext3 and ext4: every block size, extents and block maps, inline data, attributes, checksums.
//!
//! The rules are those of the kernel's `Documentation/filesystems/ext4` (superblock, group descriptors, inodes, folders,
//! attributes, and in `journal.rst` the journal, jbd2)
//! (<https://docs.kernel.org/filesystems/ext4/index.html>).
//!
//! [`Ext`] changes nothing: a journal that was not written back is replayed in memory. Where the file system has
//! checksums of its metadata, each is verified before what it covers is believed. External journals, file systems
//! on several devices, and incompatible features that are not known are refused by name.

mod acl;
mod bytes;
mod cache;
mod checksum;
mod content;
mod deleted;
mod directory;
mod error;
mod ext;
mod extents;
mod feature;
mod free;
mod group;
mod inline;
mod inode;
mod journal;
mod mapping;
mod pointers;
mod superblock;
mod volume;
mod xattr;

pub use deleted::DeletedInode;
pub use ext::Ext;
