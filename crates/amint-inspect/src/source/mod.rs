//! Where files come from: a folder of this host, a tar archive, the file systems of a disk.

mod folder;
mod tar;

pub use folder::HostFolder;
pub use tar::TarFs;
