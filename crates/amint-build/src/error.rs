//! How a build fails.

use std::io;
use std::path::PathBuf;

use amint_archive::ArchiveError;
use amint_disk::image::ImageError;
use amint_scan::ScanError;
use amint_types::{Architecture, Cancelled, Hint};

use crate::command::CommandError;
use crate::install::InstallError;
use crate::locking::LockingError;
use crate::mirror::NoMirror;
use crate::tree::TreeError;

/// A build could not be finished.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// No mirror is known.
    #[error(transparent)]
    NoMirror(#[from] NoMirror),
    /// The recipe asks for an architecture that this machine cannot build.
    #[error("images for {wanted} cannot be built on this machine ({host})")]
    Architecture {
        /// What the recipe asks for.
        wanted: Architecture,
        /// What this machine is.
        host: &'static str,
    },
    /// The packages of the lock cannot be found.
    #[error(transparent)]
    Locking(#[from] LockingError),
    /// Packages could not be fetched.
    #[error("failed to fetch packages")]
    Fetch(#[from] ArchiveError),
    /// Installing packages failed.
    #[error("failed to install packages")]
    Install(#[from] InstallError),
    /// A step of the recipe failed.
    #[error("failed to run step {number} of the recipe (`{name}`)")]
    Step {
        /// The step's place among `[[run]]`, from 1.
        number: usize,
        /// Its name.
        name: String,
        /// Why.
        #[source]
        source: CommandError,
    },
    /// A file of the recipe could not be copied.
    #[error("failed to copy {path}")]
    Copy {
        /// The file on this machine.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// An owner or group is not in the image.
    #[error("the image has no {kind} `{name}` (wanted by `{target}`)")]
    NoSuchOwner {
        /// `user` or `group`.
        kind: &'static str,
        /// The name.
        name: String,
        /// The file's target in the image.
        target: String,
    },
    /// A program of the build failed inside the image.
    #[error("failed to configure the image")]
    Configure(#[source] CommandError),
    /// The image has no kernel.
    #[error("the image has no kernel in /boot")]
    NoKernel,
    /// The tree could not be read or changed.
    #[error("failed to change the image's files")]
    Tree(#[from] TreeError),
    /// The rules could not be applied.
    #[error("failed to harden the image")]
    Scan(#[from] ScanError),
    /// The disk could not be made.
    #[error("failed to assemble the disk")]
    Assemble(#[from] ImageError),
    /// A layer of the cache could not be read back; it was removed.
    #[error("a layer of the cache was damaged and was removed")]
    DamagedLayer {
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file of the work folder could not be used.
    #[error("failed to use {path}")]
    Work {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The user asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl BuildError {
    /// Tells whether the build was stopped by the user.
    pub fn is_cancelled(&self) -> bool {
        match self {
            Self::Cancelled(_) => true,
            Self::Configure(error) | Self::Step { source: error, .. } => {
                matches!(error, CommandError::Cancelled(_))
            }
            Self::Locking(error) => error.is_cancelled(),
            Self::Fetch(error) => error.is_cancelled(),
            Self::Install(error) => error.is_cancelled(),
            Self::Assemble(error) => matches!(error, ImageError::Cancelled(_)),
            _ => false,
        }
    }

    /// Tells whether this machine lacks something, rather than the recipe being wrong.
    pub fn is_environment(&self) -> bool {
        match self {
            Self::NoMirror(_)
            | Self::Architecture { .. }
            | Self::Work { .. }
            | Self::DamagedLayer { .. }
            | Self::Fetch(_)
            | Self::Install(_)
            | Self::Tree(_)
            | Self::Assemble(_) => true,
            Self::Locking(error) => error.is_environment(),
            Self::Configure(error) | Self::Step { source: error, .. } => {
                matches!(error, CommandError::Missing { .. } | CommandError::Start { .. })
            }
            _ => false,
        }
    }
}

impl Hint for BuildError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NoMirror(error) => error.hint(),
            Self::Architecture { .. } => Some("build on a machine of that architecture".to_owned()),
            Self::Locking(error) => error.hint(),
            Self::Fetch(error) => error.hint(),
            Self::Install(error) => error.hint(),
            Self::Step { source, .. } => source.hint().or_else(|| {
                Some("run again with `--verbose` to see everything the step wrote, or `--keep` to look at the tree".to_owned())
            }),
            Self::Configure(error) => error.hint(),
            Self::NoSuchOwner { .. } => {
                Some("a package or a `[[run]]` step has to make the account first; `[[files]]` come before `[[run]]`, so set the owner there".to_owned())
            }
            Self::Assemble(error) => error.hint(),
            Self::Scan(error) => error.hint(),
            _ => None,
        }
    }
}
