//! Suites: a Release that is new enough, of the right suite, and signed by a key of its keyring.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use amint_types::{Cancel, Digest};
use jiff::{SignedDuration, Timestamp};

use crate::cache::{open_locked, read_if_there, remove_if_there, write_whole};
use crate::cleartext::{Cleartext, RELEASE_BYTES_MAX};
use crate::clock::wait;
use crate::error::ArchiveError;
use crate::fetch::{Conditions, Context, Small};
use crate::index::{IndexFile, architectures, fetch_index};
use crate::keyring::Keyring;
use crate::parallel;
use crate::release::Release;
use crate::seen::Seen;
use crate::signature::{SignatureError, parse_signatures, verify};
use crate::uri::{Location, join, redact, relative_path};

/// How far ahead a Release may be dated, for clocks that are not quite right.
const AHEAD_MAX: SignedDuration = SignedDuration::from_hours(24);
/// How often a suite is looked at again while its mirror changes from one state to the next.
const TRANSITIONS_MAX: u32 = 2;
/// Wait before the first further look; the second waits twice as long.
const TRANSITION_PAUSE: Duration = Duration::from_secs(2);

/// One suite of a repository.
#[derive(Clone, PartialEq, Eq)]
pub struct Suite {
    /// The repository: `http://…`, `https://…`, `file:///…`, or an absolute path.
    pub uri: String,
    /// The suite or its codename: `trixie-security`. Flat repositories, `./`, are refused.
    pub suite: String,
    /// The components: `main`.
    pub components: Vec<String>,
    /// The keys that may sign it: binary (`.gpg`, `.pgp`) or armoured (`.asc`). No other key is ever used.
    pub keyring: PathBuf,
}

impl fmt::Debug for Suite {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Suite")
            .field("uri", &redact(&self.uri))
            .field("suite", &self.suite)
            .field("components", &self.components)
            .field("keyring", &self.keyring)
            .finish()
    }
}

/// A suite with its verified indexes.
#[derive(Clone)]
pub struct SuiteIndex {
    /// The repository, as it was asked for.
    pub uri: String,
    /// The suite, as it was asked for.
    pub suite: String,
    /// What the Release says: its codename.
    pub codename: Option<String>,
    /// Its origin: `Debian`.
    pub origin: Option<String>,
    /// Its label: `Debian-Security`.
    pub label: Option<String>,
    /// When it was made.
    pub date: Timestamp,
    /// Until when it may be used.
    pub valid_until: Option<Timestamp>,
    /// Nothing is installed from here unless asked for.
    pub not_automatic: bool,
    /// But what is installed from here is upgraded from here.
    pub but_automatic_upgrades: bool,
    /// Digest of the `InRelease`, or of the `Release` where there is no `InRelease`.
    pub release_sha256: Digest,
    /// Fingerprints of the primary keys whose signatures are good, in capital hexadecimal digits.
    pub signers: Vec<String>,
    /// The indexes of the components asked for.
    pub indexes: Vec<IndexFile>,
}

impl fmt::Debug for SuiteIndex {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SuiteIndex")
            .field("uri", &redact(&self.uri))
            .field("suite", &self.suite)
            .field("date", &self.date)
            .field("release_sha256", &self.release_sha256)
            .field("signers", &self.signers)
            .field("indexes", &self.indexes)
            .finish_non_exhaustive()
    }
}

/// A Release that passed all checks.
struct Verified {
    release: Release,
    sha256: Digest,
    signers: Vec<String>,
}

/// A Release as it comes.
enum Signed {
    Inline(Vec<u8>),
    Detached { release: Vec<u8>, signature: Vec<u8> },
}

/// Gets a suite's Release and indexes; looks again when the mirror seems to be in the middle of an update.
pub(crate) fn fetch_suite(
    context: &Context<'_>,
    suite: &Suite,
    architecture: &str,
    threads: usize,
) -> Result<SuiteIndex, ArchiveError> {
    check_names(suite)?;
    let keyring = Keyring::read(&suite.keyring)?;
    let is_remote = matches!(Location::parse(&suite.uri)?, Location::Http(_)) && !context.settings.offline;
    let mut attempt = 0;
    loop {
        let found =
            Fetcher { context, suite, keyring: &keyring }.verified(attempt > 0).and_then(|verified| {
                let indexes = fetch_indexes(context, suite, &verified.release, architecture, threads)?;
                Ok(suite_index(suite, verified, indexes))
            });
        match found {
            Err(error) if is_remote && attempt < TRANSITIONS_MAX && error.is_in_transition() => {
                attempt += 1;
                wait(context.clock, TRANSITION_PAUSE * attempt, context.cancel)?;
            }
            result => return result,
        }
    }
}

fn check_names(suite: &Suite) -> Result<(), ArchiveError> {
    let bad = |problem| Err(ArchiveError::BadSuite { suite: suite.suite.clone(), problem });
    if suite.suite.ends_with('/') {
        return bad("is the path of a flat repository");
    }
    if relative_path(&suite.suite).is_err() || suite.suite.contains(char::is_whitespace) {
        return bad("cannot be a name");
    }
    if suite.components.is_empty() {
        return bad("is asked for without a component");
    }
    suite.components.iter().try_for_each(|component| relative_path(component).map(|_| ()))
}

fn fetch_indexes(
    context: &Context<'_>,
    suite: &Suite,
    release: &Release,
    architecture: &str,
    threads: usize,
) -> Result<Vec<IndexFile>, ArchiveError> {
    let mut wanted = Vec::new();
    for component in &suite.components {
        let found = architectures(release, component, architecture);
        if found.is_empty() {
            let (uri, name) = (redact(&suite.uri), suite.suite.clone());
            let component = component.clone();
            return Err(if release.has_component(&component) {
                let architecture = architecture.to_owned();
                let known = release.architectures.clone();
                ArchiveError::UnknownArchitecture { uri, suite: name, architecture, known }
            } else {
                ArchiveError::UnknownComponent {
                    uri,
                    suite: name,
                    component,
                    known: release.components.clone(),
                }
            });
        }
        wanted.extend(found.into_iter().map(|architecture| (component.as_str(), architecture)));
    }
    // One that fails ends the others, but not the whole operation: the suite may be looked at again.
    parallel::each(&wanted, threads, &Cancel::new(), &|(component, architecture)| {
        fetch_index(context, suite, release, component, architecture)
    })
}

fn suite_index(suite: &Suite, verified: Verified, indexes: Vec<IndexFile>) -> SuiteIndex {
    let Verified { release, sha256, signers } = verified;
    SuiteIndex {
        uri: suite.uri.clone(),
        suite: suite.suite.clone(),
        codename: release.codename,
        origin: release.origin,
        label: release.label,
        date: release.date,
        valid_until: release.valid_until,
        not_automatic: release.not_automatic,
        but_automatic_upgrades: release.but_automatic_upgrades,
        release_sha256: sha256,
        signers,
        indexes,
    }
}

struct Fetcher<'a> {
    context: &'a Context<'a>,
    suite: &'a Suite,
    keyring: &'a Keyring,
}

impl Fetcher<'_> {
    /// Gets the newest Release, or the one of the cache when the server has nothing newer.
    fn verified(&self, is_fresh: bool) -> Result<Verified, ArchiveError> {
        let folder = self.context.cache.release(&self.suite.uri, &self.suite.suite)?;
        // One process at a time, so that none overwrites the memory of another with an older one.
        let _lock = open_locked(&folder.join("lock"), self.context.clock, self.context.cancel)?;
        let seen = Seen::read(&folder.join("seen"))?;
        let location = self.location("InRelease")?;
        if self.context.settings.offline && matches!(location, Location::Http(_)) {
            let signed = cached(&folder)?;
            let what = format!("the Release of `{}` at {}", self.suite.suite, redact(&self.suite.uri));
            return self.check(&signed.ok_or(ArchiveError::Offline { what })?, &seen);
        }
        let kept = read_if_there(&folder.join("InRelease"))?;
        let conditions = match &kept {
            Some(_) if !is_fresh => seen.conditions(),
            _ => Conditions { is_fresh, ..Conditions::default() },
        };
        let mut found = self.context.small(&location, &conditions, RELEASE_BYTES_MAX)?;
        if let (Small::NotModified, Some(kept)) = (&found, kept) {
            match self.check(&Signed::Inline(kept), &seen) {
                // A damaged copy is replaced.
                Err(ArchiveError::Cleartext { .. } | ArchiveError::Signature { .. }) => {
                    let conditions = Conditions { is_fresh: true, ..Conditions::default() };
                    found = self.context.small(&location, &conditions, RELEASE_BYTES_MAX)?;
                }
                result => return result,
            }
        }
        let (signed, etag, modified) = match found {
            Small::Found { bytes, etag, modified } => (Signed::Inline(bytes), etag, modified),
            Small::NotFound | Small::NotModified => (self.detached(is_fresh)?, None, None),
        };
        let verified = self.check(&signed, &seen)?;
        keep(&folder, &signed)?;
        let newest = seen.newest.max(Some(verified.release.date));
        let seen = Seen { newest, etag, modified };
        seen.write(&folder.join("seen"), &redact(&self.suite.uri), &self.suite.suite)?;
        Ok(verified)
    }

    fn location(&self, name: &str) -> Result<Location, ArchiveError> {
        Location::parse(&join(&self.suite.uri, &format!("dists/{}/{name}", self.suite.suite)))
    }

    /// Gets a Release whose signature lies beside it, as archives of old have it.
    fn detached(&self, is_fresh: bool) -> Result<Signed, ArchiveError> {
        let conditions = Conditions { is_fresh, ..Conditions::default() };
        let get = |name| -> Result<Option<Vec<u8>>, ArchiveError> {
            match self.context.small(&self.location(name)?, &conditions, RELEASE_BYTES_MAX)? {
                Small::Found { bytes, .. } => Ok(Some(bytes)),
                Small::NotFound | Small::NotModified => Ok(None),
            }
        };
        let release = get("Release")?.ok_or_else(|| ArchiveError::NoRelease {
            uri: redact(&self.suite.uri),
            suite: self.suite.suite.clone(),
        })?;
        let signature = get("Release.gpg")?.ok_or_else(|| self.signature_error(SignatureError::None))?;
        Ok(Signed::Detached { release, signature })
    }

    /// Makes all checks; nothing but the signed text is looked at after the first.
    fn check(&self, signed: &Signed, seen: &Seen) -> Result<Verified, ArchiveError> {
        let now = self.context.settings.now;
        let (uri, suite) = (redact(&self.suite.uri), self.suite.suite.clone());
        let (text, signers, sha256) = match signed {
            Signed::Inline(bytes) => {
                let cleartext = Cleartext::split(bytes).map_err(|source| ArchiveError::Cleartext {
                    uri: uri.clone(),
                    suite: suite.clone(),
                    source,
                })?;
                let signatures = parse_signatures(&cleartext.armour);
                let signers = verify(self.keyring, &cleartext.canonical(), &signatures, now);
                (cleartext.text, signers, Digest::of(bytes))
            }
            Signed::Detached { release, signature } => {
                let signers = verify(self.keyring, release, &parse_signatures(signature), now);
                (release.clone(), signers, Digest::of(release))
            }
        };
        let signers = signers.map_err(|source| self.signature_error(source))?;
        let release = Release::parse(&text).map_err(|source| ArchiveError::Release {
            uri: uri.clone(),
            suite: suite.clone(),
            source,
        })?;
        if !release.is_of(&suite) {
            let found = release.codename.or(release.suite);
            return Err(ArchiveError::WrongSuite { uri, asked: suite, found });
        }
        let date = release.date;
        if date.duration_since(now) > AHEAD_MAX {
            return Err(ArchiveError::FromFuture { uri, suite, date, now });
        }
        if let Some(valid_until) = release.valid_until.filter(|until| *until < now) {
            return Err(ArchiveError::Expired { uri, suite, valid_until, now });
        }
        if let Some(seen) = seen.newest.filter(|seen| date < *seen && !self.context.settings.allow_older) {
            return Err(ArchiveError::OlderThanSeen { uri, suite, date, seen });
        }
        Ok(Verified { release, sha256, signers })
    }

    fn signature_error(&self, source: SignatureError) -> ArchiveError {
        ArchiveError::Signature {
            uri: redact(&self.suite.uri),
            suite: self.suite.suite.clone(),
            keyring: self.suite.keyring.clone(),
            source: Box::new(source),
        }
    }
}

fn cached(folder: &Path) -> Result<Option<Signed>, ArchiveError> {
    if let Some(bytes) = read_if_there(&folder.join("InRelease"))? {
        return Ok(Some(Signed::Inline(bytes)));
    }
    let release = read_if_there(&folder.join("Release"))?;
    let signature = read_if_there(&folder.join("Release.gpg"))?;
    Ok(release.zip(signature).map(|(release, signature)| Signed::Detached { release, signature }))
}

fn keep(folder: &Path, signed: &Signed) -> Result<(), ArchiveError> {
    match signed {
        Signed::Inline(bytes) => {
            write_whole(&folder.join("InRelease"), bytes)?;
            remove_if_there(&folder.join("Release"))?;
            remove_if_there(&folder.join("Release.gpg"))
        }
        Signed::Detached { release, signature } => {
            write_whole(&folder.join("Release"), release)?;
            write_whole(&folder.join("Release.gpg"), signature)?;
            remove_if_there(&folder.join("InRelease"))
        }
    }
}
