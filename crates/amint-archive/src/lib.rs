//! Debian archives: verified indexes, downloads, the package cache.
//!
//! A client for repositories as <https://wiki.debian.org/DebianRepository/Format> describes them, for hosts without apt
//! or dpkg. A chain of digests leads from a pinned keyring to every byte that is handed out: the keyring verifies the
//! signature of `InRelease` (RFC 9580, section 7), `InRelease` names the SHA-256 of each index, an index names the
//! SHA-256 of each package. Nothing that the chain does not cover is used, and no key is ever fetched.
//!
//! Nothing here reads what an index says about packages, or unpacks one.
//!
//! ```text
//! CACHE/
//!   releases/0123…/     one folder per suite: InRelease, and `seen` with the newest date ever accepted
//!   indexes/0123….xz    indexes, named by the SHA-256 of their compressed bytes
//!   packages/ab/ab….deb packages, named by the SHA-256 of their bytes
//!   partial/            downloads under way, locked by their process, taken up again by the next one
//! ```

mod cache;
mod cleartext;
mod client;
mod clock;
mod error;
mod evict;
mod fetch;
mod http;
mod index;
mod keyring;
mod packages;
mod parallel;
mod partial;
mod progress;
mod proxies;
mod rate;
mod release;
mod seen;
mod settings;
mod signature;
mod suite;
mod uri;

pub use cleartext::{Cleartext, CleartextError};
pub use client::Client;
pub use clock::{Clock, SystemClock};
pub use error::ArchiveError;
pub use evict::{Evicted, evict_packages};
pub use index::{Compression, INDEX_PLAIN_BYTES_MAX, IndexFile};
pub use keyring::{Keyring, KeyringError};
pub use packages::PackageFile;
pub use proxies::Proxies;
pub use release::{Release, ReleaseError, ReleaseFile};
pub use settings::ClientSettings;
pub use signature::SignatureError;
pub use suite::{Suite, SuiteIndex};
pub use uri::{package_location, redact};
