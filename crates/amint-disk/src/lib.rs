//! Disks: GPT, ext4, FAT, boot loaders, image formats, and file trees to read.
//!
//! Everything is written in user space: no loop device, no mount, no device-mapper, no root.

pub mod export;
pub mod ext4;
pub mod image;
pub mod raw;
pub mod tree;
