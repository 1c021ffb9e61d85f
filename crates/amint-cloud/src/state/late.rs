//! What is told while changes come late: the eventual consistency of AWS.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use jiff::{SignedDuration, Timestamp};

use super::change::{Apply, Write};
use crate::Clock;
use crate::records::Tables;

/// One record on its way to be told.
struct Waiting {
    due: Timestamp,
    kind: &'static str,
    id: String,
    apply: Apply,
}

/// Tables that changes reach after a while. Nothing runs for it: they are brought up to date when they are read.
pub(super) struct Late {
    clock: Clock,
    delay: SignedDuration,
    tables: RwLock<Tables>,
    waiting: Mutex<VecDeque<Waiting>>,
}

impl fmt::Debug for Late {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Late").field("delay", &self.delay).finish_non_exhaustive()
    }
}

impl Late {
    pub(super) fn new(tables: Tables, clock: Clock, delay: SignedDuration) -> Self {
        Self { clock, delay, tables: RwLock::new(tables), waiting: Mutex::default() }
    }

    /// Takes a change. One that is told at once is told in place of what waits for the same records.
    pub(super) fn take(&self, writes: Vec<Write>, is_at_once: bool) {
        let due = self.clock.after(self.clock.now(), self.delay);
        let mut waiting = self.waiting();
        for Write { kind, id, apply, .. } in writes {
            if is_at_once {
                waiting.retain(|other| other.kind != kind || other.id != id);
                apply(&mut self.tables.write().unwrap_or_else(PoisonError::into_inner));
            } else {
                waiting.push_back(Waiting { due, kind, id, apply });
            }
        }
    }

    /// Returns the tables as they are told now.
    pub(super) fn read(&self) -> RwLockReadGuard<'_, Tables> {
        let now = self.clock.now();
        let mut waiting = self.waiting();
        if waiting.front().is_some_and(|first| first.due <= now) {
            let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
            while let Some(first) = waiting.pop_front_if(|first| first.due <= now) {
                (first.apply)(&mut tables);
            }
        }
        drop(waiting);
        self.tables.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
