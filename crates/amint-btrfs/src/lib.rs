//! Reads btrfs: subvolumes and snapshots, compressed data, checksums of everything.
//!
//! The rules are those of the kernel's headers (`include/uapi/linux/btrfs_tree.h`) and of the description of the on-disk
//! format in the documentation of btrfs (<https://btrfs.readthedocs.io/en/latest/dev/On-disk-format.html>).
//!
//! The log of what was synced since the last commit is replayed in memory.
//! File systems over several devices are refused, as is every incompatible feature that is not known.

mod block;
mod btrfs;
mod bytes;
mod cache;
mod checksum;
mod chunk;
mod compression;
mod content;
mod error;
mod extent;
mod free;
mod item;
mod key;
mod log;
mod subvolume;
mod superblock;
mod tree;
mod volume;

pub use btrfs::{Btrfs, Subvolume};
