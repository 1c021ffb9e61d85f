//! Content of a file.

use std::ops::Range;

use amint_fs::{FsError, OpenFile};
use amint_types::ReadAt;

/// An open file: the runs of its clusters.
pub(crate) struct FatFile<'a> {
    source: &'a dyn ReadAt,
    /// For each run where it begins in the file, and where on the disk.
    runs: Vec<(u64, Range<u64>)>,
    bytes: u64,
}

impl<'a> FatFile<'a> {
    /// Takes the runs of a file's chain, which must hold `bytes`.
    pub(crate) fn new(source: &'a dyn ReadAt, chain: Vec<Range<u64>>, bytes: u64) -> Self {
        let mut start = 0;
        let runs = chain
            .into_iter()
            .map(|run| {
                let begins = start;
                start += run.end - run.start;
                (begins, run)
            })
            .collect();
        Self { source, runs, bytes }
    }
}

impl OpenFile for FatFile<'_> {
    fn size_bytes(&self) -> u64 {
        self.bytes
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<usize, FsError> {
        let left = usize::try_from(self.bytes.saturating_sub(offset)).unwrap_or(usize::MAX);
        let wanted = left.min(buffer.len());
        let (mut rest, _) = buffer.split_at_mut(wanted);
        let mut offset = offset;
        while !rest.is_empty() {
            let next = self.runs.partition_point(|(begins, _)| *begins <= offset);
            let run = next.checked_sub(1).and_then(|index| self.runs.get(index));
            let Some((begins, run)) = run else { break };
            let at = run.start + (offset - begins);
            let count = usize::try_from(run.end.saturating_sub(at)).unwrap_or(usize::MAX).min(rest.len());
            if count == 0 {
                break;
            }
            let (now, later) = rest.split_at_mut(count);
            self.source.read_exact_at(at, now)?;
            offset += count as u64;
            rest = later;
        }
        Ok(wanted - rest.len())
    }
}
