//! Reads FAT12, FAT16 and FAT32 with long names, as EFI system partitions and boot partitions have them.
//!
//! Rules: Microsoft, *FAT32 File System Specification*, version 1.03, and for what it leaves open what Linux does with
//! `vfat`. Times are taken as UTC, for FAT keeps local time without saying which. Owners are root and modes what Linux
//! shows: `0o755`, without the right to write where the attribute says so.
//!
//! A node's number is the byte offset of its entry in its folder; the root is 0. Checksums do not exist in FAT: damage is
//! found only where it contradicts itself.

mod boot;
mod bytes;
mod chain;
mod codepage;
mod directory;
mod entry;
mod file;
mod file_system;
mod table;
mod time;

pub use file_system::Fat;
