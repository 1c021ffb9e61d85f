//! How far downloads got, added up over all connections.

use std::sync::{Mutex, PoisonError};

use amint_types::EventSink;

/// Progress is told each time this much was done.
const GRAIN: u64 = 256 * 1024;

#[derive(Default)]
struct State {
    done: u64,
    total: u64,
    told: u64,
}

/// Counts bytes, and tells a listener.
pub(crate) struct Progress<'a> {
    sink: &'a dyn EventSink,
    step: &'a str,
    state: Mutex<State>,
}

impl<'a> Progress<'a> {
    pub(crate) fn new(sink: &'a dyn EventSink, step: &'a str) -> Self {
        Self { sink, step, state: Mutex::default() }
    }

    /// Adds to what there is to do.
    pub(crate) fn expect(&self, bytes: u64) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).total += bytes;
    }

    /// Takes back what will not be done after all.
    pub(crate) fn expect_less(&self, bytes: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.total = state.total.saturating_sub(bytes);
    }

    /// Adds to what is done.
    pub(crate) fn add(&self, bytes: u64, doing: &str) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.done += bytes;
        if state.done >= state.total || state.done - state.told.min(state.done) >= GRAIN {
            state.told = state.done;
            // Told under the lock, so that listeners see rising numbers.
            self.sink.step_progress(self.step, state.done, Some(state.total.max(state.done)), Some(doing));
        }
    }

    /// Takes back what has to be done again.
    pub(crate) fn take_back(&self, bytes: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.done = state.done.saturating_sub(bytes);
        state.told = state.told.min(state.done);
    }
}
