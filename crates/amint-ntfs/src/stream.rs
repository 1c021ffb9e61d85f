//! Content of an attribute, wherever and however it is kept.

use amint_fs::{FsError, OpenFile};
use amint_types::ReadAt;

use crate::attribute::{Attribute, Attributes, Body, Outside};
use crate::error::{damaged, unsupported};
use crate::lznt1;
use crate::runs::Run;

/// Largest unit of compression that is unpacked at once.
const UNIT_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Content that can be read.
pub(crate) struct Stream<'a> {
    source: &'a dyn ReadAt,
    cluster_bytes: u64,
    bytes: u64,
    content: Content,
}

enum Content {
    Memory(Vec<u8>),
    Plain { runs: Vec<Run>, initialized: u64 },
    Packed { runs: Vec<Run>, initialized: u64, unit: Unit },
}

/// Clusters that are compressed together, and the one of them that was unpacked last.
struct Unit {
    clusters: u64,
    index: Option<u64>,
    unpacked: Vec<u8>,
}

impl<'a> Stream<'a> {
    /// Opens an attribute.
    ///
    /// # Errors
    /// [`FsError::Encrypted`] and [`FsError::Unsupported`] for content that cannot be read.
    pub(crate) fn new(
        source: &'a dyn ReadAt,
        cluster_bytes: u64,
        attributes: &Attributes,
        attribute: &Attribute,
    ) -> Result<Self, FsError> {
        if attribute.is_encrypted() {
            return Err(FsError::Encrypted);
        }
        let content = match &attribute.body {
            Body::Resident(content) => Content::Memory(content.clone()),
            Body::Outside(outside) => {
                let runs = attributes.runs(attribute)?;
                let covered = runs.last().map_or(0, Run::end).checked_mul(cluster_bytes);
                if covered.is_none_or(|covered| covered < outside.bytes) {
                    return Err(damaged("a file is longer than its clusters"));
                }
                let is_compressed =
                    attribute.is_compressed().ok_or_else(|| unsupported("an unknown compression"))?;
                Self::outside(outside, runs, is_compressed, cluster_bytes)?
            }
        };
        Ok(Self { source, cluster_bytes, bytes: attribute.bytes(), content })
    }

    fn outside(
        outside: &Outside,
        runs: Vec<Run>,
        is_compressed: bool,
        cluster_bytes: u64,
    ) -> Result<Content, FsError> {
        let initialized = outside.initialized;
        if !is_compressed || outside.unit_bits == 0 {
            return Ok(Content::Plain { runs, initialized });
        }
        let clusters = 1_u64.checked_shl(outside.unit_bits.into());
        let unit_bytes = clusters.and_then(|clusters| clusters.checked_mul(cluster_bytes));
        let (Some(clusters), Some(_)) = (clusters, unit_bytes.filter(|bytes| *bytes <= UNIT_BYTES_MAX))
        else {
            return Err(damaged("a file is compressed in units that are too large"));
        };
        Ok(Content::Packed { runs, initialized, unit: Unit { clusters, index: None, unpacked: Vec::new() } })
    }

    /// Returns where the content begins on the disk, if it is there.
    pub(crate) fn position(runs: &[Run], cluster_bytes: u64) -> Option<u64> {
        runs.iter().find_map(|run| run.place)?.checked_mul(cluster_bytes)
    }

    /// Reads all of it, if it has at most `limit_bytes`.
    pub(crate) fn read_all(&mut self, limit_bytes: u64) -> Result<Vec<u8>, FsError> {
        if self.bytes > limit_bytes {
            return Err(crate::error::limit(format!("an attribute of more than {limit_bytes} bytes")));
        }
        let mut all = vec![0; usize::try_from(self.bytes).unwrap_or_default()];
        let count = self.read_at(0, &mut all)?;
        all.truncate(count);
        Ok(all)
    }
}

/// Reads a part of what lies in clusters; `buffer` must not reach beyond the runs.
fn read_plain(
    source: &dyn ReadAt,
    cluster_bytes: u64,
    runs: &[Run],
    mut offset: u64,
    mut buffer: &mut [u8],
) -> Result<(), FsError> {
    while !buffer.is_empty() {
        let cluster = offset / cluster_bytes;
        let next = runs.partition_point(|run| run.start <= cluster);
        let run = next.checked_sub(1).and_then(|index| runs.get(index)).filter(|run| cluster < run.end());
        let run = run.ok_or_else(|| damaged("a file is longer than its clusters"))?;
        // Both fit: the runs' end in bytes was checked.
        let inside = offset - run.start * cluster_bytes;
        let left = run.clusters * cluster_bytes - inside;
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let (now, later) = buffer.split_at_mut(count);
        match run.place {
            Some(place) => {
                let at = place.checked_mul(cluster_bytes).and_then(|at| at.checked_add(inside));
                source.read_exact_at(at.ok_or_else(|| damaged("a run leaves the disk"))?, now)?;
            }
            None => now.fill(0),
        }
        offset += count as u64;
        buffer = later;
    }
    Ok(())
}

impl Unit {
    /// Unpacks the unit with the number `index`.
    fn load(
        &mut self,
        source: &dyn ReadAt,
        cluster_bytes: u64,
        runs: &[Run],
        index: u64,
    ) -> Result<(), FsError> {
        if self.index == Some(index) {
            return Ok(());
        }
        self.index = None;
        let bytes = usize::try_from(self.clusters * cluster_bytes).unwrap_or_default();
        self.unpacked.resize(bytes, 0);
        let (first, end) = (index * self.clusters, (index + 1) * self.clusters);
        let from = runs.partition_point(|run| run.end() <= first);
        let inside = runs.iter().skip(from).take_while(|run| run.start < end);
        // Clusters come first, then the hole that compression saved.
        let (mut filled, mut has_hole) = (0, false);
        for run in inside {
            let count = run.end().min(end) - run.start.max(first);
            match run.place {
                Some(_) if has_hole => return Err(damaged("a compressed file has clusters behind a hole")),
                Some(_) => filled += count,
                None => has_hole = true,
            }
        }
        if filled == 0 {
            self.unpacked.fill(0);
        } else if filled == self.clusters {
            read_plain(source, cluster_bytes, runs, first * cluster_bytes, &mut self.unpacked)?;
        } else {
            let mut packed = vec![0; usize::try_from(filled * cluster_bytes).unwrap_or_default()];
            read_plain(source, cluster_bytes, runs, first * cluster_bytes, &mut packed)?;
            lznt1::unpack(&packed, &mut self.unpacked)
                .ok_or_else(|| damaged("compressed content makes no sense"))?;
        }
        self.index = Some(index);
        Ok(())
    }
}

impl OpenFile for Stream<'_> {
    fn size_bytes(&self) -> u64 {
        self.bytes
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<usize, FsError> {
        let left = usize::try_from(self.bytes.saturating_sub(offset)).unwrap_or(usize::MAX);
        let wanted = left.min(buffer.len());
        let (buffer, _) = buffer.split_at_mut(wanted);
        if wanted == 0 {
            return Ok(0);
        }
        let initialized = match &self.content {
            Content::Memory(_) => self.bytes,
            Content::Plain { initialized, .. } | Content::Packed { initialized, .. } => *initialized,
        };
        // What was never written reads as zeros, whatever lies in its clusters.
        let written = usize::try_from(initialized.saturating_sub(offset)).unwrap_or(usize::MAX).min(wanted);
        let (mut written, never) = buffer.split_at_mut(written);
        never.fill(0);
        match &mut self.content {
            Content::Memory(content) => {
                let start = usize::try_from(offset).unwrap_or(usize::MAX);
                let from = content.get(start..).and_then(|rest| rest.get(..written.len()));
                written.copy_from_slice(from.ok_or_else(|| damaged("a file is cut off"))?);
            }
            Content::Plain { runs, .. } => {
                read_plain(self.source, self.cluster_bytes, runs, offset, written)?;
            }
            Content::Packed { runs, unit, .. } => {
                let unit_bytes = unit.clusters * self.cluster_bytes;
                let mut offset = offset;
                while !written.is_empty() {
                    unit.load(self.source, self.cluster_bytes, runs, offset / unit_bytes)?;
                    let inside = usize::try_from(offset % unit_bytes).unwrap_or(usize::MAX);
                    let have = unit.unpacked.get(inside..).unwrap_or_default();
                    let count = have.len().min(written.len());
                    let (now, later) = written.split_at_mut(count);
                    now.copy_from_slice(have.get(..count).unwrap_or_default());
                    offset += count as u64;
                    written = later;
                }
            }
        }
        Ok(wanted)
    }
}
