//! Image formats to read: raw, qcow2, VMDK, VHD, VHDX, VDI, OVA, and blocks from afar.
//!
//! [`open`] tells the format by the content of the file, never by its name, and gives the disk inside as a
//! [`ReadAt`](amint_types::ReadAt). Nothing is ever written: a dirty log of a VHDX is replayed in memory. An image
//! may only lead to other files where that cannot be misused: extents of a VMDK in its own folder, and backing files
//! of a qcow2 that the caller named. Damage is answered with an error that tells what and where.
//!
//! [`CachedBlocks`] makes a disk of 512 KiB blocks, such as an image of the store, readable at any place.
//!
//! Each module names the specification that rules it.

mod blocks;
mod bytes;
mod cache;
mod detect;
mod error;
mod file;
mod format;
mod joined;
mod mapped;
mod open;
mod ova;
mod qcow2;
mod vdi;
mod vhd;
mod vhdx;
mod vmdk;

pub use blocks::{CacheOptions, CachedBlocks};
pub use detect::detect;
pub use error::FormatError;
pub use format::Format;
pub use open::{OpenOptions, Opened, open, open_source};
