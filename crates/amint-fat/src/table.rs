//! The table of clusters: which follows which, and which are free.

use std::ops::{ControlFlow, Range};

use amint_fs::FsError;

use crate::boot::{Boot, KIND, Width};
use crate::bytes::{le_u16, le_u32};
use amint_fs::Chunks;
use amint_types::ReadAt;

/// Bytes of the table that are read at once for [`free_ranges`]; a multiple of what FAT12's entries need.
const SCAN_BYTES: u64 = 3 * 64 * 1024;

/// What the table says of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Free,
    Cluster(u32),
    End,
    Bad,
}

/// Returns the raw entry of a cluster.
fn raw(boot: &Boot, chunks: &Chunks, cluster: u32) -> Result<u32, FsError> {
    let (at, length) = match boot.width {
        Width::Twelve => (u64::from(cluster) * 3 / 2, 2),
        Width::Sixteen => (u64::from(cluster) * 2, 2),
        Width::ThirtyTwo => (u64::from(cluster) * 4, 4),
    };
    let mut buffer = [0; 4];
    let (wanted, _) = buffer.split_at_mut(length);
    chunks.read_exact_at(boot.table_start + at, wanted)?;
    Ok(decode(boot.width, &buffer, 0, cluster % 2 == 1).unwrap_or(0))
}

/// Decodes the entry that begins at `at`; of two entries of 12 bits `is_odd` tells the second.
fn decode(width: Width, bytes: &[u8], at: usize, is_odd: bool) -> Option<u32> {
    match width {
        Width::Twelve => {
            let pair = u32::from(le_u16(bytes, at)?);
            Some(if is_odd { pair >> 4 } else { pair & 0xfff })
        }
        Width::Sixteen => le_u16(bytes, at).map(u32::from),
        Width::ThirtyTwo => le_u32(bytes, at).map(|entry| entry & 0x0fff_ffff),
    }
}

/// Returns what follows a cluster.
pub(crate) fn next(boot: &Boot, chunks: &Chunks, cluster: u32) -> Result<Next, FsError> {
    let entry = raw(boot, chunks, cluster)?;
    let (bad, end) = match boot.width {
        Width::Twelve => (0xff7, 0xff8),
        Width::Sixteen => (0xfff7, 0xfff8),
        Width::ThirtyTwo => (0x0fff_fff7, 0x0fff_fff8),
    };
    Ok(match entry {
        0 => Next::Free,
        entry if entry >= end => Next::End,
        entry if entry == bad => Next::Bad,
        entry => Next::Cluster(entry),
    })
}

/// Tells whether the second entry, which stands for no cluster, has its mark of a clean shutdown.
pub(crate) fn is_clean(boot: &Boot, chunks: &Chunks) -> Result<bool, FsError> {
    let entry = raw(boot, chunks, 1)?;
    Ok(match boot.width {
        Width::Twelve => true,
        Width::Sixteen => entry & 0x8000 != 0,
        Width::ThirtyTwo => entry & 0x0800_0000 != 0,
    })
}

/// Visits the ranges of free clusters, in order, merged.
pub(crate) fn free_ranges(
    boot: &Boot,
    chunks: &Chunks,
    visit: &mut dyn FnMut(Range<u64>) -> ControlFlow<()>,
) -> Result<(), FsError> {
    let per_scan = match boot.width {
        Width::Twelve => SCAN_BYTES / 3 * 2,
        Width::Sixteen => SCAN_BYTES / 2,
        Width::ThirtyTwo => SCAN_BYTES / 4,
    };
    let mut pending: Option<Range<u64>> = None;
    let clusters = 2..u64::from(boot.cluster_count) + 2;
    let mut first = 0;
    while first < clusters.end {
        let at = first / per_scan * SCAN_BYTES;
        let length = boot.table_bytes.saturating_sub(at).min(SCAN_BYTES);
        let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
        chunks.source().read_exact_at(boot.table_start + at, &mut bytes)?;
        for index in 0..per_scan.min(clusters.end - first) {
            let cluster = first + index;
            let place = match boot.width {
                Width::Twelve => index * 3 / 2,
                Width::Sixteen => index * 2,
                Width::ThirtyTwo => index * 4,
            };
            let entry =
                usize::try_from(place).ok().and_then(|at| decode(boot.width, &bytes, at, index % 2 == 1));
            let is_free = entry.ok_or_else(damaged)? == 0 && cluster >= clusters.start;
            let start = boot.data_start + cluster.saturating_sub(2) * boot.cluster_bytes;
            match &mut pending {
                Some(range) if is_free && range.end == start => range.end += boot.cluster_bytes,
                _ if is_free => {
                    pending = Some(start..start + boot.cluster_bytes);
                }
                _ => {
                    if pending.take().is_some_and(|range| visit(range).is_break()) {
                        return Ok(());
                    }
                }
            }
        }
        first += per_scan;
    }
    if let Some(range) = pending {
        let _ = visit(range);
    }
    Ok(())
}

fn damaged() -> FsError {
    FsError::Damaged { filesystem: KIND, what: "the table of clusters is cut off".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{Width, decode};

    #[test]
    fn entries_of_twelve_bits_share_a_byte() {
        let bytes = [0xf8, 0x3f, 0x12];
        assert_eq!(decode(Width::Twelve, &bytes, 0, false), Some(0xff8));
        assert_eq!(decode(Width::Twelve, &bytes, 1, true), Some(0x123));
        assert_eq!(decode(Width::Twelve, &bytes, 2, false), None);
    }
}
