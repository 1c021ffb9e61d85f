//! Reading the content of a file.

use std::ops::{ControlFlow, Range};

use amint_fs::{FsError, OpenFile};

use crate::compression::unpack;
use crate::error::{damaged, over_limit};
use crate::extent::{Data, Extent, Packed};
use crate::item::Inode;
use crate::key::{Key, kind, object};
use crate::subvolume::{Root, Roots};
use crate::tree::Tree;
use crate::volume::Volume;

/// How many runs of a file are kept at once.
const RUNS_MAX: usize = 4096;
/// Bytes that are read at once: at least, where the file goes on, and at most.
const WINDOW_BYTES_MIN: u64 = 64 << 10;
const WINDOW_BYTES_MAX: u64 = 1 << 20;

/// An open file.
pub(crate) struct Content<'a> {
    volume: &'a Volume,
    tree: &'a Tree,
    /// The tree of checksums, where the file has any.
    sums: Option<&'a Tree>,
    inode: u64,
    bytes: u64,
    runs: Vec<Extent>,
    /// The part of the file that `runs` tell of.
    known: Range<u64>,
    /// The part of the file that is in `window`.
    window_range: Range<u64>,
    window: Vec<u8>,
}

impl<'a> Content<'a> {
    /// Opens a file by its inode.
    pub(crate) fn new(
        volume: &'a Volume,
        roots: &'a Roots,
        root: &'a Root,
        number: u64,
        inode: &Inode,
    ) -> Result<Self, FsError> {
        let sums = match &roots.checksums {
            _ if !inode.has_sums => None,
            Some(tree) => Some(tree),
            None => return Err(damaged("there is no tree of checksums")),
        };
        Ok(Self {
            volume,
            tree: &root.tree,
            sums,
            inode: number,
            bytes: inode.node.bytes,
            runs: Vec::new(),
            known: 0..0,
            window_range: 0..0,
            window: Vec::new(),
        })
    }

    /// Finds where the content begins on the device.
    pub(crate) fn position(&mut self) -> Result<Option<u64>, FsError> {
        self.load(0)?;
        for run in &self.runs {
            let logical = match run.data {
                Data::Plain(logical) => logical,
                Data::Packed(packed) => packed.logical,
                Data::Zeros | Data::Inline(_) => continue,
            };
            return self.volume.physical(logical).map(Some);
        }
        Ok(None)
    }

    /// Reads the runs from the one that covers `at` on.
    fn load(&mut self, at: u64) -> Result<(), FsError> {
        let key = Key::new(self.inode, kind::EXTENT_DATA, at);
        let from = self.tree.floor(self.volume, key)?.unwrap_or(key);
        let mut runs: Vec<Extent> = Vec::new();
        let mut is_cut = false;
        let superblock = self.volume.superblock();
        self.tree.walk(self.volume, from, Key::last(self.inode, kind::EXTENT_DATA), &mut |key, item| {
            let run = Extent::read(key.offset, item, superblock)?;
            if let Some(last) = runs.last_mut() {
                if last.end() > run.start {
                    return Err(damaged(format!("extents that overlap at {}", run.start)));
                }
                if last.joins(&run) {
                    return Ok(ControlFlow::Continue(()));
                }
                if runs.len() >= RUNS_MAX {
                    is_cut = true;
                    return Ok(ControlFlow::Break(()));
                }
            }
            runs.push(run);
            Ok(ControlFlow::Continue(()))
        })?;
        let end = if is_cut { runs.last().map_or(at, Extent::end) } else { u64::MAX };
        self.known = at.min(from.offset)..end;
        self.runs = runs;
        Ok(())
    }

    /// Returns the run that covers `at`, or the hole there.
    fn run(&mut self, at: u64) -> Result<Extent, FsError> {
        if !self.known.contains(&at) {
            self.load(at)?;
        }
        let index = self.runs.partition_point(|run| run.start <= at);
        if let Some(run) = index.checked_sub(1).and_then(|index| self.runs.get(index))
            && at < run.end()
        {
            return Ok(run.clone());
        }
        let end = self.runs.get(index).map_or(self.known.end, |run| run.start);
        Ok(Extent { start: at, bytes: end.saturating_sub(at), data: Data::Zeros })
    }

    /// Brings the data at `at` into the window, as far as `wanted` bytes and one run go.
    fn fill_window(&mut self, at: u64, wanted: u64, run: &Extent) -> Result<(), FsError> {
        // If reading fails, nothing of the old window may be taken for the new one.
        self.window_range = 0..0;
        match &run.data {
            Data::Packed(packed) => {
                self.window = self.unpack(packed)?;
                let start = run.start;
                let offset = packed.offset;
                let end = offset.saturating_add(usize::try_from(run.bytes).unwrap_or(usize::MAX));
                self.window.truncate(end);
                self.window.drain(..offset.min(self.window.len()));
                self.window_range = start..start.saturating_add(self.window.len() as u64);
            }
            Data::Plain(logical) => {
                let sector_bytes = u64::from(self.volume.superblock().sector_bytes);
                let skip = (at - run.start) / sector_bytes * sector_bytes;
                let wanted = (at - run.start - skip).saturating_add(wanted);
                let bytes = wanted
                    .next_multiple_of(sector_bytes)
                    .clamp(WINDOW_BYTES_MIN, WINDOW_BYTES_MAX)
                    .min((run.bytes - skip).next_multiple_of(sector_bytes));
                self.window.clear();
                self.window.resize(usize::try_from(bytes).unwrap_or(0), 0);
                let logical = logical.saturating_add(skip);
                let sums = self.sums(logical, bytes)?;
                self.volume.data(logical, &mut self.window, sums.as_deref())?;
                let start = run.start + skip;
                self.window_range = start..start + bytes.min(run.bytes - skip);
            }
            Data::Zeros | Data::Inline(_) => {}
        }
        Ok(())
    }

    fn unpack(&self, packed: &Packed) -> Result<Vec<u8>, FsError> {
        let mut stored = vec![0; packed.stored_bytes];
        let sums = self.sums(packed.logical, stored.len() as u64)?;
        self.volume.data(packed.logical, &mut stored, sums.as_deref())?;
        let sector_bytes = usize::try_from(self.volume.superblock().sector_bytes).unwrap_or(usize::MAX);
        unpack(packed.method, &stored, packed.unpacked_bytes, sector_bytes)
    }

    /// Returns the checksums of a range of addresses, one after another.
    fn sums(&self, logical: u64, bytes: u64) -> Result<Option<Vec<u8>>, FsError> {
        let Some(tree) = self.sums else { return Ok(None) };
        let sector_bytes = u64::from(self.volume.superblock().sector_bytes);
        let sum_bytes = self.volume.superblock().checksum.bytes() as u64;
        let end = logical.saturating_add(bytes);
        let key = Key::new(object::EXTENT_CHECKSUMS, kind::EXTENT_CSUM, logical);
        let from = tree.floor(self.volume, key)?.unwrap_or(key);
        let to = Key { offset: end.saturating_sub(1), ..key };
        let mut sums = Vec::new();
        let mut next = logical;
        tree.walk(self.volume, from, to, &mut |key, item| {
            let covered = (item.len() as u64 / sum_bytes).saturating_mul(sector_bytes);
            let item_end = key.offset.saturating_add(covered).min(end);
            // An item that ends before the range is the one before a gap.
            if item_end <= next {
                return Ok(ControlFlow::Continue(()));
            }
            let Some(skip) = next.checked_sub(key.offset) else { return Ok(ControlFlow::Break(())) };
            let place = |bytes: u64| usize::try_from(bytes / sector_bytes * sum_bytes).unwrap_or(usize::MAX);
            let range = place(skip)..place(item_end - key.offset);
            sums.extend_from_slice(item.get(range).unwrap_or_default());
            next = item_end;
            Ok(ControlFlow::Continue(()))
        })?;
        if next < end {
            return Err(damaged(format!("the data at {next} has no checksum")));
        }
        Ok(Some(sums))
    }

    /// Reads some bytes from one run.
    fn read_some(&mut self, at: u64, buffer: &mut [u8]) -> Result<usize, FsError> {
        if !self.window_range.contains(&at) {
            let run = self.run(at)?;
            if let Data::Zeros | Data::Inline(_) = run.data {
                let count = usize::try_from(run.end() - at).unwrap_or(usize::MAX).min(buffer.len());
                let target = buffer.get_mut(..count).unwrap_or_default();
                if let Data::Inline(data) = &run.data {
                    let start = usize::try_from(at - run.start).unwrap_or(usize::MAX);
                    target.copy_from_slice(data.get(start..start + count).unwrap_or_default());
                } else {
                    target.fill(0);
                }
                return Ok(count);
            }
            self.fill_window(at, buffer.len() as u64, &run)?;
        }
        let start = usize::try_from(at - self.window_range.start).unwrap_or(usize::MAX);
        let end = usize::try_from(self.window_range.end - self.window_range.start).unwrap_or(0);
        let found = self.window.get(start..end).unwrap_or_default();
        let count = found.len().min(buffer.len());
        buffer.iter_mut().zip(found).for_each(|(target, byte)| *target = *byte);
        Ok(count)
    }
}

impl OpenFile for Content<'_> {
    fn size_bytes(&self) -> u64 {
        self.bytes
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<usize, FsError> {
        let left = usize::try_from(self.bytes.saturating_sub(offset)).unwrap_or(usize::MAX);
        let wanted = left.min(buffer.len());
        let buffer = buffer.get_mut(..wanted).unwrap_or_default();
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match self.read_some(offset.saturating_add(done as u64), rest)? {
                0 => return Err(over_limit("an extent without content")),
                count => done += count,
            }
        }
        Ok(done)
    }
}
