//! Clusters that belong to nothing, by `$Bitmap`.

use std::ops::{ControlFlow, Range};

use amint_fs::{FsError, OpenFile};

use crate::attribute::DATA;
use crate::boot::Boot;
use crate::error::damaged;
use crate::stream::Stream;
use crate::table::Table;

/// The record of `$Bitmap`.
const BITMAP: u64 = 6;
/// Bytes of the bitmap that are read at once.
const STEP_BYTES: usize = 256 * 1024;

/// Visits the ranges of free clusters, in order, merged.
pub(crate) fn ranges(
    boot: &Boot,
    table: &Table,
    visit: &mut dyn FnMut(Range<u64>) -> ControlFlow<()>,
) -> Result<(), FsError> {
    let attributes = table.load(BITMAP)?.attributes;
    let bitmap = attributes.find(DATA, "").ok_or_else(|| damaged("the bitmap of clusters has no content"))?;
    let mut stream = Stream::new(table.chunks.source(), table.cluster_bytes, &attributes, bitmap)?;
    // A hole may stand for a bitmap of any size: only what the source has is worth a look.
    let count = boot.size_bytes.min(table.chunks.source().size_bytes()) / boot.cluster_bytes;
    if stream.size_bytes().saturating_mul(8) < count {
        return Err(damaged("the bitmap of clusters is too short"));
    }
    let mut cluster = 0;
    let mut free_from: Option<u64> = None;
    let mut step = vec![0; STEP_BYTES];
    while cluster < count {
        let read = stream.read_at(cluster / 8, &mut step)?;
        for bits in step.get(..read).unwrap_or_default() {
            // Most bytes are all free or all in use and go on as the one before.
            let is_uniform = (*bits == 0 && free_from.is_some()) || (*bits == 0xff && free_from.is_none());
            if is_uniform && cluster + 8 <= count {
                cluster += 8;
                continue;
            }
            for bit in 0..8 {
                if cluster >= count {
                    break;
                }
                let is_free = bits >> bit & 1 == 0;
                match free_from {
                    None if is_free => free_from = Some(cluster),
                    Some(first) if !is_free => {
                        free_from = None;
                        if visit(first * boot.cluster_bytes..cluster * boot.cluster_bytes).is_break() {
                            return Ok(());
                        }
                    }
                    _ => {}
                }
                cluster += 1;
            }
        }
    }
    if let Some(first) = free_from {
        let _ = visit(first * boot.cluster_bytes..count * boot.cluster_bytes);
    }
    Ok(())
}
