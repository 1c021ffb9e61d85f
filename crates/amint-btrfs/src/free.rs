//! Space of the device that belongs to nothing.

use std::ops::{ControlFlow, Range};

use amint_fs::FsError;

use crate::error::{damaged, unsupported};
use crate::key::{Key, kind};
use crate::subvolume::Roots;
use crate::superblock::{PLACES, SUPERBLOCK_BYTES};
use crate::volume::Volume;

/// The start of the device, where no chunk may be: boot loaders live there.
const RESERVED_BYTES: u64 = 1 << 20;

/// Takes ranges in order, leaves out the mirrors of the superblock, and merges.
struct Merger<'a> {
    visit: &'a mut dyn FnMut(Range<u64>) -> ControlFlow<()>,
    pending: Range<u64>,
    end: u64,
}

impl Merger<'_> {
    fn add(&mut self, range: Range<u64>) -> ControlFlow<()> {
        let mut start = range.start.max(RESERVED_BYTES);
        let end = range.end.min(self.end);
        for place in PLACES {
            let mirror = place..place + SUPERBLOCK_BYTES as u64;
            if mirror.end <= start || mirror.start >= end {
                continue;
            }
            self.add_whole(start..mirror.start)?;
            start = mirror.end;
        }
        self.add_whole(start..end)
    }

    fn add_whole(&mut self, range: Range<u64>) -> ControlFlow<()> {
        if range.is_empty() {
            return ControlFlow::Continue(());
        }
        if self.pending.end == range.start {
            self.pending.end = range.end;
            return ControlFlow::Continue(());
        }
        let done = std::mem::replace(&mut self.pending, range);
        if done.is_empty() { ControlFlow::Continue(()) } else { (self.visit)(done) }
    }
}

/// Visits the ranges that are in no chunk, or in a chunk and in no extent.
pub(crate) fn visit(
    volume: &Volume,
    roots: &Roots,
    logged: &[Range<u64>],
    visit: &mut dyn FnMut(Range<u64>) -> ControlFlow<()>,
) -> Result<(), FsError> {
    if !volume.superblock().knows_extents {
        return Err(unsupported("a read-only compatible feature that may change the tree of extents"));
    }
    let end = volume.superblock().device_bytes;
    let mut merger = Merger { visit, pending: 0..0, end };
    let mut next = 0;
    for (physical, chunk) in volume.chunks().by_place() {
        if physical < next {
            return Err(damaged(format!("chunks that overlap on the device at {physical}")));
        }
        if merger.add(next..physical).is_break() {
            return Ok(());
        }
        next = physical.saturating_add(chunk.bytes);
        let range = chunk.logical..chunk.logical.saturating_add(chunk.bytes);
        let mut stop = false;
        unused(volume, roots, logged, range, &mut |unused| {
            let start = physical.saturating_add(unused.start - chunk.logical);
            let flow = merger.add(start..start.saturating_add(unused.end - unused.start));
            stop |= flow.is_break();
            flow
        })?;
        if stop {
            return Ok(());
        }
    }
    if merger.add(next..end.max(next)).is_continue() {
        let last = merger.pending.clone();
        if !last.is_empty() {
            let _ = (merger.visit)(last);
        }
    }
    Ok(())
}

/// Visits the addresses of a chunk that no extent uses.
fn unused(
    volume: &Volume,
    roots: &Roots,
    logged: &[Range<u64>],
    range: Range<u64>,
    visit: &mut dyn FnMut(Range<u64>) -> ControlFlow<()>,
) -> Result<(), FsError> {
    let tree = roots.extents.as_ref().ok_or_else(|| damaged("there is no tree of extents"))?;
    let node_bytes = u64::from(volume.superblock().node_bytes);
    let first_logged = logged.partition_point(|used| used.end <= range.start);
    let mut logged = logged
        .get(first_logged..)
        .unwrap_or_default()
        .iter()
        .filter(|used| used.start < range.end)
        .peekable();
    let mut next = range.start;
    let mut flow = ControlFlow::Continue(());
    let mut use_range = |used: Range<u64>, visit: &mut dyn FnMut(Range<u64>) -> ControlFlow<()>| {
        let flow = if used.start > next { visit(next..used.start) } else { ControlFlow::Continue(()) };
        next = next.max(used.end);
        flow
    };
    let to = Key::new(range.end.saturating_sub(1), u8::MAX, u64::MAX);
    tree.walk(volume, Key::new(range.start, 0, 0), to, &mut |key, _| {
        let bytes = match key.kind {
            kind::EXTENT_ITEM => key.offset,
            kind::METADATA_ITEM => node_bytes,
            _ => return Ok(ControlFlow::Continue(())),
        };
        while let Some(used) = logged.next_if(|used| used.start <= key.object) {
            flow = use_range(used.clone(), visit);
            if flow.is_break() {
                return Ok(flow);
            }
        }
        flow = use_range(key.object..key.object.saturating_add(bytes), visit);
        Ok(flow)
    })?;
    for used in logged {
        if flow.is_continue() {
            flow = use_range(used.clone(), visit);
        }
    }
    if flow.is_continue() {
        let _ = use_range(range.end..range.end, visit);
    }
    Ok(())
}
