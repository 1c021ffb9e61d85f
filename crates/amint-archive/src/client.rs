//! The client: what others call.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

use amint_types::{Cancel, Cancelled, Digest, EventSink};

use crate::cache::{Cache, remove_if_there};
use crate::clock::{Clock, SystemClock};
use crate::error::ArchiveError;
use crate::fetch::Context;
use crate::http::Http;
use crate::index;
use crate::packages::{PackageFile, fetch_packages};
use crate::parallel;
use crate::progress::Progress;
use crate::rate::Limiter;
use crate::settings::ClientSettings;
use crate::suite::{Suite, SuiteIndex, fetch_suite};

/// How often a [`Cancel`] is looked at while connections wait.
const WATCH_PAUSE: Duration = Duration::from_millis(50);

/// A client of Debian archives with a cache. It may be used by several threads, its cache by several processes.
pub struct Client {
    settings: ClientSettings,
    clock: Arc<dyn Clock>,
    cache: Cache,
    limiter: Limiter,
}

impl Client {
    /// Makes a client, and the cache's folder when it is missing.
    pub fn new(settings: ClientSettings) -> Result<Self, ArchiveError> {
        Self::with_clock(settings, Arc::new(SystemClock))
    }

    /// Makes a client that waits by a clock of yours.
    pub fn with_clock(settings: ClientSettings, clock: Arc<dyn Clock>) -> Result<Self, ArchiveError> {
        let cache = Cache::create(&settings.cache)?;
        let limiter = Limiter::new(settings.rate_bytes_per_second);
        Ok(Self { settings, clock, cache, limiter })
    }

    /// Gets the verified Release of each suite, then the index of each of its components for `architecture`, and the
    /// one for `all` where the Release keeps that apart. Indexes that did not change are not downloaded again, and those
    /// that were not used for thirty days are removed.
    ///
    /// Tells bytes as progress of `step`, which the caller starts and finishes.
    pub fn indexes(
        &self,
        suites: &[Suite],
        architecture: &str,
        step: &str,
        sink: &dyn EventSink,
        cancel: &Cancel,
    ) -> Result<Vec<SuiteIndex>, ArchiveError> {
        let threads = self.settings.connections.clamp(1, suites.len().max(1));
        let threads_each = (self.settings.connections / threads).max(1);
        let found = self.operate(step, sink, cancel, |context| {
            parallel::each(suites, threads, context.cancel, &|suite| {
                fetch_suite(context, suite, architecture, threads_each)
            })
        })?;
        index::clean(&self.cache, self.settings.now)?;
        Ok(found)
    }

    /// Makes sure that every file is in the cache, and returns their paths in the order of `wanted`. Several are
    /// downloaded at the same time; what broke off is taken up again.
    ///
    /// What gets into the cache was checked by size and digest. What is there already is trusted by its name and size:
    /// who unpacks a package must check its digest while reading it, since a disk may have changed it meanwhile, and
    /// [`Self::remove`] it when it is wrong. A file of a local repository is checked and used in place, not copied.
    ///
    /// Tells bytes as progress of `step`, which the caller starts and finishes.
    pub fn packages(
        &self,
        wanted: &[PackageFile],
        step: &str,
        sink: &dyn EventSink,
        cancel: &Cancel,
    ) -> Result<Vec<PathBuf>, ArchiveError> {
        self.operate(step, sink, cancel, |context| fetch_packages(context, wanted))
    }

    /// Returns the path of a package in the cache, when it is there.
    pub fn cached(&self, sha256: &Digest) -> Option<PathBuf> {
        Some(self.cache.package(sha256)).filter(|path| path.is_file())
    }

    /// Removes a package from the cache, so that it is downloaded again.
    pub fn remove(&self, sha256: &Digest) -> Result<(), ArchiveError> {
        remove_if_there(&self.cache.package(sha256))
    }

    /// Runs an operation with connections of its own, which end as soon as the user or an error stops it.
    fn operate<R>(
        &self,
        step: &str,
        sink: &dyn EventSink,
        cancel: &Cancel,
        work: impl FnOnce(&Context<'_>) -> Result<R, ArchiveError>,
    ) -> Result<R, ArchiveError> {
        cancel.check()?;
        let http = Http::new(&self.settings.proxies, self.settings.connections, self.settings.timeout)?;
        let progress = Progress::new(sink, step);
        let ended = Cancel::new();
        let context = Context {
            settings: &self.settings,
            clock: self.clock.as_ref(),
            cache: &self.cache,
            limiter: &self.limiter,
            http: &http,
            cancel: &ended,
            progress: &progress,
        };
        let is_done = AtomicBool::new(false);
        let result = thread::scope(|scope| {
            let watcher = scope.spawn(|| watch(cancel, &ended, &http, &is_done));
            let _done = Done { flag: &is_done, watcher: watcher.thread().clone() };
            work(&context)
        });
        if result.is_err() && cancel.is_cancelled() {
            return Err(Cancelled.into());
        }
        result
    }
}

/// Waits for a reason to end all connections, or for the end of the operation.
fn watch(cancel: &Cancel, ended: &Cancel, http: &Http, is_done: &AtomicBool) {
    while !is_done.load(Ordering::SeqCst) {
        if cancel.is_cancelled() || ended.is_cancelled() {
            ended.cancel();
            http.shutdown();
            return;
        }
        thread::park_timeout(WATCH_PAUSE);
    }
}

/// Ends the watcher, also after a panic.
struct Done<'a> {
    flag: &'a AtomicBool,
    watcher: Thread,
}

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.flag.store(true, Ordering::SeqCst);
        self.watcher.unpark();
    }
}
