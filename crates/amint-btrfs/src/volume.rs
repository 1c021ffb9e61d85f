//! Reading by logical address: blocks of trees, and data with its checksums.

use std::sync::Arc;

use amint_fs::FsError;
use amint_types::ReadAt;

use crate::block::Block;
use crate::cache::Cache;
use crate::chunk::Chunks;
use crate::error::damaged;
use crate::key::{Key, kind, object};
use crate::superblock::{self, Superblock};
use crate::tree::{Pointer, Tree};

/// One device and the map of its addresses.
pub(crate) struct Volume {
    source: Arc<dyn ReadAt>,
    superblock: Superblock,
    chunks: Chunks,
    cache: Cache,
}

impl Volume {
    /// Reads the superblock and the tree of chunks.
    pub(crate) fn open(source: Arc<dyn ReadAt>) -> Result<Self, FsError> {
        let superblock = superblock::read(source.as_ref())?;
        let chunks = Chunks::from_superblock(&superblock.system_chunks, superblock.device_id)?;
        let node_bytes = usize::try_from(superblock.node_bytes).unwrap_or(usize::MAX);
        let mut volume = Self { source, chunks, cache: Cache::new(node_bytes), superblock };
        let mut chunks = volume.chunks.clone();
        let tree = Tree::new(volume.superblock.chunk_root);
        let all = (
            Key::first(object::FIRST_CHUNK_TREE, kind::CHUNK_ITEM),
            Key::last(object::FIRST_CHUNK_TREE, kind::CHUNK_ITEM),
        );
        tree.each(&volume, all.0, all.1, &mut |key, item| {
            chunks.add(key.offset, item, volume.superblock.device_id)
        })?;
        chunks.sort()?;
        volume.chunks = chunks;
        Ok(volume)
    }

    /// Returns what the superblock says.
    pub(crate) fn superblock(&self) -> &Superblock {
        &self.superblock
    }

    /// Returns the map of addresses.
    pub(crate) fn chunks(&self) -> &Chunks {
        &self.chunks
    }

    /// Returns where a logical address is on the device.
    pub(crate) fn physical(&self, logical: u64) -> Result<u64, FsError> {
        let run = self.chunks.find(logical)?;
        run.physical(0).ok_or_else(|| damaged(format!("the address {logical}, which has no copy")))
    }

    /// Reads a block of a tree from the first copy that is right.
    pub(crate) fn block(&self, pointer: Pointer) -> Result<Arc<Block>, FsError> {
        if let Some(block) = self.cache.get(pointer) {
            return Ok(block);
        }
        let run = self.chunks.find(pointer.logical)?;
        if run.bytes() < u64::from(self.superblock.node_bytes) {
            return Err(damaged(format!("a block at {} that leaves its chunk", pointer.logical)));
        }
        let mut first_error = None;
        for copy in 0..run.copy_count() {
            let found = self
                .read_copy(run.physical(copy), pointer)
                .and_then(|bytes| Block::check(bytes, pointer, &self.superblock));
            match found {
                Ok(block) => {
                    let block = Arc::new(block);
                    self.cache.put(pointer, Arc::clone(&block));
                    return Ok(block);
                }
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        Err(first_error.unwrap_or_else(|| damaged(format!("the address {}", pointer.logical))))
    }

    fn read_copy(&self, physical: Option<u64>, pointer: Pointer) -> Result<Vec<u8>, FsError> {
        let physical = physical.ok_or_else(|| damaged(format!("the address {}", pointer.logical)))?;
        let mut bytes = vec![0; usize::try_from(self.superblock.node_bytes).unwrap_or(0)];
        self.source.read_exact_at(physical, &mut bytes)?;
        Ok(bytes)
    }

    /// Fills `buffer` from a logical address on. With `sums`, one checksum for each sector, every sector is checked,
    /// and what is wrong in the first copy comes from another one.
    pub(crate) fn data(&self, logical: u64, buffer: &mut [u8], sums: Option<&[u8]>) -> Result<(), FsError> {
        let sector_bytes = usize::try_from(self.superblock.sector_bytes).unwrap_or(usize::MAX);
        let sum_bytes = self.superblock.checksum.bytes();
        let mut done = 0;
        while done < buffer.len() {
            let at = logical.checked_add(done as u64).ok_or_else(|| damaged("an address beyond all"))?;
            let run = self.chunks.find(at)?;
            let left = buffer.len() - done;
            let bytes = usize::try_from(run.bytes()).unwrap_or(usize::MAX).min(left);
            let piece = buffer.get_mut(done..done + bytes).unwrap_or_default();
            let first = run.physical(0).ok_or_else(|| damaged(format!("the address {at}")))?;
            let read = self.source.read_exact_at(first, piece);
            let is_last_copy = run.copy_count() == 1;
            if is_last_copy && let Err(error) = read {
                return Err(error.into());
            }
            let has_failed = read.is_err();
            for (number, sector) in piece.chunks_mut(sector_bytes).enumerate() {
                let sum_at = (done / sector_bytes + number) * sum_bytes;
                let sum = sums.map(|sums| sums.get(sum_at..).unwrap_or_default());
                let offset = (number * sector_bytes) as u64;
                let fits = sum.is_none_or(|sum| self.superblock.checksum.fits(sector, sum));
                if has_failed || !fits {
                    self.other_copy(at + offset, sector, sum)?;
                }
            }
            done += bytes;
        }
        Ok(())
    }

    /// Reads a sector from any copy but the first.
    fn other_copy(&self, logical: u64, sector: &mut [u8], sum: Option<&[u8]>) -> Result<(), FsError> {
        let run = self.chunks.find(logical)?;
        for copy in 1..run.copy_count() {
            let Some(physical) = run.physical(copy) else { continue };
            let is_read = self.source.read_exact_at(physical, sector).is_ok();
            if is_read && sum.is_none_or(|sum| self.superblock.checksum.fits(sector, sum)) {
                return Ok(());
            }
        }
        Err(damaged(format!("the checksum of the data at {logical} is wrong")))
    }
}
