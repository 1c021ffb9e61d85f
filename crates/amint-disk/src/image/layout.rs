//! Where the partitions go: pure arithmetic.

use std::ops::Range;

use amint_types::{GIB, MIB};

use super::{ImageError, esp};

/// Bytes of one sector.
pub(super) const SECTOR_BYTES: u64 = 512;
/// Bytes of the BIOS boot partition: GRUB's core image with the modules for GPT and ext4 takes about 50 KiB.
pub const BIOS_BOOT_BYTES: u64 = MIB;
/// Bytes of the EFI system partition unless asked otherwise: room for a boot loader, not for kernels.
pub const ESP_BYTES: u64 = 64 * MIB;
/// Smallest EFI system partition: below, it would be too small for FAT32.
pub const ESP_BYTES_MIN: u64 = esp::BYTES_MIN;
/// Largest EFI system partition.
pub const ESP_BYTES_MAX: u64 = esp::BYTES_MAX;
/// Bytes that stay free in the root file system when the size of the disk is not given.
pub const ROOT_FREE_BYTES_MIN: u64 = 256 * MIB;
/// Sectors of the backup partition table at the end: 32 of entries and one header.
const BACKUP_SECTORS: u64 = 33;

/// Where everything is, in bytes from the beginning of the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) disk_bytes: u64,
    pub(super) bios: Option<Range<u64>>,
    pub(super) esp: Range<u64>,
    pub(super) root: Range<u64>,
}

/// Lays out a disk for a root file system that needs `root_bytes_min`.
pub(super) fn plan_layout(
    disk_bytes: Option<u64>,
    has_bios: bool,
    esp_bytes: u64,
    root_bytes_min: u64,
) -> Result<Layout, ImageError> {
    if !(ESP_BYTES_MIN..=ESP_BYTES_MAX).contains(&esp_bytes) {
        let (minimum_bytes, maximum_bytes) = (ESP_BYTES_MIN, ESP_BYTES_MAX);
        return Err(ImageError::EspSize { bytes: esp_bytes, minimum_bytes, maximum_bytes });
    }
    let bios = has_bios.then_some(MIB..MIB + BIOS_BOOT_BYTES);
    let esp_start = bios.as_ref().map_or(MIB, |bios| bios.end);
    let esp = esp_start..esp_start + esp_bytes.next_multiple_of(MIB);
    let root_start = esp.end;
    let needed =
        |root_bytes: u64| root_start.saturating_add(root_bytes).saturating_add(BACKUP_SECTORS * SECTOR_BYTES);

    let disk_bytes = disk_bytes.unwrap_or_else(|| {
        let quarter_more = root_bytes_min.saturating_add(root_bytes_min / 4);
        let roomy = quarter_more.max(root_bytes_min.saturating_add(ROOT_FREE_BYTES_MIN));
        needed(roomy.saturating_add(MIB)).div_ceil(GIB).saturating_mul(GIB)
    });
    if !disk_bytes.is_multiple_of(SECTOR_BYTES) {
        return Err(ImageError::DiskSize { bytes: disk_bytes });
    }
    let usable_end = disk_bytes.saturating_sub(BACKUP_SECTORS * SECTOR_BYTES);
    let root_end = usable_end / MIB * MIB;
    if root_end <= root_start || root_end - root_start < root_bytes_min {
        let whole = root_bytes_min.max(MIB).checked_next_multiple_of(MIB).unwrap_or(u64::MAX);
        return Err(ImageError::DiskTooSmall { bytes: disk_bytes, needed_bytes: needed(whole) });
    }
    Ok(Layout { disk_bytes, bios, esp, root: root_start..root_end })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_smallest_whole_gib_with_room_to_spare() {
        let layout = plan_layout(None, true, ESP_BYTES, 560 * MIB).unwrap();
        assert_eq!(layout.disk_bytes, GIB);
        assert_eq!(layout.bios, Some(MIB..2 * MIB));
        assert_eq!(layout.esp, 2 * MIB..66 * MIB);
        assert_eq!(layout.root, 66 * MIB..1023 * MIB);
        // 800 MiB with 256 MiB free do not fit into 1 GiB, 4 GiB plus a quarter not into 5.
        assert_eq!(plan_layout(None, true, ESP_BYTES, 800 * MIB).unwrap().disk_bytes, 2 * GIB);
        assert_eq!(plan_layout(None, true, ESP_BYTES, 4 * GIB).unwrap().disk_bytes, 6 * GIB);
    }

    #[test]
    fn leaves_out_the_bios_partition_where_nothing_starts_by_bios() {
        let layout = plan_layout(Some(GIB), false, ESP_BYTES, MIB).unwrap();
        assert_eq!(layout.bios, None);
        assert_eq!(layout.esp.start, MIB);
    }

    #[test]
    fn the_size_named_in_the_error_is_the_smallest_that_works() {
        let error = plan_layout(Some(100 * MIB), true, ESP_BYTES, 200 * MIB + 1).unwrap_err();
        let ImageError::DiskTooSmall { needed_bytes, .. } = error else { panic!("{error}") };
        assert!(plan_layout(Some(needed_bytes), true, ESP_BYTES, 200 * MIB + 1).is_ok());
        assert!(plan_layout(Some(needed_bytes - SECTOR_BYTES), true, ESP_BYTES, 200 * MIB + 1).is_err());
    }

    #[test]
    fn refuses_sizes_that_cannot_be() {
        assert!(matches!(plan_layout(Some(GIB + 1), true, ESP_BYTES, 0), Err(ImageError::DiskSize { .. })));
        assert!(matches!(plan_layout(Some(0), true, ESP_BYTES, 0), Err(ImageError::DiskTooSmall { .. })));
        assert!(matches!(plan_layout(Some(GIB), true, MIB, 0), Err(ImageError::EspSize { .. })));
        assert!(matches!(plan_layout(None, true, u64::MAX, 0), Err(ImageError::EspSize { .. })));
        assert!(plan_layout(None, true, ESP_BYTES, u64::MAX).is_err());
    }
}
