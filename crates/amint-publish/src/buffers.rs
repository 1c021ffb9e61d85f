//! Memory for blocks on their way, bounded whatever is sent to how many regions at once.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use amint_types::BLOCK_BYTES;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many blocks are in memory at most: 64 MiB.
const BLOCKS_MAX: usize = 128;
/// How many blocks are read from disk and verified at once: more would only wait for processors.
const READERS_MAX: usize = 4;

/// Memory for blocks. A buffer goes back when nobody needs its bytes any more: not the request, and not its repetition.
#[derive(Clone)]
pub struct Buffers(Arc<Home>);

struct Home {
    room: Arc<Semaphore>,
    readers: Semaphore,
    free: Mutex<Vec<Box<[u8]>>>,
}

impl Default for Buffers {
    fn default() -> Self {
        Self(Arc::new(Home {
            room: Arc::new(Semaphore::new(BLOCKS_MAX)),
            readers: Semaphore::new(READERS_MAX),
            free: Mutex::default(),
        }))
    }
}

impl fmt::Debug for Buffers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Buffers").field("left", &self.0.room.available_permits()).finish()
    }
}

/// A block's bytes.
pub(crate) struct Buffer {
    bytes: Box<[u8]>,
    home: Arc<Home>,
    _permit: OwnedSemaphorePermit,
}

impl Buffers {
    /// Waits for room, and returns a block of zeros.
    pub(crate) async fn take(&self) -> Option<Buffer> {
        // Nobody closes it.
        let permit = Arc::clone(&self.0.room).acquire_owned().await.ok()?;
        let free = self.0.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let bytes = match free {
            Some(mut bytes) => {
                bytes.fill(0);
                bytes
            }
            None => vec![0; usize::try_from(BLOCK_BYTES).unwrap_or(usize::MAX)].into_boxed_slice(),
        };
        Some(Buffer { bytes, home: Arc::clone(&self.0), _permit: permit })
    }

    /// Waits until few enough are reading.
    pub(crate) async fn reader(&self) -> Option<tokio::sync::SemaphorePermit<'_>> {
        self.0.readers.acquire().await.ok()
    }
}

impl Buffer {
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        self.home.free.lock().unwrap_or_else(PoisonError::into_inner).push(bytes);
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn there_are_so_many_and_no_more_until_the_last_copy_is_gone() {
        let buffers = Buffers::default();
        let mut first = buffers.take().await.unwrap();
        first.bytes_mut()[7] = 7;
        let first = Bytes::from_owner(first);
        let copy = first.clone();
        let mut rest = Vec::new();
        for _ in 1..BLOCKS_MAX {
            rest.push(buffers.take().await.unwrap());
        }
        drop(first);
        // Whoever takes 128 things at a stretch has to let others on first.
        tokio::task::yield_now().await;
        assert!(buffers.take().now_or_never().is_none(), "a copy still needs it");
        assert_eq!(copy[7], 7);
        drop(copy);
        tokio::task::yield_now().await;
        let again = buffers.take().now_or_never().unwrap().unwrap();
        assert!(again.as_ref().iter().all(|byte| *byte == 0), "nothing of before is left in it");
    }
}
