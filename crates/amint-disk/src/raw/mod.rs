//! Raw disk files with holes.
//!
//! A raw file is the disk byte by byte. What was never written is a hole that takes no room; the operating
//! system tells where the holes are, so zero blocks cost neither reading nor comparing. Containers (qcow2,
//! VMDK, VHD) are recognised by content and refused: fed as raw they would be published as garbage.

mod disk;
mod error;
mod sniff;
mod staging;
#[cfg(test)]
mod tests;
mod write;
mod zero;

pub use disk::RawDisk;
pub(crate) use disk::next_data;
pub use error::{CopyError, RawError};
pub use sniff::{Format, sniff};
pub(crate) use staging::Staging;
pub use write::write_sparse;
pub(crate) use write::{block_buffer, for_each_block, read_block, write_data};
pub(crate) use zero::is_zero;
