//! Chains of clusters as runs of bytes.

use std::ops::Range;

use amint_fs::FsError;

use crate::boot::{Boot, KIND};
use crate::table::{Next, next};
use amint_fs::Chunks;

/// Runs that one chain may have; more would be a disk in splinters made to eat memory.
const RUNS_MAX: usize = 1_000_000;

/// Follows a chain from `first` on, at most for `clusters_max` clusters, and returns its runs in its order.
///
/// # Errors
/// [`FsError::Damaged`] when the chain runs in a circle or into what is no cluster of a chain.
pub(crate) fn runs(
    boot: &Boot,
    chunks: &Chunks,
    first: u32,
    clusters_max: u64,
) -> Result<Vec<Range<u64>>, FsError> {
    let damaged = |what: String| FsError::Damaged { filesystem: KIND, what };
    let mut runs: Vec<Range<u64>> = Vec::new();
    let mut here = first;
    // Brent's search for circles: an older cluster to compare with, renewed after twice as many steps each time.
    let (mut older, mut steps, mut renew_after) = (first, 0_u64, 1_u64);
    for _ in 0..clusters_max {
        let start = boot
            .cluster_start(here)
            .ok_or_else(|| damaged(format!("a chain leads to cluster {here}, which does not exist")))?;
        if runs.len() > RUNS_MAX {
            let what = format!("a file in more than {RUNS_MAX} pieces");
            return Err(FsError::Limit { filesystem: KIND, what });
        }
        match runs.last_mut() {
            Some(last) if last.end == start => last.end += boot.cluster_bytes,
            _ => runs.push(start..start + boot.cluster_bytes),
        }
        match next(boot, chunks, here)? {
            Next::Cluster(cluster) => here = cluster,
            Next::End => break,
            Next::Free => {
                return Err(damaged(format!("a chain leads through cluster {here}, which is free")));
            }
            Next::Bad => return Err(damaged(format!("a chain leads to a bad cluster behind {here}"))),
        }
        if here == older {
            return Err(damaged(format!("a chain runs in a circle at cluster {here}")));
        }
        steps += 1;
        if steps == renew_after {
            (older, steps, renew_after) = (here, 0, renew_after.saturating_mul(2));
        }
    }
    Ok(runs)
}
