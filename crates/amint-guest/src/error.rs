//! Why a guest could not be booted at all.
//!
//! A guest that boots and misbehaves is no error but a failed check in the report.

use std::io;
use std::path::{Path, PathBuf};

use amint_types::{Cancelled, Hint};

use crate::machine::QmpError;

/// Why a guest could not be booted at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GuestError {
    /// A program or a firmware file is not installed.
    #[error("failed to find `{tool}`")]
    ToolMissing {
        /// The program or file.
        tool: String,
        /// The packages that bring it.
        package: &'static str,
    },
    /// The architecture has no such firmware: arm64 knows no BIOS.
    #[error("failed to start {architecture} by {firmware}")]
    UnsupportedFirmware {
        /// The architecture.
        architecture: &'static str,
        /// The firmware.
        firmware: &'static str,
    },
    /// A test of the recipe asks for something that cannot be asked.
    #[error("failed to understand test `{name}`: {reason}")]
    InvalidTest {
        /// The test.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file or folder could not be used.
    #[error("failed to {action} `{}`", path.display())]
    File {
        /// What was tried: `read`, `write`.
        action: &'static str,
        /// The path.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The overlay of the image could not be made.
    #[error("failed to make an overlay of `{}`", path.display())]
    Overlay {
        /// The image.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<amint_disk::export::ExportError>,
    },
    /// A program could not be started.
    #[error("failed to start `{program}`")]
    Start {
        /// The program.
        program: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// QEMU ended before the guest ran.
    #[error("failed to start the machine: {message}")]
    MachineDied {
        /// The last lines that QEMU wrote.
        message: String,
    },
    /// QEMU's control socket does not answer as it should.
    #[error("failed to control the machine")]
    Control(#[from] QmpError),
    /// The identity document of an instance could not be signed.
    #[error("failed to sign the identity document")]
    Identity(#[from] amint_identity::local::LocalKeysError),
    /// The login key could not be made or written.
    #[error("failed to make a login key")]
    Key(#[source] russh::keys::ssh_key::Error),
    /// The asynchronous runtime or a listener could not be set up.
    #[error("failed to set up the test bench")]
    Runtime(#[source] io::Error),
    /// The guest never let the user in.
    #[error("failed to log in to the guest: {reason}\n--- the last lines of its console ---\n{console_tail}")]
    NoLogin {
        /// What was seen.
        reason: String,
        /// The last lines of the serial console.
        console_tail: String,
    },
    /// The user asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl GuestError {
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { action, path, source }
    }
}

impl Hint for GuestError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::ToolMissing { package, .. } => Some(format!("install {package}")),
            Self::UnsupportedFirmware { .. } => Some("use `uefi`".to_owned()),
            Self::Overlay { source, .. } => source.hint(),
            Self::MachineDied { message } if message.contains("memory") => {
                Some("give the guest less memory, or free some".to_owned())
            }
            Self::NoLogin { .. } => Some(
                "the console shows how far the guest came; an image needs cloud-init (or the like), an SSH server \
                 and a kernel command line with `console=ttyS0`"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}
