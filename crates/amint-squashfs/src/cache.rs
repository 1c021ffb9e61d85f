//! What was unpacked last, up to a bound.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

/// A bounded cache, used by all threads.
#[derive(Debug)]
pub(crate) struct Cache<K, V> {
    entries: Mutex<Entries<K, V>>,
    count_max: usize,
}

#[derive(Debug)]
struct Entries<K, V> {
    by_key: HashMap<K, (u64, Arc<V>)>,
    uses: u64,
}

impl<K: Hash + Eq + Copy, V> Cache<K, V> {
    /// Makes an empty cache of at most `count_max` entries.
    pub(crate) fn new(count_max: usize) -> Self {
        Self { entries: Mutex::new(Entries { by_key: HashMap::new(), uses: 0 }), count_max: count_max.max(2) }
    }

    /// Returns what is kept, or makes and keeps it.
    pub(crate) fn get<E>(&self, key: K, make: impl FnOnce() -> Result<V, E>) -> Result<Arc<V>, E> {
        if let Some(value) = self.kept(key) {
            return Ok(value);
        }
        // Unpacking goes on without the lock: other threads need it for what is kept.
        let value = Arc::new(make()?);
        self.keep(key, Arc::clone(&value));
        Ok(value)
    }

    fn kept(&self, key: K) -> Option<Arc<V>> {
        let mut guard = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let entries = &mut *guard;
        entries.uses += 1;
        let (used, value) = entries.by_key.get_mut(&key)?;
        *used = entries.uses;
        Some(Arc::clone(value))
    }

    /// Keeps a value; when there are too many, the half that was not used for longest goes.
    fn keep(&self, key: K, value: Arc<V>) {
        let mut guard = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let entries = &mut *guard;
        if entries.by_key.len() >= self.count_max {
            let mut uses: Vec<u64> = entries.by_key.values().map(|(used, _)| *used).collect();
            let middle = (uses.len() - 1) / 2;
            let (_, median, _) = uses.select_nth_unstable(middle);
            let median = *median;
            entries.by_key.retain(|_, (used, _)| *used > median);
        }
        entries.uses += 1;
        let used = entries.uses;
        entries.by_key.insert(key, (used, value));
    }
}
