//! What divides a disk: partition tables, LVM2, and what lies in each part.
//!
//! [`divide`] takes a disk and tells its parts, the gaps between them and the logical volumes inside, each as a source
//! of its own with offsets of its own. Nothing is written, and no kernel driver is asked. Damage that leaves the table
//! readable is a note; a table that cannot be trusted is an error, because a scan that overlooks a partition would lie.
//!
//! Rules: UEFI specification 2.10, chapter 5 (GPT, protective MBR); the partition table of the PC as Linux and
//! `sfdisk` read it (MBR, extended partitions); the text format and label of LVM2 (`lvm2/format_text`).
//!
//! Encrypted volumes, software RAID and ZFS are named and not opened.

mod bytes;
mod content;
mod divide;
mod division;
mod error;
mod gaps;
mod gpt;
mod lvm;
mod mbr;

pub use content::{Content, detect};
pub use divide::divide;
pub use division::{Division, LogicalVolume, Part, Table};
pub use error::VolumeError;
