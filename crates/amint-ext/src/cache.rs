//! The pieces of metadata that were read last, up to a bound.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes that are kept.
const CACHE_BYTES_MAX: usize = 8 << 20;

/// A bounded cache of pieces of one size, used by all threads.
#[derive(Debug)]
pub(crate) struct Cache {
    pieces: Mutex<Pieces>,
    count_max: usize,
}

#[derive(Debug, Default)]
struct Pieces {
    by_number: HashMap<u64, (u64, Arc<[u8]>)>,
    uses: u64,
}

impl Cache {
    /// Makes an empty cache for pieces of `piece_bytes`.
    pub(crate) fn new(piece_bytes: usize) -> Self {
        Self { pieces: Mutex::default(), count_max: (CACHE_BYTES_MAX / piece_bytes.max(1)).max(16) }
    }

    /// Returns a piece that is kept.
    pub(crate) fn get(&self, number: u64) -> Option<Arc<[u8]>> {
        let mut guard = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        let pieces = &mut *guard;
        pieces.uses += 1;
        let (used, piece) = pieces.by_number.get_mut(&number)?;
        *used = pieces.uses;
        Some(Arc::clone(piece))
    }

    /// Keeps a piece; when there are too many, the half that was not used for longest goes.
    pub(crate) fn put(&self, number: u64, piece: Arc<[u8]>) {
        let mut guard = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        let pieces = &mut *guard;
        if pieces.by_number.len() >= self.count_max {
            let mut uses: Vec<u64> = pieces.by_number.values().map(|(used, _)| *used).collect();
            let middle = uses.len() / 2;
            let median = *uses.select_nth_unstable(middle).1;
            pieces.by_number.retain(|_, (used, _)| *used > median);
        }
        pieces.uses += 1;
        let used = pieces.uses;
        pieces.by_number.insert(number, (used, piece));
    }
}
