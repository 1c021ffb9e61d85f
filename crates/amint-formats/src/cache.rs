//! What was used last, bounded in bytes.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// Values in the order of their use; the ones unused for longest make room.
#[derive(Debug)]
pub(crate) struct Recent<K, V> {
    entries: HashMap<K, Entry<V>>,
    order: BTreeMap<u64, K>,
    tick: u64,
    bytes: usize,
    bytes_max: usize,
}

#[derive(Debug)]
struct Entry<V> {
    tick: u64,
    bytes: usize,
    value: V,
}

impl<K: Copy + Eq + Hash, V: Clone> Recent<K, V> {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { entries: HashMap::new(), order: BTreeMap::new(), tick: 0, bytes: 0, bytes_max }
    }

    pub(crate) fn contains(&self, key: K) -> bool {
        self.entries.contains_key(&key)
    }

    /// Returns a value and marks it as used.
    pub(crate) fn get(&mut self, key: K) -> Option<V> {
        let entry = self.entries.get_mut(&key)?;
        // The one used last stays where it is: reading on in it costs no change of order.
        if entry.tick != self.tick {
            self.order.remove(&entry.tick);
            self.tick += 1;
            entry.tick = self.tick;
            self.order.insert(self.tick, key);
        }
        Some(entry.value.clone())
    }

    /// Keeps a value. The newest one stays even when it is larger than the bound.
    pub(crate) fn insert(&mut self, key: K, value: V, bytes: usize) {
        self.remove(key);
        while self.bytes.saturating_add(bytes) > self.bytes_max {
            let Some((_, oldest)) = self.order.first_key_value() else { break };
            self.remove(*oldest);
        }
        self.tick += 1;
        self.order.insert(self.tick, key);
        self.entries.insert(key, Entry { tick: self.tick, bytes, value });
        self.bytes = self.bytes.saturating_add(bytes);
    }

    fn remove(&mut self, key: K) {
        if let Some(entry) = self.entries.remove(&key) {
            self.order.remove(&entry.tick);
            self.bytes = self.bytes.saturating_sub(entry.bytes);
        }
    }
}

/// Tables or unpacked clusters by number, for several threads.
#[derive(Debug)]
pub(crate) struct SharedCache(Mutex<Recent<u64, Arc<Vec<u8>>>>);

impl SharedCache {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self(Mutex::new(Recent::new(bytes_max)))
    }

    /// Returns what is kept under `key`, or reads and keeps it. Two threads may read the same at once.
    pub(crate) fn get_or_read(
        &self,
        key: u64,
        read: impl FnOnce() -> io::Result<Vec<u8>>,
    ) -> io::Result<Arc<Vec<u8>>> {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = lock().get(key) {
            return Ok(found);
        }
        let value = Arc::new(read()?);
        lock().insert(key, Arc::clone(&value), value.len());
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_unused_for_longest_makes_room() {
        let mut recent = Recent::new(30);
        recent.insert(1, 'a', 10);
        recent.insert(2, 'b', 10);
        recent.insert(3, 'c', 10);
        assert_eq!(recent.get(1), Some('a'));
        recent.insert(4, 'd', 15);
        assert_eq!([1, 2, 3, 4].map(|key| recent.get(key)), [Some('a'), None, None, Some('d')]);
        recent.insert(5, 'e', 100);
        assert_eq!([1, 4, 5].map(|key| recent.get(key)), [None, None, Some('e')]);
        assert_eq!(recent.bytes, 100);
    }

    #[test]
    fn a_failed_read_is_not_kept() {
        let cache = SharedCache::new(100);
        assert!(cache.get_or_read(1, || Err(io::ErrorKind::Other.into())).is_err());
        assert_eq!(*cache.get_or_read(1, || Ok(vec![7])).unwrap(), [7]);
        assert_eq!(*cache.get_or_read(1, || Ok(vec![8])).unwrap(), [7]);
    }
}
