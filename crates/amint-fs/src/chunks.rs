//! Metadata in memory: the source in pieces of 64 KiB, the last used ones kept.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use amint_types::ReadAt;

/// Bytes of one piece.
const CHUNK_BYTES: u64 = 64 * 1024;
/// Pieces that are kept: 4 MiB.
const CHUNKS_MAX: usize = 64;

/// A source with a memory for metadata.
pub struct Chunks {
    source: Arc<dyn ReadAt>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    chunks: HashMap<u64, (u64, Arc<[u8]>)>,
    clock: u64,
}

impl Chunks {
    /// Takes a source.
    pub fn new(source: Arc<dyn ReadAt>) -> Self {
        Self { source, kept: Mutex::default() }
    }

    /// Returns the source, for content.
    pub fn source(&self) -> &dyn ReadAt {
        self.source.as_ref()
    }

    fn chunk(&self, index: u64) -> io::Result<Arc<[u8]>> {
        {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.clock += 1;
            let now = kept.clock;
            if let Some((used, chunk)) = kept.chunks.get_mut(&index) {
                *used = now;
                return Ok(Arc::clone(chunk));
            }
        }
        // Read without the lock: two threads may read the same piece, and none waits for another's disk.
        let start = index * CHUNK_BYTES;
        let bytes = self.source.size_bytes().saturating_sub(start).min(CHUNK_BYTES);
        let mut chunk = vec![0; usize::try_from(bytes).unwrap_or_default()];
        self.source.read_exact_at(start, &mut chunk)?;
        let chunk: Arc<[u8]> = chunk.into();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.chunks.len() >= CHUNKS_MAX {
            let oldest = kept.chunks.iter().min_by_key(|(_, (used, _))| *used).map(|(index, _)| *index);
            oldest.map(|index| kept.chunks.remove(&index));
        }
        let now = kept.clock;
        kept.chunks.insert(index, (now, Arc::clone(&chunk)));
        Ok(chunk)
    }
}

impl ReadAt for Chunks {
    fn size_bytes(&self) -> u64 {
        self.source.size_bytes()
    }

    fn read_exact_at(&self, mut offset: u64, mut buffer: &mut [u8]) -> io::Result<()> {
        while !buffer.is_empty() {
            let chunk = self.chunk(offset / CHUNK_BYTES)?;
            let inside = usize::try_from(offset % CHUNK_BYTES).unwrap_or(usize::MAX);
            let have =
                chunk.get(inside..).filter(|have| !have.is_empty()).ok_or(io::ErrorKind::UnexpectedEof)?;
            let count = have.len().min(buffer.len());
            let (now, later) = buffer.split_at_mut(count);
            now.copy_from_slice(have.get(..count).unwrap_or_default());
            offset = offset.checked_add(count as u64).ok_or(io::ErrorKind::UnexpectedEof)?;
            buffer = later;
        }
        Ok(())
    }
}
