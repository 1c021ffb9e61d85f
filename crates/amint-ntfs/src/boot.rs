//! The boot sector: where the master file table lies.

use amint_fs::FsError;
use amint_types::ReadAt;

use crate::bytes::{array, byte, le_u16, le_u64, slice};
use crate::error::KIND;

/// Bytes of the boot sector that are looked at.
const BOOT_BYTES: usize = 512;
/// Largest cluster: 2 MiB since Windows 10.
const CLUSTER_BYTES_MAX: u64 = 2 * 1024 * 1024;
/// Smallest and largest record.
const RECORD_BYTES: std::ops::RangeInclusive<u64> = 512..=64 * 1024;

/// What the boot sector says, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Boot {
    pub(crate) cluster_bytes: u64,
    pub(crate) size_bytes: u64,
    /// Where the table begins, in bytes.
    pub(crate) table_start: u64,
    pub(crate) record_bytes: usize,
    pub(crate) serial: u64,
}

impl Boot {
    /// Reads and checks the boot sector.
    ///
    /// # Errors
    /// [`FsError::NotThis`] when its numbers make no NTFS.
    pub(crate) fn read(source: &dyn ReadAt) -> Result<Self, FsError> {
        let mut sector = [0; BOOT_BYTES];
        if source.size_bytes() < BOOT_BYTES as u64 {
            return Err(FsError::NotThis(KIND));
        }
        source.read_exact_at(0, &mut sector)?;
        Self::parse(&sector).ok_or(FsError::NotThis(KIND))
    }

    fn parse(sector: &[u8]) -> Option<Self> {
        if slice(sector, 3, 8)? != b"NTFS    " {
            return None;
        }
        let sector_bytes = u64::from(le_u16(sector, 11)?);
        if !matches!(sector_bytes, 256 | 512 | 1024 | 2048 | 4096) {
            return None;
        }
        // Numbers above 128 are negative powers of two: 0xf4 stands for 4096 sectors.
        let cluster_sectors = match byte(sector, 13)? {
            count if count <= 0x80 => u64::from(count),
            negative => 1_u64.checked_shl(256 - u32::from(negative))?,
        };
        let cluster_bytes = cluster_sectors.checked_mul(sector_bytes)?;
        if !cluster_bytes.is_power_of_two() || !(512..=CLUSTER_BYTES_MAX).contains(&cluster_bytes) {
            return None;
        }
        let size_bytes = le_u64(sector, 40)?.checked_mul(sector_bytes)?;
        let table_start = le_u64(sector, 48)?.checked_mul(cluster_bytes)?;
        // Clusters, or as a negative number the power of two of bytes.
        let [record] = array(sector, 64).map(i8::from_le_bytes).map(|size| [size])?;
        let record_bytes = match u64::try_from(record) {
            Ok(clusters) => clusters.checked_mul(cluster_bytes)?,
            Err(_) => 1_u64.checked_shl(u32::from(record.unsigned_abs()))?,
        };
        let is_right = size_bytes > 0
            && table_start > 0
            && table_start < size_bytes
            && record_bytes.is_power_of_two()
            && RECORD_BYTES.contains(&record_bytes);
        is_right.then_some(Self {
            cluster_bytes,
            size_bytes,
            table_start,
            record_bytes: usize::try_from(record_bytes).ok()?,
            serial: le_u64(sector, 72)?,
        })
    }
}
