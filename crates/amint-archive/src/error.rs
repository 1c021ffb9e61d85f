//! What can go wrong with an archive.

use std::io;
use std::path::{Path, PathBuf};

use amint_types::{Cancelled, Digest, Hint, format_bytes};
use jiff::Timestamp;

use crate::cleartext::CleartextError;
use crate::keyring::KeyringError;
use crate::release::ReleaseError;
use crate::signature::SignatureError;

/// Something could not be had from an archive. No text of it shows a user or a password of a URI.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// A file or folder of the cache could not be used.
    #[error("failed to {action} {path}")]
    Cache {
        /// What was tried: `read`, `write`, `remove`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A keyring could not be used.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// A URI cannot be used.
    #[error("the location `{uri}` {problem}")]
    BadUri {
        /// The URI, without secrets.
        uri: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A suite's name cannot be one.
    #[error("the suite `{suite}` {problem}")]
    BadSuite {
        /// The name.
        suite: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A path that an archive names leads out of it.
    #[error("the path `{path}` {problem}")]
    BadPath {
        /// The path.
        path: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A server answered with an error.
    #[error("{uri}: HTTP status {status}")]
    Status {
        /// What was asked for.
        uri: String,
        /// The status: 404.
        status: u16,
    },
    /// A server could not be reached, or the connection broke, as often as it was tried.
    #[error("{uri}: no answer (attempts: {attempts})")]
    Unreachable {
        /// What was asked for.
        uri: String,
        /// How often it was tried.
        attempts: u32,
        /// Why not, the last time.
        #[source]
        source: io::Error,
    },
    /// A server has no certificate that this host trusts, or cannot agree with it on how to encrypt.
    #[error("{uri}: the server cannot be trusted")]
    Untrusted {
        /// What was asked for.
        uri: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A redirect leads where none may lead.
    #[error("{uri}: the redirect {problem}")]
    Redirect {
        /// What was asked for.
        uri: String,
        /// What is wrong with its target.
        problem: &'static str,
    },
    /// A proxy of the settings cannot be used.
    #[error("the proxy for {scheme} cannot be used")]
    Proxy {
        /// Which one: `http`, `https`.
        scheme: &'static str,
    },
    /// Something is not in the cache, and the network must not be used.
    #[error("{what} is not in the cache")]
    Offline {
        /// What: a package, an index.
        what: String,
    },
    /// A file of a local repository could not be read.
    #[error("failed to read {path}")]
    Local {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A repository has neither an `InRelease` nor a `Release` for the suite.
    #[error("{uri} has no suite `{suite}`")]
    NoRelease {
        /// The repository.
        uri: String,
        /// The suite.
        suite: String,
    },
    /// An `InRelease` is not what is expected, before any signature is looked at.
    #[error("the InRelease of `{suite}` at {uri} cannot be used")]
    Cleartext {
        /// The repository.
        uri: String,
        /// The suite.
        suite: String,
        /// Why.
        #[source]
        source: CleartextError,
    },
    /// No signature of a Release counts.
    #[error("the signature of `{suite}` at {uri} cannot be trusted (keyring {keyring})")]
    Signature {
        /// The repository.
        uri: String,
        /// The suite.
        suite: String,
        /// The keyring that was used.
        keyring: PathBuf,
        /// Why.
        #[source]
        source: Box<SignatureError>,
    },
    /// A signed Release cannot be read.
    #[error("the Release of `{suite}` at {uri} cannot be used")]
    Release {
        /// The repository.
        uri: String,
        /// The suite.
        suite: String,
        /// Why.
        #[source]
        source: ReleaseError,
    },
    /// A Release is signed, but for another suite.
    #[error("{uri} answers for `{asked}` with the suite {}", .found.as_deref().unwrap_or("of no name"))]
    WrongSuite {
        /// The repository.
        uri: String,
        /// The suite that was asked for.
        asked: String,
        /// What the Release says it is.
        found: Option<String>,
    },
    /// A Release is past its `Valid-Until`: it may be an old one, replayed to hide updates.
    #[error("the Release of `{suite}` at {uri} was valid until {valid_until}, now it is {now}")]
    Expired {
        /// The repository.
        uri: String,
        /// The suite.
        suite: String,
        /// Until when.
        valid_until: Timestamp,
        /// The present time.
        now: Timestamp,
    },
    /// A Release is dated more than a day ahead.
    #[error("the Release of `{suite}` at {uri} is dated {date}, now it is {now}")]
    FromFuture {
        /// The repository.
        uri: String,
        /// The suite.
        suite: String,
        /// Its date.
        date: Timestamp,
        /// The present time.
        now: Timestamp,
    },
    /// A Release is older than one that was seen before: the mirror lags behind, or hides updates.
    #[error("the Release of `{suite}` at {uri} is of {date}, but one of {seen} was seen before")]
    OlderThanSeen {
        /// The repository.
        uri: String,
        /// The suite.
        suite: String,
        /// Its date.
        date: Timestamp,
        /// The date of the newest one seen.
        seen: Timestamp,
    },
    /// A suite does not have the component.
    #[error("the suite `{suite}` at {uri} has no component `{component}`")]
    UnknownComponent {
        /// The repository.
        uri: String,
        /// The suite.
        suite: String,
        /// The component that was asked for.
        component: String,
        /// What it has.
        known: Vec<String>,
    },
    /// A suite does not have the architecture.
    #[error("the suite `{suite}` at {uri} has no packages for `{architecture}`")]
    UnknownArchitecture {
        /// The repository.
        uri: String,
        /// The suite.
        suite: String,
        /// The architecture that was asked for.
        architecture: String,
        /// What it has.
        known: Vec<String>,
    },
    /// A file is larger than what is read of its kind.
    #[error("{what} has {}, more than {}", format_bytes(*.bytes), format_bytes(*.bytes_max))]
    TooLarge {
        /// What it is.
        what: String,
        /// Its size, as far as known.
        bytes: u64,
        /// The limit.
        bytes_max: u64,
    },
    /// A file has another size than the archive's signed data says.
    #[error("{uri}: {found} bytes instead of {expected}")]
    Size {
        /// Where it lies.
        uri: String,
        /// The size it should have.
        expected: u64,
        /// The size it has, as far as it was looked at.
        found: u64,
    },
    /// A file has another digest than the archive's signed data says.
    #[error("{uri}: SHA-256 {found} instead of {expected}")]
    Hash {
        /// Where it lies.
        uri: String,
        /// The digest it should have.
        expected: Digest,
        /// The digest it has.
        found: Digest,
    },
    /// A package has no location to get it from.
    #[error("there is no location for it")]
    NoLocation,
    /// A package could not be had from any of its locations.
    #[error("failed to get `{name}`")]
    Package {
        /// The package's name, for people.
        name: String,
        /// What happened at the last location.
        #[source]
        source: Box<ArchiveError>,
    },
    /// The user stopped it.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl ArchiveError {
    /// Tells whether the file system of the cache is full.
    pub fn is_full(&self) -> bool {
        match self {
            Self::Cache { source, .. } => {
                matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
            }
            Self::Package { source, .. } => source.is_full(),
            _ => false,
        }
    }

    /// Tells whether the user stopped it.
    pub fn is_cancelled(&self) -> bool {
        match self {
            Self::Cancelled(_) => true,
            Self::Package { source, .. } => source.is_cancelled(),
            _ => false,
        }
    }

    /// Tells whether a file does not exist where it was looked for.
    pub(crate) fn is_not_found(&self) -> bool {
        match self {
            Self::Status { status, .. } => matches!(status, 404 | 410),
            Self::Local { source, .. } => source.kind() == io::ErrorKind::NotFound,
            _ => false,
        }
    }

    /// Tells whether the mirror may just be changing from one state of the archive to the next.
    pub(crate) fn is_in_transition(&self) -> bool {
        matches!(self, Self::Hash { .. } | Self::Size { .. } | Self::OlderThanSeen { .. })
            || self.is_not_found()
    }

    /// Makes an error of what happened to `path` of the cache, for `map_err`.
    pub(crate) fn cache(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Cache { action, path: path.to_owned(), source }
    }
}

impl Hint for ArchiveError {
    fn hint(&self) -> Option<String> {
        let text = match self {
            error @ Self::Cache { .. } if error.is_full() => {
                "free space on the file system of the cache, or put the cache elsewhere"
            }
            Self::Cache { source, path, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                return Some(format!("the cache belongs to one user: see who owns {}", path.display()));
            }
            Self::Cache { source, .. } if source.kind() == io::ErrorKind::InvalidData => {
                "remove that file, if you trust the mirror to have the newest Release now"
            }
            Self::Keyring(error) => return error.hint(),
            Self::BadUri { .. } => {
                "repositories are named `http://…`, `https://…`, `file:///…` or by an absolute path"
            }
            Self::BadSuite { .. } => "flat repositories are not supported: name a suite such as `trixie`",
            Self::BadPath { .. } => "the repository is damaged or hostile: do not use it",
            Self::Status { status: 401 | 403, .. } => {
                "the server wants a user and a password, or does not let this host in"
            }
            Self::Status { status: 404 | 410, .. } => {
                "the mirror does not have the file (any more): use newer indexes, or another mirror"
            }
            Self::Status { status: 407, .. } => "give the proxy's user and password in its URI",
            Self::Status { .. } => "the server has a problem: try again later, or use another mirror",
            Self::Unreachable { .. } => {
                "check the network, the mirror's name, and the proxy (`http_proxy`, `https_proxy`, `no_proxy`)"
            }
            Self::Untrusted { .. } => {
                "check the clock of this host and the authorities it trusts (`SSL_CERT_FILE`, package ca-certificates)"
            }
            Self::Redirect { .. } => "name the mirror by the place it redirects to",
            Self::Proxy { .. } => {
                "proxies are named `http://HOST:PORT`, `https://HOST:PORT` or `socks5h://HOST:PORT`"
            }
            Self::Offline { .. } => "run it once with the network",
            Self::NoRelease { .. } => "check the repository's URI and the suite's name",
            Self::Cleartext { source, .. } => match source {
                CleartextError::NotSigned => "only signed repositories are used",
                _ => "the file was changed on its way, or the mirror is damaged: try another mirror",
            },
            Self::Signature { source, .. } => return source.hint(),
            Self::Release { .. } => "the repository is not one of the present format",
            Self::WrongSuite { .. } => "use the name that the repository gives the suite, or another mirror",
            Self::Expired { .. } => {
                "the mirror no longer follows the archive, or hides updates: use another; and check the clock of this \
                 host. An old snapshot needs its day as the present time"
            }
            Self::FromFuture { .. } => "check the clock of this host",
            Self::OlderThanSeen { .. } => {
                "try again later or use another mirror; to use it knowingly, allow older Releases"
            }
            Self::UnknownComponent { known, .. } => return Some(format!("it has {}", known.join(", "))),
            Self::UnknownArchitecture { known, .. } => {
                return Some(format!("it has packages for {}", known.join(", ")));
            }
            Self::Size { .. } | Self::Hash { .. } => {
                "the mirror may just be updated: try again in some minutes, or use another mirror"
            }
            Self::Package { source, .. } => return source.hint(),
            _ => return None,
        };
        Some(text.to_owned())
    }
}
