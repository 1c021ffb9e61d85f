//! The blocks of trees that were read last, up to a bound.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::block::Block;
use crate::tree::Pointer;

/// Bytes of blocks that are kept.
const CACHE_BYTES_MAX: usize = 8 << 20;

/// A bounded cache, used by all threads.
#[derive(Debug)]
pub(crate) struct Cache {
    blocks: Mutex<Blocks>,
    count_max: usize,
}

#[derive(Debug, Default)]
struct Blocks {
    by_pointer: HashMap<Pointer, (u64, Arc<Block>)>,
    uses: u64,
}

impl Cache {
    /// Makes an empty cache for blocks of `block_bytes`.
    pub(crate) fn new(block_bytes: usize) -> Self {
        let count_max = (CACHE_BYTES_MAX / block_bytes.max(1)).max(16);
        Self { blocks: Mutex::default(), count_max }
    }

    /// Returns a block that is kept.
    pub(crate) fn get(&self, pointer: Pointer) -> Option<Arc<Block>> {
        let mut guard = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        let blocks = &mut *guard;
        blocks.uses += 1;
        let (used, block) = blocks.by_pointer.get_mut(&pointer)?;
        *used = blocks.uses;
        Some(Arc::clone(block))
    }

    /// Keeps a block; when there are too many, the half that was not used for longest goes.
    pub(crate) fn put(&self, pointer: Pointer, block: Arc<Block>) {
        let mut guard = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        let blocks = &mut *guard;
        if blocks.by_pointer.len() >= self.count_max {
            let mut uses: Vec<u64> = blocks.by_pointer.values().map(|(used, _)| *used).collect();
            let middle = uses.len() / 2;
            let (_, median, _) = uses.select_nth_unstable(middle);
            let median = *median;
            blocks.by_pointer.retain(|_, (used, _)| *used > median);
        }
        blocks.uses += 1;
        let used = blocks.uses;
        blocks.by_pointer.insert(pointer, (used, block));
    }
}
