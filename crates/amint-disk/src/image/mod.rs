//! Assembles a bootable disk.
//!
//! The disk has a GUID partition table and up to three partitions: the BIOS boot partition that carries GRUB's
//! core image, the EFI system partition and, last so that it can grow, the root file system. Everything that
//! looks random comes from a [`Seed`](amint_types::Seed) and every time stamp from the epoch of the
//! specification: same inputs, same bytes.
//!
//! Rules: UEFI specification 2.10 chapter 5 (GPT) and 13.3 (system partition), the Discoverable Partitions
//! Specification (types of root partitions), GRUB's `util/setup.c` (BIOS).

mod assemble;
mod error;
mod esp;
mod grub;
mod ids;
mod layout;
mod root;
mod spec;
mod table;

pub use assemble::assemble;
pub use error::ImageError;
pub use grub::{BOOT_IMAGE_BYTES, CORE_IMAGE_BYTES_MAX};
pub use ids::{TYPE_BIOS_BOOT, TYPE_ESP, TYPE_ROOT_ARM64, TYPE_ROOT_X86_64, root_type};
pub use ids::{disk_uuid, esp_volume_id, partition_uuid, root_hash_seed, root_uuid};
pub use layout::{BIOS_BOOT_BYTES, ESP_BYTES, ESP_BYTES_MAX, ESP_BYTES_MIN, ROOT_FREE_BYTES_MIN};
pub use spec::{BiosBoot, BootFiles, DiskSpec, DiskSummary, EspFile};
