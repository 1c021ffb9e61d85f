//! Disks of blocks, cached.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use amint_formats::{CacheOptions, CachedBlocks};
use amint_types::{BLOCK_BYTES, BlockSource, ReadAt};
use proptest::prelude::*;

use crate::tools::Numbers;

/// A disk in memory that counts how often each block is read.
struct Counted {
    disk: Vec<u8>,
    reads: Vec<AtomicU64>,
    /// Fails for this block, once.
    broken: AtomicU64,
}

impl Counted {
    fn new(bytes: u64) -> Arc<Self> {
        let mut numbers = Numbers::new(bytes);
        let mut disk = vec![0; usize::try_from(bytes).unwrap()];
        for (number, block) in disk.chunks_mut(usize::try_from(BLOCK_BYTES).unwrap()).enumerate() {
            // Every third block is zero.
            if number % 3 != 2 {
                block.iter_mut().step_by(997).for_each(|byte| *byte = numbers.draw().to_le_bytes()[2]);
            }
        }
        let reads = (0..bytes.div_ceil(BLOCK_BYTES)).map(|_| AtomicU64::new(0)).collect();
        Arc::new(Self { disk, reads, broken: AtomicU64::new(u64::MAX) })
    }

    fn reads(&self) -> Vec<u64> {
        self.reads.iter().map(|count| count.load(Ordering::SeqCst)).collect()
    }
}

impl BlockSource for Counted {
    fn disk_bytes(&self) -> u64 {
        self.disk.len() as u64
    }

    fn read_block(&self, index: u64, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        self.reads[usize::try_from(index).unwrap()].fetch_add(1, Ordering::SeqCst);
        if self.broken.compare_exchange(index, u64::MAX, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
            return Err(io::Error::other("broken"));
        }
        let start = usize::try_from(index * BLOCK_BYTES).unwrap();
        let end = self.disk.len().min(start + usize::try_from(BLOCK_BYTES).unwrap());
        if index % 3 == 2 {
            return Ok(None);
        }
        buffer[..end - start].copy_from_slice(&self.disk[start..end]);
        Ok(Some(end - start))
    }
}

fn options(blocks: usize, read_ahead_blocks: usize, threads: usize) -> CacheOptions {
    CacheOptions { cache_bytes_max: blocks << 19, read_ahead_blocks, threads }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_range_reads_as_the_disk(
        ranges in proptest::collection::vec((0_u64..5_000_000, 0_usize..1_300_000), 1..12),
        cache in 0_usize..6,
        ahead in 0_usize..5,
        threads in 1_usize..4,
    ) {
        let source = Counted::new(4_500_001);
        let disk = CachedBlocks::new(source.clone(), options(cache, ahead, threads));
        for (start, bytes) in ranges {
            let mut buffer = vec![0xa5; bytes];
            let end = usize::try_from(start).unwrap() + bytes;
            let result = disk.read_exact_at(start, &mut buffer);
            prop_assert_eq!(result.is_ok(), end <= source.disk.len());
            if result.is_ok() {
                prop_assert!(buffer == source.disk[end - bytes..end]);
            }
        }
    }
}

#[test]
fn reading_on_reads_ahead_and_each_block_once() {
    for threads in [1, 3] {
        let source = Counted::new(20 * BLOCK_BYTES);
        let disk = CachedBlocks::new(source.clone(), options(64, 4, threads));
        let mut buffer = vec![0; 4096];
        disk.read_exact_at(0, &mut buffer).unwrap();
        assert_eq!(source.reads().iter().sum::<u64>(), 1, "one block is not a row");
        disk.read_exact_at(BLOCK_BYTES, &mut buffer).unwrap();
        assert_eq!(source.reads()[..7], [1, 1, 1, 1, 1, 1, 0]);
        for offset in (0..20 * BLOCK_BYTES).step_by(4096) {
            disk.read_exact_at(offset, &mut buffer).unwrap();
        }
        assert!(source.reads().iter().all(|count| *count == 1), "{:?}", source.reads());
    }
}

#[test]
fn reading_here_and_there_reads_nothing_ahead() {
    let source = Counted::new(40 * BLOCK_BYTES);
    let disk = CachedBlocks::new(source.clone(), options(64, 8, 1));
    for number in [30, 4, 17, 9, 25] {
        disk.read_exact_at(number * BLOCK_BYTES, &mut [0; 10]).unwrap();
    }
    assert_eq!(source.reads().iter().sum::<u64>(), 5);
}

#[test]
fn several_threads_that_want_the_same_block_read_it_once() {
    let source = Counted::new(12 * BLOCK_BYTES + 77);
    let disk = CachedBlocks::new(source.clone(), options(64, 3, 2));
    let barrier = Barrier::new(8);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                barrier.wait();
                let mut buffer = vec![0; source.disk.len()];
                for (number, piece) in buffer.chunks_mut(100_000).enumerate() {
                    disk.read_exact_at(number as u64 * 100_000, piece).unwrap();
                }
                assert!(buffer == source.disk);
            });
        }
    });
    assert!(source.reads().iter().all(|count| *count == 1), "{:?}", source.reads());
}

#[test]
fn zero_blocks_are_known_once_they_were_met() {
    let source = Counted::new(9 * BLOCK_BYTES);
    let disk = CachedBlocks::new(source.clone(), options(1, 0, 1));
    assert!(!disk.is_known_zero(2 * BLOCK_BYTES, 10));
    for number in 0..9 {
        disk.read_exact_at(number * BLOCK_BYTES, &mut [0; 10]).unwrap();
    }
    assert!(disk.is_known_zero(2 * BLOCK_BYTES, BLOCK_BYTES));
    assert!(!disk.is_known_zero(2 * BLOCK_BYTES, BLOCK_BYTES + 1));
    assert!(!disk.is_known_zero(8 * BLOCK_BYTES, BLOCK_BYTES + 1), "behind the end nothing is known");
    let before = source.reads();
    disk.read_exact_at(2 * BLOCK_BYTES, &mut [0; 10]).unwrap();
    assert_eq!(source.reads(), before, "a known zero block is not read again");
}

#[test]
fn a_block_that_failed_is_read_again() {
    for (threads, ahead) in [(1, 0), (1, 4), (2, 4)] {
        let source = Counted::new(9 * BLOCK_BYTES);
        source.broken.store(3, Ordering::SeqCst);
        let disk = CachedBlocks::new(source.clone(), options(64, ahead, threads));
        let mut results = Vec::new();
        for number in 0..9 {
            results.push(disk.read_exact_at(number * BLOCK_BYTES, &mut [0; 10]).is_ok());
        }
        // Read ahead, a failure is no answer: the block is asked for again.
        assert_eq!(results.iter().filter(|is_fine| !**is_fine).count(), usize::from(ahead == 0));
        disk.read_exact_at(3 * BLOCK_BYTES, &mut [0; 10]).unwrap();
    }
}
