//! How installing packages fails.

use std::io;
use std::path::PathBuf;

use amint_debian::deb::DebError;
use amint_types::{Cancelled, Hint};

use crate::command::CommandError;

/// Packages could not be installed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// A package file is damaged, or not the one that was asked for.
    #[error(transparent)]
    Package(#[from] DebError),
    /// A package file is of another package than the lock says.
    #[error("the package file of `{wanted}` holds `{found}`")]
    OtherPackage {
        /// Name, version and architecture that it should hold.
        wanted: String,
        /// What it holds.
        found: String,
    },
    /// A file of a package could not be written into the tree.
    #[error("could not unpack `{path}` of `{package}`")]
    Unpack {
        /// The package.
        package: String,
        /// The path in the image.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Two packages bring the same file, and neither says that it replaces the other's.
    #[error("`{first}` and `{second}` both bring `{path}`")]
    Overlap {
        /// The path in the image.
        path: String,
        /// One package.
        first: String,
        /// The other.
        second: String,
    },
    /// A package brings something that packages may not bring.
    #[error("`{package}` brings `{path}`, which {what}")]
    Forbidden {
        /// The package.
        package: String,
        /// The path as the package has it.
        path: String,
        /// What is wrong with it: reads after "which".
        what: &'static str,
    },
    /// The package database of the tree could not be read or written.
    #[error("could not write the package database ({})", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A script of a package failed.
    #[error("could not configure the packages")]
    Configure(#[source] CommandError),
    /// The user asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl InstallError {
    /// Tells whether the user asked to stop.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Cancelled(_) | Self::Configure(CommandError::Cancelled(_)))
    }
}

impl Hint for InstallError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Package(_) | Self::OtherPackage { .. } => Some(
                "the cached package file is not what its archive signed: remove it and build again"
                    .to_owned(),
            ),
            Self::Overlap { first, second, .. } => {
                Some(format!("leave out `{first}` or `{second}`; dpkg would refuse them as well"))
            }
            Self::Unpack { source, .. } | Self::Database { source, .. }
                if source.kind() == io::ErrorKind::StorageFull =>
            {
                Some(
                    "the disk is full: free some space, or set AMINT_TMPDIR to a folder with more".to_owned(),
                )
            }
            Self::Configure(error) => error.hint().or_else(|| {
                Some(
                    "run again with `--verbose` to see everything that the packages' scripts wrote"
                        .to_owned(),
                )
            }),
            _ => None,
        }
    }
}
