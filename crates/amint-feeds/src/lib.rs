//! Fetches advisories: indexes and changelogs of an image's own archives, and files or addresses that are named.
//!
//! What an image uses is told by [`Installed`]: its release, its suites and repositories, its source packages. From
//! that, [`add_archives`] takes the newest version of every source package, and of what the image has in an older one
//! the changelog (`deb-changelog(5)`); [`add_updates`] takes `updateinfo.xml` of repositories of rpm packages.
//! [`NamedSource`] is a file or an address that a person named.
//!
//! All of it goes into an [`amint_vuln::Builder`]. A source that cannot be fetched is an error: nothing is left out in
//! silence.

#![forbid(unsafe_code)]

mod archives;
mod changelogs;
mod download;
mod error;
mod index;
mod installed;
mod named;
mod repomd;
mod repositories;
mod suites;

pub use archives::{ArchiveCounts, ArchivePlaces, Fetching, add_archives};
pub use download::{DOWNLOAD_BYTES_MAX, DownloadError, Downloaded, Downloads};
pub use error::FeedError;
pub use installed::Installed;
pub use named::{KINDS, NamedSource, NamedSourceError};
pub use repomd::{RepomdError, UpdateInfoFile, read_repomd};
pub use repositories::{UpdateCounts, add_updates};
pub use suites::suites;
