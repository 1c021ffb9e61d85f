//! What a disk shall be, and what it became.

use amint_types::report::Partition;
use amint_types::{Architecture, Seed};
use uuid::Uuid;

/// A file of the EFI system partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EspFile {
    /// Path from the root of the partition, with slashes: `EFI/BOOT/BOOTX64.EFI`.
    pub path: String,
    /// Content.
    pub content: Vec<u8>,
}

/// GRUB for machines that start by BIOS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BiosBoot {
    /// GRUB's `boot.img`: the 512 bytes of the boot sector.
    pub boot_img: Vec<u8>,
    /// GRUB's core image, as `grub-mkimage -O i386-pc` writes it.
    pub core_img: Vec<u8>,
}

/// What makes the disk start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BootFiles {
    /// GRUB for BIOS; without it the disk has no BIOS boot partition.
    pub bios: Option<BiosBoot>,
    /// Files of the EFI system partition.
    pub esp: Vec<EspFile>,
}

/// What a disk shall be.
#[derive(Clone, Debug)]
pub struct DiskSpec {
    /// Size of the disk; `None` takes the smallest whole number of GiB that holds the tree plus a quarter, and
    /// leaves at least [`ROOT_FREE_BYTES_MIN`](super::ROOT_FREE_BYTES_MIN) free.
    pub bytes: Option<u64>,
    /// Where the ids of the disk, of the partitions and of the EFI system partition come from.
    pub seed: Seed,
    /// Time stamps written by the assembly itself, in seconds since 1970.
    pub epoch: i64,
    /// Label of the root file system.
    pub root_label: String,
    /// UUID of the root file system.
    pub root_uuid: Uuid,
    /// Architecture, which decides the type of the root partition.
    pub architecture: Architecture,
    /// What makes the disk start.
    pub boot: BootFiles,
    /// Size of the EFI system partition, [`ESP_BYTES`](super::ESP_BYTES) unless there is a reason; rounded up to
    /// whole MiB.
    pub esp_bytes: u64,
}

/// What a disk became.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskSummary {
    /// Size of the disk.
    pub bytes: u64,
    /// Partitions, by number.
    pub partitions: Vec<Partition>,
    /// Bytes of the root file system that are in use, its own structures included.
    pub root_used_bytes: u64,
}
