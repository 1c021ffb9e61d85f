//! The block table: where the blocks of the disk are.

use std::io;
use std::sync::Arc;

use amint_types::ReadAt;

use super::FORMAT;
use super::metadata::Sizes;
use super::region::Region;
use crate::FormatError;
use crate::bytes::{Part, index, is_within, le_u64};
use crate::cache::SharedCache;
use crate::mapped::{self, Run, Stretch};

/// Sectors whose bitmap fills one bitmap block of 1 MiB.
const SECTORS_PER_BITMAP: u64 = 1 << 23;
const ENTRY_BYTES: u64 = 8;
/// Bytes of the table that are read at once.
const PAGE_BYTES: u64 = 64 << 10;
/// Bytes of the table that are kept: a table may be as large as 512 MiB.
const PAGES_BYTES_MAX: usize = 4 << 20;
/// States of a block.
const STATE_MASK: u64 = 7;
const STATE_NOT_PRESENT: u64 = 0;
const STATE_UNDEFINED: u64 = 1;
const STATE_ZERO: u64 = 2;
const STATE_UNMAPPED: u64 = 3;
const STATE_PRESENT: u64 = 6;
/// Bits of an entry that tell where the block is, in MiB.
const PLACE: u64 = !0 << 20;

/// A disk of blocks.
pub(super) struct Layout {
    file: Arc<dyn ReadAt>,
    sizes: Sizes,
    table: Region,
    /// Blocks after each of which an entry for their bitmap follows.
    chunk_blocks: u64,
    pages: SharedCache,
}

impl Layout {
    pub(super) fn new(file: Arc<dyn ReadAt>, table: Region, sizes: Sizes) -> Result<Self, FormatError> {
        // A power of two between 16 and 32768.
        let chunk_blocks = SECTORS_PER_BITMAP * sizes.sector / sizes.block;
        let blocks = sizes.disk.div_ceil(sizes.block);
        let entries = blocks + blocks.saturating_sub(1) / chunk_blocks;
        if table.bytes < entries * ENTRY_BYTES {
            return Err(FORMAT.damaged(format!(
                "the block table has {} bytes; a disk of {} bytes needs {}",
                table.bytes,
                sizes.disk,
                entries * ENTRY_BYTES
            )));
        }
        Ok(Self { file, sizes, table, chunk_blocks, pages: SharedCache::new(PAGES_BYTES_MAX) })
    }

    /// Returns the table's entry of a block.
    fn entry(&self, block: u64) -> io::Result<u64> {
        let at = (block + block / self.chunk_blocks) * ENTRY_BYTES;
        let page = at / PAGE_BYTES;
        let page_bytes = self.pages.get_or_read(page, || {
            let bytes = PAGE_BYTES.min(self.table.bytes.saturating_sub(page * PAGE_BYTES));
            let offset = self.table.offset + page * PAGE_BYTES;
            Ok(Part { format: FORMAT, what: "the block table", offset, bytes }.read(&*self.file)?)
        })?;
        le_u64(&page_bytes, index(at % PAGE_BYTES)).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// Returns where a block is; none when it is zero.
    fn place(&self, block: u64) -> io::Result<Option<u64>> {
        let entry = self.entry(block)?;
        let broken = |what: String| {
            let start = block * self.sizes.block;
            FORMAT.damaged(format!("the block of disk byte {start} {what}"))
        };
        match entry & STATE_MASK {
            // What an unmapped or undefined block has is anything; zeros are what all readers give.
            STATE_NOT_PRESENT | STATE_UNDEFINED | STATE_ZERO | STATE_UNMAPPED => Ok(None),
            STATE_PRESENT => {
                let place = entry & PLACE;
                let start = block * self.sizes.block;
                let bytes = self.sizes.block.min(self.sizes.disk.saturating_sub(start));
                if place == 0 || !is_within(&*self.file, place, bytes) {
                    let what = format!("is said to be at byte {place}, outside the file or over its header");
                    return Err(broken(what).into());
                }
                Ok(Some(place))
            }
            state => {
                Err(broken(format!("is in state {state}, which a disk without a parent cannot have")).into())
            }
        }
    }
}

impl mapped::Layout for Layout {
    fn disk_bytes(&self) -> u64 {
        self.sizes.disk
    }

    fn source(&self, number: usize) -> Option<&dyn ReadAt> {
        (number == 0).then_some(&*self.file)
    }

    fn locate(&self, offset: u64, _bytes_max: u64) -> io::Result<Stretch> {
        let inside = offset % self.sizes.block;
        let bytes = self.sizes.block - inside;
        let run = match self.place(offset / self.sizes.block)? {
            None => Run::Zero,
            Some(place) => Run::Stored { source: 0, offset: place + inside },
        };
        Ok(Stretch { run, bytes })
    }
}
