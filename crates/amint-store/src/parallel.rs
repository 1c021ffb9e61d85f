//! Runs over blocks on all processors, with one buffer per thread.

use std::num::NonZero;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use amint_types::{BLOCK_BYTES, BlockSource, Cancel, Digest};

use crate::error::StoreError;
use crate::manifest::bytes_of;

/// More threads than this wait for the disk rather than compute.
const THREADS_MAX: usize = 8;

/// What is done for each number, with a buffer that holds a block.
type Work<'a, T> = dyn Fn(u64, &mut [u8]) -> Result<Option<T>, StoreError> + Sync + 'a;

/// Does `work` for each number below `count`, in no order, and returns what it gave; the first error stops all.
///
/// Each thread takes the next number when it is done with one, so a slow block holds up no other, and memory is
/// bounded by one buffer per thread.
pub(crate) fn for_each<T: Send>(
    count: u64,
    cancel: &Cancel,
    work: &Work<'_, T>,
) -> Result<Vec<(u64, T)>, StoreError> {
    let next = AtomicU64::new(0);
    let has_failed = AtomicBool::new(false);
    let run = || {
        let mut results = Vec::new();
        let mut buffer = vec![0; usize::try_from(BLOCK_BYTES).expect("a block fits into memory")];
        while !has_failed.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                break;
            }
            match cancel.check().map_err(StoreError::from).and_then(|()| work(index, &mut buffer)) {
                Ok(result) => results.extend(result.map(|result| (index, result))),
                Err(error) => {
                    has_failed.store(true, Ordering::Relaxed);
                    return Err(error);
                }
            }
        }
        Ok(results)
    };
    let threads = thread::available_parallelism().map_or(2, NonZero::get).clamp(2, THREADS_MAX);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        let mut all = Vec::new();
        let mut first_error = None;
        for worker in workers {
            match worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)) {
                Ok(results) => all.extend(results),
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        first_error.map_or(Ok(all), Err)
    })
}

/// Reads each block of a disk, gives those that are not zero to `keep`, and returns what it made of each.
pub(crate) fn each_block(
    source: &dyn BlockSource,
    progress: &(dyn Fn(u64, u64) + Sync),
    cancel: &Cancel,
    keep: &(dyn Fn(&[u8]) -> Result<Digest, StoreError> + Sync),
) -> Result<Vec<Option<Digest>>, StoreError> {
    let total = source.disk_bytes();
    let count = total.div_ceil(BLOCK_BYTES);
    let done = Progress::new(total, progress);
    let kept = for_each(count, cancel, &|index, buffer| {
        let expected = bytes_of(total, index);
        let failed = |error| StoreError::Source { index, source: error };
        let digest = match source.read_block(index, buffer).map_err(failed)? {
            Some(found) if found != expected => {
                let text = format!("it has {found} bytes instead of {expected}");
                return Err(failed(std::io::Error::new(std::io::ErrorKind::UnexpectedEof, text)));
            }
            Some(_) if !is_zero(&buffer[..expected]) => Some(keep(&buffer[..expected])?),
            _ => None,
        };
        done.add(expected as u64);
        Ok(digest)
    })?;
    let mut blocks = vec![None; usize::try_from(count).expect("a manifest fits into memory")];
    for (index, digest) in kept {
        blocks[usize::try_from(index).expect("less than count")] = Some(digest);
    }
    Ok(blocks)
}

/// Adds up what several threads have done, and tells it in rising order.
pub(crate) struct Progress<'a> {
    total: u64,
    done: Mutex<u64>,
    tell: &'a (dyn Fn(u64, u64) + Sync),
}

impl<'a> Progress<'a> {
    pub(crate) fn new(total: u64, tell: &'a (dyn Fn(u64, u64) + Sync)) -> Self {
        Self { total, done: Mutex::new(0), tell }
    }

    pub(crate) fn add(&self, bytes: u64) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        *done += bytes;
        (self.tell)(*done, self.total);
    }
}

/// Tells whether all bytes are zero; nearly all blocks that are not are known by their first piece.
fn is_zero(bytes: &[u8]) -> bool {
    let (pieces, rest) = bytes.as_chunks::<256>();
    pieces.iter().all(|piece| piece.iter().fold(0, |sum, byte| sum | byte) == 0)
        && rest.iter().all(|byte| *byte == 0)
}
