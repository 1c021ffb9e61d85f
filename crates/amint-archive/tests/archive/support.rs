//! Short ways to ask.

use std::io::Read;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use amint_archive::{ArchiveError, Client, ClientSettings, Clock, PackageFile, Suite, SuiteIndex};
use amint_types::{Cancel, Digest, Event, EventSink, NullSink};
use jiff::Timestamp;

use super::keys::{Key, Spec};
use super::repository::Release;
use super::server::Server;

/// The present time of most tests.
pub(crate) fn now() -> Timestamp {
    "2026-01-15T12:00:00Z".parse().unwrap()
}

/// A time some days before the present.
pub(crate) fn days_ago(days: i64) -> Timestamp {
    now() - jiff::SignedDuration::from_hours(24 * days)
}

pub(crate) fn seconds(time: Timestamp) -> u32 {
    u32::try_from(time.as_second()).unwrap()
}

/// A key that is good now.
pub(crate) fn good_key() -> Key {
    Key::new(Spec::good(seconds(days_ago(300))))
}

/// A clock that lets no time pass, and tells how much would have.
pub(crate) struct Manual {
    start: Instant,
    slept: Mutex<Duration>,
}

impl Manual {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { start: Instant::now(), slept: Mutex::default() })
    }

    pub(crate) fn slept(&self) -> Duration {
        *self.slept.lock().unwrap()
    }
}

impl Clock for Manual {
    fn now(&self) -> Instant {
        self.start + self.slept()
    }

    fn sleep(&self, duration: Duration) {
        *self.slept.lock().unwrap() += duration;
    }
}

/// Keeps all events.
#[derive(Default)]
pub(crate) struct Recorder(pub(crate) Mutex<Vec<Event>>);

impl EventSink for Recorder {
    fn emit(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

/// A server, a key, and a folder with the cache and the keyring.
pub(crate) struct Bench {
    pub(crate) server: Server,
    pub(crate) key: Key,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) settings: ClientSettings,
    pub(crate) clock: Arc<Manual>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with_key(good_key())
    }

    pub(crate) fn with_key(key: Key) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Key::keyring(&folder.path().join("keyring.gpg"), &[&key]);
        let settings = ClientSettings::new(folder.path().join("cache"), now());
        Self { server: Server::start(), key, folder, settings, clock: Manual::new() }
    }

    pub(crate) fn keyring(&self) -> PathBuf {
        self.folder.path().join("keyring.gpg")
    }

    pub(crate) fn client(&self) -> Client {
        Client::with_clock(self.settings.clone(), Arc::clone(&self.clock) as Arc<dyn Clock>).unwrap()
    }

    /// The suite `trixie` of the server.
    pub(crate) fn suite(&self) -> Suite {
        Suite {
            uri: self.server.uri(),
            suite: "trixie".to_owned(),
            components: vec!["main".to_owned()],
            keyring: self.keyring(),
        }
    }

    pub(crate) fn publish(&self, release: &Release) {
        release.publish(&self.server, &[&self.key]);
    }

    pub(crate) fn index(&self) -> Result<SuiteIndex, ArchiveError> {
        self.index_of(self.suite())
    }

    pub(crate) fn index_of(&self, suite: Suite) -> Result<SuiteIndex, ArchiveError> {
        let mut found = self.client().indexes(&[suite], "amd64", "indexes", &NullSink, &Cancel::new())?;
        assert_eq!(found.len(), 1);
        Ok(found.remove(0))
    }

    /// Puts a package on the server, and returns how to ask for it.
    pub(crate) fn package(&self, name: &str, bytes: &[u8]) -> PackageFile {
        let path = format!("/pool/{name}.deb");
        self.server.put(&path, bytes);
        wanted(name, bytes, &[&format!("{}{path}", self.server.uri())])
    }

    pub(crate) fn get(&self, wanted: &[PackageFile]) -> Result<Vec<PathBuf>, ArchiveError> {
        self.client().packages(wanted, "packages", &NullSink, &Cancel::new())
    }
}

pub(crate) fn wanted(name: &str, bytes: &[u8], locations: &[&str]) -> PackageFile {
    PackageFile {
        name: name.to_owned(),
        bytes: bytes.len() as u64,
        sha256: Digest::of(bytes),
        locations: locations.iter().map(|location| (*location).to_owned()).collect(),
    }
}

/// Bytes that look like nothing, the same for the same seed.
pub(crate) fn noise(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..count).map(|_| next()).collect()
}

/// Reads an index of one component.
pub(crate) fn text_of(index: &SuiteIndex) -> String {
    let mut text = String::new();
    index.indexes[0].open().unwrap().read_to_string(&mut text).unwrap();
    text
}

/// Returns an error with all its causes, as people and logs see it.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
