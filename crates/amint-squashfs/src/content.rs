//! Reading the content of a file: blocks of one size, holes, and a tail that may be in a fragment.

use std::ops::Range;
use std::sync::Arc;

use amint_fs::{FsError, OpenFile};

use crate::error::{damaged, over_limit};
use crate::image::{Image, Stored};
use crate::inode::Layout;
use crate::metadata::Reader;

/// How many blocks one file may have: 512 GiB of the usual 128 KiB.
const BLOCKS_MAX: u64 = 1 << 22;
/// Lengths of blocks that are read at once.
const LENGTHS_AT_ONCE: u64 = 1024;
/// Bytes that are read at once where a file is read from start to end.
const AHEAD_BYTES: u64 = 512 << 10;

/// An open file.
pub(crate) struct Content<'a> {
    image: &'a Image,
    bytes: u64,
    blocks: Vec<Stored>,
    /// The fragment that holds the tail, and where in it.
    fragment: Option<(u32, u32)>,
    /// The block that was unpacked last; the tail counts as a block.
    current: Option<(u64, Unpacked)>,
    /// What was read ahead, and where that is stored.
    ahead: Vec<u8>,
    ahead_range: Range<u64>,
}

/// A block as the file shows it.
enum Unpacked {
    Hole,
    Block(Vec<u8>),
    Tail(Arc<Vec<u8>>, usize),
}

impl<'a> Content<'a> {
    /// Opens a file; `lengths` is what follows its inode.
    pub(crate) fn new(
        image: &'a Image,
        bytes: u64,
        layout: Layout,
        mut lengths: Reader<'_>,
    ) -> Result<Self, FsError> {
        let block_bytes = u64::from(image.superblock().block_bytes);
        let count = if layout.fragment.is_some() { bytes / block_bytes } else { bytes.div_ceil(block_bytes) };
        if count > BLOCKS_MAX {
            return Err(over_limit(format!("a file of {count} blocks, over {BLOCKS_MAX}")));
        }
        let mut blocks = Vec::new();
        let mut place = layout.start;
        let mut left = count;
        // In parts, so that memory grows only with what is really there.
        while left > 0 {
            let part = left.min(LENGTHS_AT_ONCE);
            left -= part;
            for length in lengths.vec(usize::try_from(part * 4).unwrap_or(0))?.chunks_exact(4) {
                let size = u32::from_le_bytes(length.try_into().unwrap_or_default());
                let stored = Stored { place, size };
                image.stored_bytes(stored)?;
                place = place
                    .checked_add(u64::from(stored.bytes()))
                    .ok_or_else(|| damaged("a block beyond all"))?;
                blocks.push(stored);
            }
        }
        Ok(Self {
            image,
            bytes,
            blocks,
            fragment: layout.fragment,
            current: None,
            ahead: Vec::new(),
            ahead_range: 0..0,
        })
    }

    /// Brings a block into `current`.
    fn load(&mut self, index: u64) -> Result<(), FsError> {
        if self.current.as_ref().is_some_and(|(current, _)| *current == index) {
            return Ok(());
        }
        let block = usize::try_from(index).ok().and_then(|index| self.blocks.get(index)).copied();
        let unpacked = match (block, self.fragment) {
            (Some(stored), _) if stored.bytes() == 0 => Unpacked::Hole,
            (Some(stored), _) => Unpacked::Block(self.unpack(stored)?),
            (None, Some((fragment, offset))) => {
                Unpacked::Tail(self.image.fragment(fragment)?, usize::try_from(offset).unwrap_or(usize::MAX))
            }
            (None, None) => return Err(damaged("a file that is longer than its blocks")),
        };
        self.current = Some((index, unpacked));
        Ok(())
    }

    fn unpack(&mut self, stored: Stored) -> Result<Vec<u8>, FsError> {
        let bytes = self.image.stored_bytes(stored)?;
        let wanted = stored.place..stored.place.saturating_add(bytes as u64);
        if wanted.start < self.ahead_range.start || wanted.end > self.ahead_range.end {
            let file_end =
                self.blocks.last().map_or(wanted.end, |last| last.place.saturating_add(last.bytes().into()));
            // Whoever reads only the start of a file shall not wait for the rest.
            let goes_on = self.ahead_range.contains(&wanted.start) || wanted.start == self.ahead_range.end;
            let ahead = if goes_on { AHEAD_BYTES } else { 0 };
            let end = wanted.start.saturating_add(ahead).min(file_end).max(wanted.end);
            self.ahead_range = 0..0;
            self.ahead.clear();
            self.ahead.resize(usize::try_from(end - wanted.start).unwrap_or(usize::MAX), 0);
            self.image.read(wanted.start, &mut self.ahead)?;
            self.ahead_range = wanted.start..end;
        }
        let start = usize::try_from(wanted.start - self.ahead_range.start).unwrap_or(usize::MAX);
        let stored_bytes = self.ahead.get(start..start.saturating_add(bytes)).unwrap_or_default();
        self.image.unpack(stored, stored_bytes)
    }

    /// Reads some bytes from one block.
    fn read_some(&mut self, at: u64, buffer: &mut [u8]) -> Result<usize, FsError> {
        let block_bytes = u64::from(self.image.superblock().block_bytes);
        let index = at / block_bytes;
        self.load(index)?;
        let small = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        let offset = small(at % block_bytes);
        // How much of the file is in this block.
        let shown = small((self.bytes - index * block_bytes).min(block_bytes));
        let count = buffer.len().min(shown - offset);
        let target = buffer.get_mut(..count).unwrap_or_default();
        let (content, start): (&[u8], usize) = match &self.current {
            Some((_, Unpacked::Block(block))) => (block, offset),
            Some((_, Unpacked::Tail(fragment, start))) => (fragment, start.saturating_add(offset)),
            Some((_, Unpacked::Hole)) | None => {
                target.fill(0);
                return Ok(count);
            }
        };
        let found = content.get(start..start.saturating_add(count));
        target.copy_from_slice(
            found.ok_or_else(|| damaged(format!("a block that is shorter than the file at {at}")))?,
        );
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
            done += self.read_some(offset.saturating_add(done as u64), rest)?;
        }
        Ok(done)
    }
}
