//! Ids of the disk and its partitions.

use amint_types::{Architecture, Seed};
use uuid::{Uuid, uuid};

/// Partition type: BIOS boot, where GRUB puts its core image.
pub const TYPE_BIOS_BOOT: Uuid = uuid!("21686148-6449-6e6f-744e-656564454649");
/// Partition type: EFI system partition.
pub const TYPE_ESP: Uuid = uuid!("c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
/// Partition type: root file system of x86-64 (Discoverable Partitions Specification).
pub const TYPE_ROOT_X86_64: Uuid = uuid!("4f68bce3-e8cd-4db1-96e7-fbcaf984b709");
/// Partition type: root file system of 64-bit Arm (Discoverable Partitions Specification).
pub const TYPE_ROOT_ARM64: Uuid = uuid!("b921b045-1df0-41c3-af44-4c6f280d3fae");

/// Returns the type of the root partition for an architecture.
pub fn root_type(architecture: Architecture) -> Uuid {
    match architecture {
        Architecture::Arm64 => TYPE_ROOT_ARM64,
        _ => TYPE_ROOT_X86_64,
    }
}

/// Returns the GUID of the disk.
pub fn disk_uuid(seed: &Seed) -> Uuid {
    seed.uuid("disk")
}

/// Returns the GUID of the partition with a name (`bios`, `esp`, `root`): its `PARTUUID`.
pub fn partition_uuid(seed: &Seed, name: &str) -> Uuid {
    seed.uuid(&format!("partition:{name}"))
}

/// Returns the UUID for the root file system.
pub fn root_uuid(seed: &Seed) -> Uuid {
    seed.uuid("root")
}

/// Returns the seed of the hashed directories of the root file system.
pub fn root_hash_seed(seed: &Seed) -> Uuid {
    seed.uuid("root:hash")
}

/// Returns the volume id of the EFI system partition: `blkid` shows it as the UUID `XXXX-XXXX`.
pub fn esp_volume_id(seed: &Seed) -> u32 {
    seed.number("esp")
}
