//! Locks between processes: many may put and read at once, one alone may collect.
//!
//! The locks are `flock(2)` locks on two files, so the kernel gives them back when a process is killed. Whoever
//! wants the store alone first takes the gate, which all others pass on their way in: so a row of puts without a
//! gap cannot keep a collection waiting for ever.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use amint_types::Cancel;

use crate::error::StoreError;
use crate::layout::{Layout, open_private};

/// How often a lock held by another process is tried: `flock` has no deadline of its own.
const RETRY_PAUSE: Duration = Duration::from_millis(10);

/// The store's lock, given back on drop.
#[derive(Debug)]
pub(crate) struct StoreLock {
    _file: File,
}

/// Takes the store's locks for this process.
#[derive(Debug, Default)]
pub(crate) struct Locks {
    /// The shared lock of this process, while anyone has it: who reads and puts at once must not wait at the gate
    /// for someone who waits for the read to end.
    shared: Mutex<Weak<StoreLock>>,
}

impl Locks {
    /// Takes the lock together with others.
    pub(crate) fn shared(
        &self,
        layout: &Layout,
        wait: Duration,
        cancel: &Cancel,
    ) -> Result<Arc<StoreLock>, StoreError> {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lock) = shared.upgrade() {
            return Ok(lock);
        }
        let patience = Patience { layout, wait, started: Instant::now(), cancel };
        let _gate = patience.take(&layout.gate(), File::try_lock_shared)?;
        let lock = Arc::new(StoreLock { _file: patience.take(&layout.lock(), File::try_lock_shared)? });
        *shared = Arc::downgrade(&lock);
        Ok(lock)
    }
}

/// Takes the lock alone.
pub(crate) fn exclusive(layout: &Layout, wait: Duration, cancel: &Cancel) -> Result<StoreLock, StoreError> {
    let patience = Patience { layout, wait, started: Instant::now(), cancel };
    let _gate = patience.take(&layout.gate(), File::try_lock)?;
    Ok(StoreLock { _file: patience.take(&layout.lock(), File::try_lock)? })
}

struct Patience<'a> {
    layout: &'a Layout,
    wait: Duration,
    started: Instant,
    cancel: &'a Cancel,
}

impl Patience<'_> {
    fn take(
        &self,
        path: &Path,
        attempt: impl Fn(&File) -> Result<(), TryLockError>,
    ) -> Result<File, StoreError> {
        let file = open_private(path).map_err(StoreError::io("open", path))?;
        loop {
            match attempt(&file) {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(error)) => return Err(StoreError::io("lock", path)(error)),
                Err(TryLockError::WouldBlock) => {}
            }
            self.cancel.check()?;
            if self.started.elapsed() >= self.wait {
                return Err(StoreError::Busy { root: self.layout.root().to_owned(), waited: self.wait });
            }
            thread::sleep(RETRY_PAUSE);
        }
    }
}
