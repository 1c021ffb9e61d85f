//! What can go wrong with keys.

use std::io;
use std::path::{Path, PathBuf};

use amint_types::Hint;

use super::{PEM_BYTES_MAX, TRUSTED_KEYS_MAX};
use crate::shown::shown;

/// A key could not be made, read or trusted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// A file or folder could not be used.
    #[error("failed to {action} {}", .path.display())]
    Io {
        /// What was tried: `read`, `create`, `write`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The path of a key leads to a folder, a pipe or a device.
    #[error("{} is no regular file", .path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// The file is larger than any key.
    #[error("{} has more than {PEM_BYTES_MAX} bytes", .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// Others than the owner may read or change a private key.
    #[error("the private key {} is open to others (mode {mode:04o})", .path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// Others than the owner may replace the own private key, since they may change its folder.
    #[error("the folder {} of the private key can be changed by others (mode {mode:04o})", .path.display())]
    FolderExposed {
        /// The folder.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The file's text is not the key that was expected.
    #[error("{} holds no usable key", .path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: PemError,
    },
    /// The system gave no random bytes to make a key of.
    #[error("failed to make a key")]
    Random {
        /// Why not.
        #[source]
        source: getrandom::Error,
    },
    /// A folder of trusted keys has no `*.pem` file.
    #[error("{} has no public keys (`*.pem`)", .path.display())]
    NoKeys {
        /// The folder.
        path: PathBuf,
    },
    /// More keys were found than are tried.
    #[error("{} has more than {TRUSTED_KEYS_MAX} public keys", .path.display())]
    TooManyKeys {
        /// The file or folder.
        path: PathBuf,
    },
}

/// A text is not the PEM form of the key that was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PemError {
    /// There is no `-----BEGIN …-----` line.
    #[error("it is not in PEM form")]
    NotPem,
    /// It is a private key under a passphrase.
    #[error("it is a private key under a passphrase")]
    Encrypted,
    /// It is something else, such as a certificate or a key in the form of OpenSSH.
    #[error("it is `{}` instead of `{expected}`", shown(.found))]
    Label {
        /// What it is, as its first line tells.
        found: String,
        /// What it should be.
        expected: &'static str,
    },
    /// It is a key of another algorithm.
    #[error("it is a key for {found} instead of Ed25519")]
    Algorithm {
        /// The algorithm: its name, or its object identifier.
        found: String,
    },
    /// The PEM or the DER in it is damaged.
    #[error("it is damaged")]
    Damaged,
    /// The public half that a private key carries belongs to another private key.
    #[error("its private and its public half do not belong together")]
    HalvesDiffer,
    /// The public key is a point of small order: anybody can make signatures that hold.
    #[error("it is a weak key that anybody can sign for")]
    Weak,
}

impl KeyError {
    /// Makes an error of what happened to `path`, for `map_err`.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }

    /// Makes an error of what a file holds, for `map_err`.
    pub(super) fn pem(path: &Path) -> impl FnOnce(PemError) -> Self {
        move |source| Self::Pem { path: path.to_owned(), source }
    }

    /// Tells whether there is no file or folder of that name.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

impl Hint for KeyError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Exposed { path, .. } => Some(format!(
                "`chmod 600 {}`; if others may have read it, make a new one and trust this one no more",
                path.display()
            )),
            Self::FolderExposed { path, .. } => Some(format!("`chmod go-w {}`", path.display())),
            Self::Pem { source, .. } => source.hint(),
            Self::NoKeys { .. } => Some(
                "`openssl pkey -in KEY -pubout -out NAME.pem` writes the public half of a key".to_owned(),
            ),
            _ => None,
        }
    }
}

impl Hint for PemError {
    fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Encrypted => {
                "`openssl pkey -in KEY -out PLAIN_KEY` takes the passphrase away; keep the result private"
            }
            Self::Label { found, expected: "PUBLIC KEY" } if found.ends_with("PRIVATE KEY") => {
                "no private key belongs among the trusted: `openssl pkey -in KEY -pubout` gives the public half"
            }
            Self::Label { expected: "PUBLIC KEY", .. } => {
                "`openssl pkey -in KEY -pubout` writes the form that is read"
            }
            Self::NotPem | Self::Label { .. } | Self::Algorithm { .. } => {
                "`openssl genpkey -algorithm ed25519 -out KEY` makes a private key that fits"
            }
            _ => return None,
        };
        Some(text.to_owned())
    }
}
