//! Reads squashfs, version 4.0: snaps, live systems, firmware.
//!
//! The rules are those of the kernel's documentation (`Documentation/filesystems/squashfs.rst`) and header
//! (`fs/squashfs/squashfs_fs.h`). All compressions are read: gzip, lzma, lzo, xz, lz4, zstd. Older versions are refused.
//!
//! A squashfs has no free space and no checksums: damage shows where something cannot be unpacked or does not fit.

mod bytes;
mod cache;
mod compression;
mod content;
mod directory;
mod error;
mod image;
mod inode;
mod metadata;
mod squashfs;
mod superblock;
mod table;
mod xattr;

pub use squashfs::Squashfs;
