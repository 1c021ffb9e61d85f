//! Reads NTFS, versions 3.0 and 3.1.
//!
//! Rules: Microsoft, *[MS-FSCC]* (reparse points, times, attributes of files) and *[MS-XCA]* section 2.5 (LZNT1); for the
//! structures on the disk the documentation of the Linux-NTFS project. Each record and index block is protected by
//! marks at the end of its sectors, which are checked; there are no checksums.
//!
//! A node's number is its record in the master file table. The system's own files (`$MFT`, `$LogFile`, …) are not listed.
//! Owners are root, for ACLs are not read, and modes `0o755`, or `0o555` for read-only files. Content in forms that
//! cannot be read (EFS, files compressed by `compact /exe`, deduplicated or kept in a cloud) is an error, never zeros.
//! The log is not replayed.

mod attribute;
mod boot;
mod bytes;
mod error;
mod file_system;
mod free;
mod index;
mod info;
mod lznt1;
mod node;
mod record;
mod reparse;
mod runs;
mod stream;
mod table;
mod time;

pub use file_system::Ntfs;
