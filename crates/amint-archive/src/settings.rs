//! How a client works.

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use crate::proxies::Proxies;

/// Settings of a [`Client`](crate::Client).
#[derive(Clone, Debug)]
pub struct ClientSettings {
    /// The cache's folder; made with mode 0700 when missing. Several processes may share it.
    pub cache: PathBuf,
    /// How many files are downloaded at the same time.
    pub connections: usize,
    /// How often a request is tried again after an error that may pass.
    pub retries: u32,
    /// How many bytes per second all connections together may read; none for no limit.
    pub rate_bytes_per_second: Option<u64>,
    /// How long to wait for a connection, for an answer, and for each next piece of it.
    pub timeout: Duration,
    /// Use only what the cache and local repositories have.
    pub offline: bool,
    /// The present time, against which `Date`, `Valid-Until` and the expiry of keys are checked. To read the archive of
    /// a day in the past from a snapshot mirror, give that day, and [`Self::allow_older`].
    pub now: Timestamp,
    /// Accept a Release that is older than one seen before.
    pub allow_older: bool,
    /// The proxies to use.
    pub proxies: Proxies,
}

impl ClientSettings {
    /// Makes settings with the usual values: six connections, four retries, thirty seconds, no limit, no proxies.
    pub fn new(cache: impl Into<PathBuf>, now: Timestamp) -> Self {
        Self {
            cache: cache.into(),
            connections: 6,
            retries: 4,
            rate_bytes_per_second: None,
            timeout: Duration::from_secs(30),
            offline: false,
            now,
            allow_older: false,
            proxies: Proxies::default(),
        }
    }
}
