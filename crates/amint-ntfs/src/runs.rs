//! Runs of clusters, and the packed form in which attributes keep them.

use amint_fs::FsError;

use crate::bytes::{byte, slice};
use crate::error::{damaged, limit};

/// Runs that one attribute may have.
const RUNS_MAX: usize = 1_000_000;

/// Clusters of an attribute that lie together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// The first one's number in the attribute.
    pub(crate) start: u64,
    pub(crate) clusters: u64,
    /// Where the first one lies; none for a hole.
    pub(crate) place: Option<u64>,
}

impl Run {
    /// Returns the number in the attribute of what follows.
    pub(crate) fn end(&self) -> u64 {
        self.start.saturating_add(self.clusters)
    }
}

/// Unpacks runs and adds them to those of the attribute's earlier parts; runs that lie together become one.
pub(crate) fn unpack(packed: &[u8], runs: &mut Vec<Run>) -> Result<(), FsError> {
    let wrong = || damaged("a list of runs makes no sense");
    let mut at = 0;
    let mut place = 0_i64;
    loop {
        let sizes = byte(packed, at).ok_or_else(wrong)?;
        if sizes == 0 {
            return Ok(());
        }
        let (length_bytes, place_bytes) = (usize::from(sizes & 0xf), usize::from(sizes >> 4));
        let length = slice(packed, at + 1, length_bytes).and_then(signed).ok_or_else(wrong)?;
        let clusters = u64::try_from(length).ok().filter(|clusters| *clusters > 0).ok_or_else(wrong)?;
        at += 1 + length_bytes;
        let target = if place_bytes == 0 {
            None
        } else {
            let step = slice(packed, at, place_bytes).and_then(signed).ok_or_else(wrong)?;
            place = place.checked_add(step).ok_or_else(wrong)?;
            Some(u64::try_from(place).map_err(|_| wrong())?)
        };
        at += place_bytes;
        add(runs, clusters, target).ok_or_else(wrong)?;
        if runs.len() > RUNS_MAX {
            return Err(limit(format!("a file in more than {RUNS_MAX} pieces")));
        }
    }
}

fn add(runs: &mut Vec<Run>, clusters: u64, place: Option<u64>) -> Option<()> {
    let start = runs.last().map_or(0, Run::end);
    start.checked_add(clusters).filter(|end| *end <= i64::MAX.unsigned_abs())?;
    match runs.last_mut() {
        Some(last) if follows(last, place) => last.clusters += clusters,
        _ => runs.push(Run { start, clusters, place }),
    }
    Some(())
}

/// Tells whether clusters at `place` lie directly behind a run.
fn follows(run: &Run, place: Option<u64>) -> bool {
    match (run.place, place) {
        (None, None) => true,
        (Some(before), Some(place)) => before.checked_add(run.clusters) == Some(place),
        _ => false,
    }
}

/// Reads a little-endian number of up to eight bytes with a sign.
fn signed(bytes: &[u8]) -> Option<i64> {
    let last = *bytes.last()?;
    let mut whole = if last & 0x80 == 0 { [0; 8] } else { [0xff; 8] };
    whole.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(i64::from_le_bytes(whole))
}

#[cfg(test)]
mod tests {
    use super::{Run, unpack};

    #[test]
    fn runs_step_forwards_and_backwards_and_may_be_holes() {
        let packed = [0x21, 0x10, 0x00, 0x01, 0x01, 0x05, 0x11, 0x08, 0xf0, 0x11, 0x02, 0x08, 0];
        let mut runs = Vec::new();
        unpack(&packed, &mut runs).unwrap();
        let run = |start, clusters, place| Run { start, clusters, place };
        assert_eq!(runs, [run(0, 16, Some(256)), run(16, 5, None), run(21, 10, Some(240))]);
        assert!(unpack(&packed[..5], &mut Vec::new()).is_err());
        assert!(unpack(&[0x11, 0x01, 0x80, 0], &mut Vec::new()).is_err(), "before the disk");
        assert!(unpack(&[0x10, 0x01, 0], &mut Vec::new()).is_err(), "no length");
        assert!(unpack(&[0x01, 0xff, 0], &mut Vec::new()).is_err(), "negative length");
    }
}
