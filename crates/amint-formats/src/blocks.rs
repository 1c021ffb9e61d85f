//! Disks of blocks, read at any place.
//!
//! A [`BlockSource`] gives whole blocks of 512 KiB, each of them perhaps from afar. [`CachedBlocks`] keeps the blocks
//! used last, reads ahead where blocks are read one after the other, and never reads a block twice at the same time.

use std::collections::{HashSet, VecDeque};
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use amint_types::{BLOCK_BYTES, BlockSource, ReadAt};

use crate::bytes::index;
use crate::cache::Recent;

/// Readers that are followed at once to see whether they read on.
const CURSORS_MAX: usize = 16;
/// What a kept zero block is counted as: it has no bytes, and takes room all the same.
const ZERO_BLOCK_COST_BYTES: usize = 128;
/// Largest disk of which is remembered which blocks are zero: 64 TiB, in 16 MiB of memory.
const REMEMBERED_BLOCKS_MAX: u64 = (64 << 40) / BLOCK_BYTES;

/// How much [`CachedBlocks`] keeps and reads ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheOptions {
    /// Bytes of blocks that are kept; one block is kept always.
    pub cache_bytes_max: usize,
    /// Blocks read ahead of a reader that reads one block after the other; 0 for none.
    pub read_ahead_blocks: usize,
    /// Threads that read ahead at once: 1 for sources on this machine, more where each block waits for a network.
    pub threads: usize,
}

impl Default for CacheOptions {
    /// 64 MiB, 4 blocks ahead, one thread.
    fn default() -> Self {
        Self { cache_bytes_max: 64 << 20, read_ahead_blocks: 4, threads: 1 }
    }
}

/// A block; none when it is zero.
type Block = Option<Arc<Vec<u8>>>;

/// A disk of blocks that can be read at any place.
pub struct CachedBlocks {
    source: Arc<dyn BlockSource>,
    options: CacheOptions,
    state: Mutex<State>,
    /// Tells that a block is no longer being read.
    is_read: Condvar,
}

struct State {
    blocks: Recent<u64, Block>,
    /// Blocks that some thread is reading.
    reading: HashSet<u64>,
    /// Blocks that come next where a reader reads on.
    cursors: VecDeque<u64>,
    /// One bit for each block that is known to be zero.
    zeros: Vec<u64>,
}

/// Takes blocks off the list of those being read, whatever happens.
struct Claim<'a> {
    blocks: &'a CachedBlocks,
    indexes: Vec<u64>,
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let mut state = self.blocks.lock();
        for number in &self.indexes {
            state.reading.remove(number);
        }
        drop(state);
        self.blocks.is_read.notify_all();
    }
}

impl CachedBlocks {
    /// Makes a disk of blocks readable at any place.
    pub fn new(source: Arc<dyn BlockSource>, options: CacheOptions) -> Self {
        let count = source.block_count();
        let words = if count <= REMEMBERED_BLOCKS_MAX { count.div_ceil(64) } else { 0 };
        let state = State {
            blocks: Recent::new(options.cache_bytes_max),
            reading: HashSet::new(),
            cursors: VecDeque::new(),
            zeros: vec![0; index(words)],
        };
        Self { source, options, state: Mutex::new(state), is_read: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a block: a kept one, the one that another thread is just reading, or a freshly read one.
    fn block(&self, number: u64) -> io::Result<Block> {
        let mut state = self.lock();
        loop {
            if state.is_zero(number) {
                state.reads_on(number);
                return Ok(None);
            }
            if let Some(block) = state.blocks.get(number) {
                state.reads_on(number);
                return Ok(block);
            }
            if !state.reading.contains(&number) {
                break;
            }
            state = self.is_read.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        // More than half of the cache would push out what was just read ahead.
        let room = self.options.cache_bytes_max / index(BLOCK_BYTES) / 2;
        let ahead = if state.reads_on(number) { self.options.read_ahead_blocks.min(room) } else { 0 };
        let end = number.saturating_add(1).saturating_add(ahead as u64).min(self.source.block_count());
        let mut indexes = vec![number];
        indexes.extend((number + 1..end).filter(|next| state.is_unknown(*next)));
        state.reading.extend(&indexes);
        drop(state);
        let claim = Claim { blocks: self, indexes };
        self.read_all(&claim.indexes)
    }

    /// Reads blocks and keeps them; returns the first.
    fn read_all(&self, indexes: &[u64]) -> io::Result<Block> {
        let (Some((first, ahead)), threads) = (indexes.split_first(), self.options.threads.max(1)) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        if threads == 1 || ahead.is_empty() {
            let block = self.read(*first)?;
            // What cannot be read ahead fails when it is asked for.
            let _ = ahead.iter().try_for_each(|number| self.read(*number).map(|_| ()));
            return Ok(block);
        }
        let queue = Mutex::new(ahead.iter());
        thread::scope(|scope| {
            for _ in 0..threads.min(indexes.len()) - 1 {
                scope.spawn(|| self.read_queue(&queue));
            }
            let block = self.read(*first);
            self.read_queue(&queue);
            block
        })
    }

    fn read_queue(&self, queue: &Mutex<std::slice::Iter<'_, u64>>) {
        let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
        while let Some(number) = next() {
            // What cannot be read ahead fails when it is asked for.
            let _ = self.read(*number);
        }
    }

    /// Reads one block and keeps it.
    fn read(&self, number: u64) -> io::Result<Block> {
        let mut buffer = vec![0; index(self.bytes_of(number))];
        let block = match self.source.read_block(number, &mut buffer)? {
            None => None,
            Some(bytes) if bytes == buffer.len() => Some(Arc::new(buffer)),
            Some(bytes) => {
                let text = format!("block {number} has {bytes} bytes instead of {}", buffer.len());
                return Err(io::Error::new(io::ErrorKind::InvalidData, text));
            }
        };
        let mut state = self.lock();
        if block.is_none() && state.remember_zero(number) {
            return Ok(None);
        }
        let bytes = block.as_ref().map_or(ZERO_BLOCK_COST_BYTES, |block| block.len());
        state.blocks.insert(number, block.clone(), bytes);
        drop(state);
        // Who waits for this block need not wait for those read ahead with it.
        self.is_read.notify_all();
        Ok(block)
    }

    /// Bytes of a block: the last one may be shorter.
    fn bytes_of(&self, number: u64) -> u64 {
        let start = number.saturating_mul(BLOCK_BYTES);
        BLOCK_BYTES.min(self.source.disk_bytes().saturating_sub(start))
    }

    fn fits(&self, offset: u64, bytes: u64) -> bool {
        offset.checked_add(bytes).is_some_and(|end| end <= self.source.disk_bytes())
    }
}

impl State {
    fn is_zero(&self, number: u64) -> bool {
        self.zeros.get(index(number / 64)).is_some_and(|word| word >> (number % 64) & 1 != 0)
    }

    /// Remembers a block of zeros; tells whether there is a place to.
    fn remember_zero(&mut self, number: u64) -> bool {
        let word = self.zeros.get_mut(index(number / 64));
        word.map(|word| *word |= 1 << (number % 64)).is_some()
    }

    fn is_unknown(&self, number: u64) -> bool {
        !self.is_zero(number) && !self.blocks.contains(number) && !self.reading.contains(&number)
    }

    /// Tells whether a reader came here from the block before, and notes that it may read on.
    fn reads_on(&mut self, number: u64) -> bool {
        let next = number.saturating_add(1);
        // Within the block, or again: a reader that stays where it is.
        if self.cursors.contains(&next) {
            return false;
        }
        let cursor = self.cursors.iter().position(|expected| *expected == number);
        match cursor {
            Some(at) => {
                self.cursors.remove(at);
            }
            None if self.cursors.len() == CURSORS_MAX => {
                self.cursors.pop_front();
            }
            None => {}
        }
        self.cursors.push_back(next);
        cursor.is_some()
    }
}

impl ReadAt for CachedBlocks {
    fn size_bytes(&self) -> u64 {
        self.source.disk_bytes()
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        if !self.fits(offset, buffer.len() as u64) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let (mut at, mut rest) = (offset, buffer);
        while !rest.is_empty() {
            let number = at / BLOCK_BYTES;
            let start = index(at % BLOCK_BYTES);
            let bytes = index(BLOCK_BYTES).saturating_sub(start).min(rest.len());
            let (now, later) = rest.split_at_mut(bytes);
            match self.block(number)? {
                None => now.fill(0),
                Some(block) => {
                    let stored = block.get(start..start + bytes);
                    now.copy_from_slice(stored.ok_or(io::ErrorKind::UnexpectedEof)?);
                }
            }
            at += bytes as u64;
            rest = later;
        }
        Ok(())
    }

    /// Tells of blocks that were read, or read ahead, before; nothing is read for an answer.
    fn is_known_zero(&self, offset: u64, bytes: u64) -> bool {
        if !self.fits(offset, bytes) {
            return false;
        }
        let state = self.lock();
        bytes == 0
            || (offset / BLOCK_BYTES..=(offset + bytes - 1) / BLOCK_BYTES).all(|number| state.is_zero(number))
    }
}
