//! Reading bytes: metadata through a small cache, content directly, the journal's changes over both.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use amint_fs::FsError;
use amint_types::ReadAt;

use crate::fields::damaged;
use crate::overlay::Overlay;

/// Bytes of one piece of the cache: two chunks of 64 inodes of 512 bytes.
const PIECE_BYTES: u64 = 64 * 1024;
/// How many pieces are kept: 8 MiB.
const PIECES_MAX: usize = 128;

/// The disk below the file system.
pub(crate) struct Disk {
    source: Arc<dyn ReadAt>,
    overlay: Overlay,
    cache: Mutex<Cache>,
}

#[derive(Default)]
struct Cache {
    pieces: HashMap<u64, (u64, Arc<[u8]>)>,
    clock: u64,
}

impl Disk {
    pub(crate) fn new(source: Arc<dyn ReadAt>, overlay: Overlay) -> Self {
        Self { source, overlay, cache: Mutex::default() }
    }

    /// Reads content.
    pub(crate) fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<(), FsError> {
        self.overlay.read(&self.source, offset, buffer)
    }

    /// Reads metadata.
    pub(crate) fn metadata(&self, offset: u64, bytes: usize) -> Result<Vec<u8>, FsError> {
        let mut block = Vec::with_capacity(bytes);
        while block.len() < bytes {
            let place = offset
                .checked_add(block.len() as u64)
                .ok_or_else(|| damaged("a block lies beyond the end of the image"))?;
            let piece = self.piece(place / PIECE_BYTES)?;
            let within = usize::try_from(place % PIECE_BYTES).unwrap_or(usize::MAX);
            let left = bytes - block.len();
            let part = piece.get(within..).filter(|part| !part.is_empty());
            let part =
                part.ok_or_else(|| damaged(format!("byte {place} lies beyond the end of the image")))?;
            block.extend_from_slice(part.get(..left).unwrap_or(part));
        }
        Ok(block)
    }

    /// Tells whether the journal gave any byte of a range.
    pub(crate) fn is_replayed(&self, offset: u64, bytes: usize) -> bool {
        self.overlay.touches(offset, bytes)
    }

    /// Returns one piece: fewer bytes at the end of the image.
    fn piece(&self, number: u64) -> Result<Arc<[u8]>, FsError> {
        {
            let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
            cache.clock += 1;
            let clock = cache.clock;
            if let Some((used, piece)) = cache.pieces.get_mut(&number) {
                *used = clock;
                return Ok(Arc::clone(piece));
            }
        }
        // Read outside of the lock: other threads go on with what is there.
        let start = number.saturating_mul(PIECE_BYTES);
        let count = self.source.size_bytes().saturating_sub(start).min(PIECE_BYTES);
        let mut bytes = vec![0; usize::try_from(count).unwrap_or(0)];
        self.read(start, &mut bytes)?;
        let piece: Arc<[u8]> = bytes.into();
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.pieces.len() >= PIECES_MAX {
            let oldest = cache.pieces.iter().min_by_key(|(_, (used, _))| *used).map(|(number, _)| *number);
            oldest.and_then(|oldest| cache.pieces.remove(&oldest));
        }
        let clock = cache.clock;
        cache.pieces.insert(number, (clock, Arc::clone(&piece)));
        Ok(piece)
    }
}
