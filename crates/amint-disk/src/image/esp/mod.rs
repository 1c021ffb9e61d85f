//! The EFI system partition: FAT32 with the files of the boot loader.
//!
//! Written once, never changed: every folder and file lies in one piece, in the order of names, so the bytes
//! follow from the files alone. FAT32 is what UEFI 2.10 section 13.3 asks of a fixed disk. The format is that of
//! Microsoft's "FAT: General Overview of On-Disk Format" 1.03.

mod directory;
mod geometry;
mod name;
mod time;
mod tree;

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use directory::Content;
use geometry::Geometry;
use tree::Folder;

pub(super) use geometry::{BYTES_MAX, BYTES_MIN};

use super::layout::SECTOR_BYTES;
use super::{EspFile, ImageError};

/// What an EFI system partition shall be.
#[derive(Clone, Copy, Debug)]
pub(super) struct EspSpec<'a> {
    pub(super) files: &'a [EspFile],
    /// Size of the partition.
    pub(super) bytes: u64,
    /// Where the partition begins on the disk.
    pub(super) start_bytes: u64,
    pub(super) volume_id: u32,
    pub(super) epoch: i64,
}

/// An EFI system partition ready to be written.
#[derive(Debug)]
pub(super) struct Esp<'a> {
    geometry: Geometry,
    start_bytes: u64,
    volume_id: u32,
    content: Content<'a>,
}

impl<'a> Esp<'a> {
    /// Checks the files and gives each its place.
    pub(super) fn plan(spec: &EspSpec<'a>) -> Result<Self, ImageError> {
        let root = Folder::of_files(spec.files)?;
        let geometry = Geometry::of_partition(spec.bytes)
            .filter(|geometry| root.clusters(geometry.cluster_bytes()) <= geometry.clusters)
            .ok_or_else(|| size_error(&root, spec.bytes))?;
        let content = Content::place(&root, geometry.cluster_bytes(), time::dos_time(spec.epoch));
        Ok(Self { geometry, start_bytes: spec.start_bytes, volume_id: spec.volume_id, content })
    }

    /// Writes the partition to a disk that has only zeros there.
    pub(super) fn write(&self, target: &File) -> io::Result<()> {
        let put =
            |sector: u64, bytes: &[u8]| target.write_all_at(bytes, self.start_bytes + sector * SECTOR_BYTES);
        let hidden_sectors = u32::try_from(self.start_bytes / SECTOR_BYTES).unwrap_or(0);
        let boot = self.geometry.boot_sector(hidden_sectors, self.volume_id);
        let used = u32::try_from(self.content.chains().len()).expect("clusters are counted with 32 bits");
        let information = self.geometry.information_sector(used);
        for sector in [0, geometry::BACKUP_SECTOR] {
            put(sector, &boot)?;
            put(sector + geometry::INFORMATION_SECTOR, &information)?;
        }
        let table: Vec<u8> = self.content.chains().iter().flat_map(|entry| entry.to_le_bytes()).collect();
        for copy in 0..geometry::TABLES {
            put(self.geometry.table_sector(copy), &table)?;
        }
        for piece in self.content.pieces() {
            put(self.geometry.cluster_sector(piece.cluster), &piece.bytes)?;
        }
        Ok(())
    }
}

/// Tells which size would do.
fn size_error(root: &Folder<'_>, bytes: u64) -> ImageError {
    const STEP_BYTES: u64 = 1 << 20;
    let mut minimum_bytes = BYTES_MIN;
    while minimum_bytes < BYTES_MAX {
        let fits = Geometry::of_partition(minimum_bytes)
            .is_some_and(|geometry| root.clusters(geometry.cluster_bytes()) <= geometry.clusters);
        if fits {
            break;
        }
        minimum_bytes += STEP_BYTES;
    }
    ImageError::EspSize { bytes, minimum_bytes, maximum_bytes: BYTES_MAX }
}

#[cfg(test)]
mod tests {
    use amint_types::MIB;

    use super::*;

    fn plan(files: &[EspFile], bytes: u64) -> Result<Esp<'_>, ImageError> {
        Esp::plan(&EspSpec { files, bytes, start_bytes: MIB, volume_id: 1, epoch: 0 })
    }

    #[test]
    fn the_size_named_in_the_error_is_the_smallest_that_works() {
        let large = [EspFile { path: "linux.efi".to_owned(), content: vec![1; 40 << 20] }];
        let Err(ImageError::EspSize { minimum_bytes, .. }) = plan(&large, 34 * MIB) else {
            panic!("a file larger than the partition was taken");
        };
        assert!(plan(&large, minimum_bytes).is_ok());
        assert!(plan(&large, minimum_bytes - MIB).is_err());
    }
}
