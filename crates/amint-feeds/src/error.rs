//! What can go wrong when advisories are fetched.

use std::io;
use std::path::PathBuf;

use amint_archive::ArchiveError;
use amint_types::{Cancelled, Hint};
use amint_vuln::BuildError;

use crate::download::DownloadError;
use crate::repomd::RepomdError;

/// Advisories could not be fetched or taken in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeedError {
    /// A suite, or a package of it, could not be had.
    #[error("failed to fetch `{name}`")]
    Archive {
        /// The source: `debian:12`.
        name: String,
        /// Why.
        #[source]
        source: Box<ArchiveError>,
    },
    /// An index cannot be read.
    #[error("failed to read the index of `{name}`")]
    Index {
        /// The source.
        name: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// No mirror of a suite is known.
    #[error("no mirror is known of the suite `{suite}` of {ecosystem}")]
    NoMirror {
        /// The suite.
        suite: String,
        /// Whose.
        ecosystem: String,
    },
    /// The keys that an archive is signed with are not on this machine.
    #[error("the keyring {} is not there, and unsigned archives are never used", path.display())]
    NoKeyring {
        /// Where it should be.
        path: PathBuf,
    },
    /// A file could not be downloaded.
    #[error("failed to fetch `{name}`")]
    Download {
        /// The source.
        name: String,
        /// Why.
        #[source]
        source: DownloadError,
    },
    /// The description of a repository makes no sense.
    #[error("failed to read the description of `{name}`")]
    Repomd {
        /// The source.
        name: String,
        /// Why.
        #[source]
        source: RepomdError,
    },
    /// A source could not be imported.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The user asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl FeedError {
    /// Tells whether the user asked to stop.
    pub fn is_cancelled(&self) -> bool {
        match self {
            Self::Cancelled(_) => true,
            Self::Archive { source, .. } => source.is_cancelled(),
            Self::Download { source, .. } => matches!(source, DownloadError::Cancelled(_)),
            _ => false,
        }
    }
}

impl Hint for FeedError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Archive { source, .. } => source.hint(),
            Self::NoMirror { .. } => Some(
                "name it with `--security-mirror`, or use other advisories with `--no-archives`".to_owned(),
            ),
            Self::NoKeyring { .. } => Some(
                "install the distribution's keyring package, or name the file with `--keyring`".to_owned(),
            ),
            _ => None,
        }
    }
}
