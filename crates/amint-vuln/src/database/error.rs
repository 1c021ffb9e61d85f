//! What can be wrong with a database.

use std::io;

/// A database cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// Reading or writing failed.
    #[error("could not access the advisory database")]
    Io(#[from] io::Error),
    /// The file is something else.
    #[error("the file is no advisory database of amint")]
    NotADatabase,
    /// A later amint made it.
    #[error("the advisory database has the format version {found}, and this amint reads version {known}")]
    Version {
        /// The version it has.
        found: u32,
        /// The version that can be read.
        known: u32,
    },
    /// A checksum is wrong, or the content makes no sense.
    #[error("the advisory database is damaged: {0}")]
    Damaged(&'static str),
    /// It holds more than a limit allows.
    #[error("the advisory database is beyond a limit: {0}")]
    TooLarge(&'static str),
    /// A signature was asked for, and there is none.
    #[error("the advisory database is not signed")]
    Unsigned,
    /// The signature is by nobody who is trusted, or does not hold.
    #[error("the advisory database is not signed by a trusted key")]
    Untrusted(#[source] Box<dyn std::error::Error + Send + Sync>),
}
