//! The blocks of a file system, as they are once its journal is written back.

use std::collections::BTreeMap;
use std::ops::{Deref, Range};
use std::sync::Arc;

use amint_fs::FsError;
use amint_types::ReadAt;

use crate::bytes::index;
use crate::cache::Cache;
use crate::error::damaged;
use crate::superblock::{SUPERBLOCK_BYTES, SUPERBLOCK_OFFSET, Superblock};

/// Bytes of metadata that are read at once; larger blocks are read one by one.
const PIECE_BYTES: u64 = 32 * 1024;
/// What the first bytes of a logged block were that begins like the journal's own blocks.
const JOURNAL_MAGIC: [u8; 4] = [0xC0, 0x3B, 0x39, 0x98];

/// Where the journal holds the newest form of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Logged {
    /// The block of the device that holds it.
    pub(crate) block: u64,
    /// Whether its first four bytes were replaced because they look like the journal's own.
    pub(crate) is_escaped: bool,
}

/// The blocks that the journal replaces, by their numbers.
pub(crate) type Overlay = BTreeMap<u64, Logged>;

/// Bytes of metadata, shared with the cache.
#[derive(Clone, Debug)]
pub(crate) struct Bytes {
    piece: Arc<[u8]>,
    range: Range<usize>,
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.piece.get(self.range.clone()).unwrap_or_default()
    }
}

/// A file system's blocks.
pub(crate) struct Volume {
    source: Arc<dyn ReadAt>,
    overlay: Overlay,
    cache: Cache,
    piece_bytes: u64,
    pub(crate) superblock: Superblock,
}

impl Volume {
    /// Reads the superblock, without any journal.
    pub(crate) fn open(source: Arc<dyn ReadAt>) -> Result<Self, FsError> {
        let mut bytes = [0; SUPERBLOCK_BYTES];
        source.read_exact_at(SUPERBLOCK_OFFSET, &mut bytes)?;
        Self::new(source, Superblock::parse(&bytes)?, Overlay::new())
    }

    /// Reads the same file system once more, with what the journal replaces.
    pub(crate) fn with_overlay(&self, overlay: Overlay) -> Result<Self, FsError> {
        let source = Arc::clone(&self.source);
        let with_old_superblock = Self::new(Arc::clone(&source), self.superblock.clone(), overlay)?;
        let mut bytes = [0; SUPERBLOCK_BYTES];
        with_old_superblock.read(SUPERBLOCK_OFFSET, &mut bytes)?;
        let superblock = Superblock::parse(&bytes)?;
        if superblock.block_bytes != self.superblock.block_bytes {
            return Err(damaged("the journal changes the size of blocks"));
        }
        Self::new(source, superblock, with_old_superblock.overlay)
    }

    fn new(source: Arc<dyn ReadAt>, superblock: Superblock, overlay: Overlay) -> Result<Self, FsError> {
        let piece_bytes = PIECE_BYTES.max(superblock.block_bytes);
        let cache = Cache::new(index(piece_bytes)?);
        Ok(Self { source, overlay, cache, piece_bytes, superblock })
    }

    /// Returns the size of the source in bytes.
    pub(crate) fn source_bytes(&self) -> u64 {
        self.source.size_bytes()
    }

    /// Tells whether bytes are known to be zero without reading them.
    pub(crate) fn is_known_zero(&self, offset: u64, bytes: u64) -> bool {
        self.overlay.is_empty() && self.source.is_known_zero(offset, bytes)
    }

    /// Fills `buffer` from `offset` on, straight from the source and the journal.
    pub(crate) fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<(), FsError> {
        self.source.read_exact_at(offset, buffer)?;
        let end = offset.saturating_add(buffer.len() as u64);
        let block_bytes = self.superblock.block_bytes;
        if self.overlay.is_empty() {
            return Ok(());
        }
        for (block, logged) in self.overlay.range(offset / block_bytes..end.div_ceil(block_bytes)) {
            let start = block * block_bytes;
            let (from, to) = (start.max(offset), (start + block_bytes).min(end));
            let Some(target) = buffer.get_mut(index(from - offset)?..index(to - offset)?) else { continue };
            self.source.read_exact_at(logged.block * block_bytes + (from - start), target)?;
            if logged.is_escaped {
                let skipped = index(from - start)?;
                for (target, byte) in target.iter_mut().zip(JOURNAL_MAGIC.iter().skip(skipped)) {
                    *target = *byte;
                }
            }
        }
        Ok(())
    }

    /// Returns one block of metadata.
    pub(crate) fn block(&self, number: u64) -> Result<Bytes, FsError> {
        self.superblock.check_blocks(number, 1)?;
        self.metadata(number * self.superblock.block_bytes, self.superblock.block_bytes)
    }

    /// Returns bytes of metadata that lie within one block.
    pub(crate) fn metadata(&self, offset: u64, bytes: u64) -> Result<Bytes, FsError> {
        let number = offset / self.piece_bytes;
        let piece = match self.cache.get(number) {
            Some(piece) => piece,
            None => self.piece(number)?,
        };
        let start = index(offset % self.piece_bytes)?;
        let range = start..start.saturating_add(index(bytes)?);
        if range.end > piece.len() {
            return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
        }
        Ok(Bytes { piece, range })
    }

    /// Reads a piece and keeps it.
    fn piece(&self, number: u64) -> Result<Arc<[u8]>, FsError> {
        let offset = number.saturating_mul(self.piece_bytes);
        let bytes = self.source.size_bytes().saturating_sub(offset).min(self.piece_bytes);
        let mut piece = vec![0; index(bytes)?];
        self.read(offset, &mut piece)?;
        let piece: Arc<[u8]> = piece.into();
        self.cache.put(number, Arc::clone(&piece));
        Ok(piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escaped_block_gets_its_first_bytes_back() {
        let mut image = vec![0_u8; 64 << 10];
        image[20 * 1024..21 * 1024].fill(7);
        image[20 * 1024..20 * 1024 + 4].fill(0);
        let superblock = crate::superblock::tests::of_blocks(64);
        let overlay = Overlay::from([(30, Logged { block: 20, is_escaped: true })]);
        let volume = Volume::new(Arc::new(image), superblock, overlay).unwrap();
        let mut bytes = [9; 8];
        volume.read(30 * 1024 - 2, &mut bytes).unwrap();
        assert_eq!(bytes, [0, 0, 0xC0, 0x3B, 0x39, 0x98, 7, 7]);
        volume.read(30 * 1024 + 3, &mut bytes).unwrap();
        assert_eq!(bytes, [0x98, 7, 7, 7, 7, 7, 7, 7]);
        volume.read(31 * 1024 - 4, &mut bytes).unwrap();
        assert_eq!(bytes, [7, 7, 7, 7, 0, 0, 0, 0]);
    }
}
