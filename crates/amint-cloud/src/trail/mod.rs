//! What CloudTrail tells: a record of every call, as AWS writes it.
//!
//! The newest records are kept in memory, and all of them in gzip files in AWS's layout, until those are more than they may
//! be. What is in no file yet stands in a journal, so that a kill loses nothing. Nothing runs for it: a file is written when
//! a call comes for which it is time, and when the endpoint stops. Reading and writing blocks of snapshots are data events,
//! which trails leave out unless they are told otherwise; so does this one.

mod event;
mod files;
mod masks;
mod shapes;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

pub(crate) use event::{Event, Happening, Told};
use files::Files;

use crate::Clock;

/// How many records are kept in memory, and how much they may be together.
const COUNT_MAX: usize = 10_000;
const BYTES_MAX: usize = 16 << 20;
/// After how long, and after how many records, a file is written (CloudTrail writes about every five minutes).
const FILE_INTERVAL: SignedDuration = SignedDuration::from_mins(5);
const FILE_COUNT_MAX: usize = 2000;

/// The records, and the files that they go to.
#[derive(Debug)]
pub(crate) struct Trail(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    clock: Clock,
    /// The newest records, the oldest of them first.
    events: VecDeque<Event>,
    bytes: usize,
    /// How many of the newest are in no file yet, and since when.
    pending: usize,
    pending_since: Option<Timestamp>,
    files: Option<Files>,
}

impl Trail {
    /// Opens the trail of a folder, or one that ends with the process.
    pub(crate) fn open(folder: Option<PathBuf>, clock: Clock) -> std::io::Result<Self> {
        let mut inner =
            Inner { clock, events: VecDeque::new(), bytes: 0, pending: 0, pending_since: None, files: None };
        if let Some(folder) = folder {
            let mut files = Files::open(folder)?;
            let written = files.newest(COUNT_MAX);
            let journal = files.journal()?;
            for event in written.into_iter().chain(journal.iter().cloned()) {
                inner.keep(event);
            }
            inner.pending = journal.len().min(inner.events.len());
            inner.pending_since = journal.first().map(|event| event.time);
            inner.files = Some(files);
        }
        Ok(Self(Mutex::new(inner)))
    }

    /// Takes a record.
    pub(crate) fn take(&self, event: Event) {
        let mut inner = self.inner();
        if let Some(files) = &mut inner.files {
            files.append(&event);
            inner.pending += 1;
            let since = *inner.pending_since.get_or_insert(event.time);
            let is_time = event.time >= inner.clock.after(since, FILE_INTERVAL);
            inner.keep(event);
            if is_time || inner.pending >= FILE_COUNT_MAX {
                inner.write();
            }
        } else {
            inner.keep(event);
        }
    }

    /// Writes what is in no file yet.
    pub(crate) fn close(&self) {
        self.inner().write();
    }

    /// Looks at the records from the newest on, after the one of an id; none when there is no record of that id.
    pub(crate) fn look<T>(
        &self,
        after: Option<&str>,
        look: impl FnOnce(&mut dyn Iterator<Item = &Event>) -> T,
    ) -> Option<T> {
        let inner = self.inner();
        let mut newest = inner.events.iter().rev();
        if let Some(id) = after {
            newest.find(|event| event.id == id)?;
        }
        Some(look(&mut newest))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn keep(&mut self, event: Event) {
        self.bytes += event.record.len();
        self.events.push_back(event);
        // What is in no file yet is few, and stays.
        while (self.events.len() > COUNT_MAX || self.bytes > BYTES_MAX)
            && self.events.len() > self.pending.max(1)
        {
            self.bytes -= self.events.pop_front().map_or(0, |event| event.record.len());
        }
    }

    fn write(&mut self) {
        let Some(files) = &mut self.files else { return };
        let first = self.events.len().saturating_sub(self.pending);
        let pending: Vec<&Event> = self.events.iter().skip(first).collect();
        if pending.is_empty() || files.write(&pending, self.clock.now()).is_ok() {
            self.pending = 0;
            self.pending_since = None;
        } else {
            // A full disk is no reason to fail calls: it is tried again when it is time again.
            self.pending_since = Some(self.clock.now());
        }
    }
}
