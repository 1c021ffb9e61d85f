//! The boot sector: where everything lies (specification, section "Boot Sector and BPB").

use amint_fs::FsError;
use amint_types::ReadAt;

use crate::bytes::{array, le_u16, le_u32};
use crate::codepage::decode;

/// What this file system is called in reports.
pub(crate) const KIND: &str = "vfat";
/// Bytes of the boot sector that are looked at.
const BOOT_BYTES: usize = 512;
/// Bytes of an entry of a folder.
pub(crate) const ENTRY_BYTES: u64 = 32;
/// Up to this many clusters, entries of the table have 12 bits.
const CLUSTERS_MAX_12: u32 = 4084;
/// The largest number of clusters: table entries of FAT32 have 28 bits, the last of which mark ends.
const CLUSTERS_MAX: u32 = 0x0fff_fff5;
/// What formatters write where no label is given.
const NO_LABEL: &str = "NO NAME";

/// How many bits an entry of the table has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    Twelve,
    Sixteen,
    ThirtyTwo,
}

/// Where the root folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Root {
    /// At a fixed place, in bytes.
    Fixed { start: u64, bytes: u64 },
    /// In clusters, the first of which is given.
    Cluster(u32),
}

/// What the boot sector says, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Boot {
    pub(crate) width: Width,
    pub(crate) cluster_bytes: u64,
    /// Where the table that is in use begins.
    pub(crate) table_start: u64,
    pub(crate) table_bytes: u64,
    pub(crate) root: Root,
    /// Where the first cluster, number 2, begins.
    pub(crate) data_start: u64,
    pub(crate) cluster_count: u32,
    pub(crate) size_bytes: u64,
    pub(crate) label: Option<String>,
    pub(crate) serial: Option<u32>,
    pub(crate) is_dirty: bool,
}

impl Boot {
    /// Reads and checks the boot sector.
    ///
    /// # Errors
    /// [`FsError::NotThis`] when its numbers make no FAT.
    pub(crate) fn read(source: &dyn ReadAt) -> Result<Self, FsError> {
        let mut sector = [0; BOOT_BYTES];
        if source.size_bytes() < BOOT_BYTES as u64 {
            return Err(FsError::NotThis(KIND));
        }
        source.read_exact_at(0, &mut sector)?;
        Self::parse(&sector).ok_or(FsError::NotThis(KIND))
    }

    fn parse(sector: &[u8; BOOT_BYTES]) -> Option<Self> {
        let [jump, ..] = *sector;
        let sector_bytes = u64::from(le_u16(sector, 11)?);
        let [cluster_sectors] = array(sector, 13)?;
        let reserved = u64::from(le_u16(sector, 14)?);
        let [copies] = array(sector, 16)?;
        let root_entries = u64::from(le_u16(sector, 17)?);
        let sectors = first_set(le_u16(sector, 19)?, le_u32(sector, 32)?);
        let [media] = array(sector, 21)?;
        let is_32 = le_u16(sector, 22)? == 0;
        let table_sectors = first_set(le_u16(sector, 22)?, le_u32(sector, 36)?);
        let is_right = matches!(jump, 0xeb | 0xe9)
            && matches!(sector_bytes, 512 | 1024 | 2048 | 4096)
            && cluster_sectors.is_power_of_two()
            && reserved > 0
            && copies > 0
            && (media == 0xf0 || media >= 0xf8)
            && table_sectors > 0
            && (is_32 || root_entries > 0);
        if !is_right {
            return None;
        }
        // All of these are products of numbers of at most 32 and 20 bits: they fit.
        let root_start = (reserved + u64::from(copies) * table_sectors) * sector_bytes;
        let root_bytes = (root_entries * ENTRY_BYTES).next_multiple_of(sector_bytes);
        let data_start = root_start + root_bytes;
        let cluster_bytes = u64::from(cluster_sectors) * sector_bytes;
        let size_bytes = sectors * sector_bytes;
        let by_size = size_bytes.checked_sub(data_start)? / cluster_bytes;
        let by_size = u32::try_from(by_size).ok()?;
        let width = match () {
            () if is_32 => Width::ThirtyTwo,
            () if by_size > CLUSTERS_MAX_12 => Width::Sixteen,
            () => Width::Twelve,
        };
        let table_bytes = table_sectors * sector_bytes;
        let entries = match width {
            Width::Twelve => table_bytes * 2 / 3,
            Width::Sixteen => table_bytes / 2,
            Width::ThirtyTwo => table_bytes / 4,
        };
        let by_table = u32::try_from(entries.saturating_sub(2)).unwrap_or(u32::MAX);
        let cluster_count = by_size.min(by_table).min(CLUSTERS_MAX);
        // Flags of FAT32: with bit 7 only one of the tables is kept up to date.
        let flags = if is_32 { le_u16(sector, 40)? } else { 0 };
        let table = if flags & 0x80 == 0 { 0 } else { u64::from(flags & 0xf) };
        let extended = if is_32 { 64 } else { 36 };
        let [state, signature] = array(sector, extended + 1)?;
        let has_serial = matches!(signature, 0x28 | 0x29);
        let label = decode(&array::<11>(sector, extended + 7)?).trim_end().to_owned();
        (cluster_count > 0 && table < u64::from(copies)).then_some(Self {
            width,
            cluster_bytes,
            table_start: (reserved + table * table_sectors) * sector_bytes,
            table_bytes,
            root: match width {
                Width::ThirtyTwo => Root::Cluster(le_u32(sector, 44)?),
                _ => Root::Fixed { start: root_start, bytes: root_bytes },
            },
            data_start,
            cluster_count,
            size_bytes,
            label: Some(label).filter(|label| signature == 0x29 && !label.is_empty() && label != NO_LABEL),
            serial: le_u32(sector, extended + 3).filter(|_| has_serial),
            is_dirty: state & 1 != 0,
        })
    }

    /// Returns where a cluster begins, if there is such a cluster.
    pub(crate) fn cluster_start(&self, cluster: u32) -> Option<u64> {
        let index = cluster.checked_sub(2).filter(|index| *index < self.cluster_count)?;
        Some(self.data_start + u64::from(index) * self.cluster_bytes)
    }
}

/// Returns the small field, or the large one where the small is zero.
fn first_set(small: u16, large: u32) -> u64 {
    if small == 0 { large.into() } else { small.into() }
}
