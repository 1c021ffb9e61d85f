//! Sizes and places of a FAT32 volume, and its boot sector.

use amint_types::{GIB, MIB};

use super::super::layout::SECTOR_BYTES;

/// Smallest partition: FAT32 is told from FAT16 by having at least 65,525 clusters, here of one sector.
pub(in super::super) const BYTES_MIN: u64 = 34 * MIB;
/// Largest partition; nothing that starts a machine needs more.
pub(in super::super) const BYTES_MAX: u64 = 8 * GIB;
/// Up to here clusters have one sector, from there on eight.
const SMALL_BYTES_MAX: u64 = 260 * MIB;
/// Fewest clusters of FAT32.
const CLUSTERS_MIN: u32 = 65_525;
/// Sectors before the first table.
const RESERVED_SECTORS: u32 = 32;
/// Copies of the table.
pub(super) const TABLES: u32 = 2;
/// Entries of one sector of a table.
const ENTRIES_PER_SECTOR: u32 = 128;
/// Number of the first cluster, the root folder.
pub(super) const ROOT_CLUSTER: u32 = 2;
/// Sector that counts free clusters.
pub(super) const INFORMATION_SECTOR: u64 = 1;
/// Sector with the copy of the boot sector; that of the information sector follows.
pub(super) const BACKUP_SECTOR: u64 = 6;
/// Label of the volume, padded with spaces.
pub(super) const LABEL: &[u8; 11] = b"ESP        ";

/// Where everything is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Geometry {
    sectors: u32,
    cluster_sectors: u8,
    table_sectors: u32,
    /// Clusters of the data area.
    pub(super) clusters: u32,
}

impl Geometry {
    /// Divides a partition; `None` when it is too small or too large.
    pub(super) fn of_partition(bytes: u64) -> Option<Self> {
        if !(BYTES_MIN..=BYTES_MAX).contains(&bytes) {
            return None;
        }
        let sectors = u32::try_from(bytes / SECTOR_BYTES).ok()?;
        let cluster_sectors: u8 = if bytes <= SMALL_BYTES_MAX { 1 } else { 8 };
        // The formula of the specification, which may leave a table a little too long. A sector of a table
        // serves 128 clusters; half a sector for each of the two tables comes on top of them.
        let data_sectors = sectors - RESERVED_SECTORS;
        let served_sectors = ENTRIES_PER_SECTOR * u32::from(cluster_sectors) + TABLES / 2;
        let table_sectors = data_sectors.div_ceil(served_sectors);
        let clusters = (data_sectors - TABLES * table_sectors) / u32::from(cluster_sectors);
        debug_assert!(table_sectors * ENTRIES_PER_SECTOR >= clusters + ROOT_CLUSTER);
        (clusters >= CLUSTERS_MIN).then_some(Self { sectors, cluster_sectors, table_sectors, clusters })
    }

    /// Returns the size of a cluster.
    pub(super) fn cluster_bytes(&self) -> u64 {
        u64::from(self.cluster_sectors) * SECTOR_BYTES
    }

    /// Returns the first sector of a copy of the table.
    pub(super) fn table_sector(&self, copy: u32) -> u64 {
        u64::from(RESERVED_SECTORS) + u64::from(copy) * u64::from(self.table_sectors)
    }

    /// Returns the first sector of a cluster.
    pub(super) fn cluster_sector(&self, cluster: u32) -> u64 {
        self.table_sector(TABLES) + u64::from(cluster - ROOT_CLUSTER) * u64::from(self.cluster_sectors)
    }

    /// Returns the boot sector, which carries no code: the machine starts by UEFI.
    pub(super) fn boot_sector(&self, hidden_sectors: u32, volume_id: u32) -> Vec<u8> {
        let mut bytes = vec![0xeb, 0x58, 0x90];
        bytes.extend(b"amint   ");
        bytes.extend(512_u16.to_le_bytes());
        bytes.push(self.cluster_sectors);
        bytes.extend(32_u16.to_le_bytes()); // RESERVED_SECTORS
        bytes.push(2); // TABLES
        bytes.extend([0; 4]); // root entries and sectors of FAT16
        bytes.push(0xf8); // fixed disk
        bytes.extend([0; 2]); // table sectors of FAT16
        bytes.extend(63_u16.to_le_bytes()); // sectors per track
        bytes.extend(255_u16.to_le_bytes()); // heads
        bytes.extend(hidden_sectors.to_le_bytes());
        bytes.extend(self.sectors.to_le_bytes());
        bytes.extend(self.table_sectors.to_le_bytes());
        bytes.extend([0; 4]); // both tables in use, version 0.0
        bytes.extend(ROOT_CLUSTER.to_le_bytes());
        bytes.extend(1_u16.to_le_bytes()); // INFORMATION_SECTOR
        bytes.extend(6_u16.to_le_bytes()); // BACKUP_SECTOR
        bytes.extend([0; 12]);
        bytes.extend([0x80, 0, 0x29]); // first hard disk; id, label and type follow
        bytes.extend(volume_id.to_le_bytes());
        bytes.extend(LABEL);
        bytes.extend(b"FAT32   ");
        bytes.resize(510, 0);
        bytes.extend([0x55, 0xaa]);
        bytes
    }

    /// Returns the sector that counts free clusters; `used` is the first cluster that is free.
    pub(super) fn information_sector(&self, used: u32) -> Vec<u8> {
        let mut bytes = b"RRaA".to_vec();
        bytes.resize(484, 0);
        bytes.extend(b"rrAa");
        bytes.extend((self.clusters + ROOT_CLUSTER - used).to_le_bytes());
        bytes.extend(used.to_le_bytes());
        bytes.resize(510, 0);
        bytes.extend([0x55, 0xaa]);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_gives_tables_that_cover_the_clusters() {
        for mib in (34..8193).step_by(7).chain([34, 260, 261, 8192]) {
            let geometry = Geometry::of_partition(mib * MIB).unwrap();
            assert!(geometry.table_sectors * ENTRIES_PER_SECTOR >= geometry.clusters + ROOT_CLUSTER, "{mib}");
            let end = geometry.cluster_sector(geometry.clusters + ROOT_CLUSTER);
            assert!(end <= u64::from(geometry.sectors), "{mib}");
        }
        assert_eq!(Geometry::of_partition(33 * MIB), None);
        assert_eq!(Geometry::of_partition(9 * GIB), None);
    }
}
