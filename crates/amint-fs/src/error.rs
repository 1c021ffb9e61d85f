//! What can go wrong inside a file system.

use std::io;
use std::sync::Arc;

use amint_types::Hint;

/// A file system could not be read.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FsError {
    /// The source holds no file system of the kind asked for.
    #[error("no {0} here")]
    NotThis(&'static str),
    /// The file system uses something that the reader does not know; whatever it said would be a guess.
    #[error("the {filesystem} uses {feature}, which amint cannot read")]
    Unsupported {
        /// Which file system.
        filesystem: &'static str,
        /// What it uses.
        feature: String,
    },
    /// The file system contradicts itself.
    #[error("the {filesystem} is damaged: {what}")]
    Damaged {
        /// Which file system.
        filesystem: &'static str,
        /// What does not fit, and where.
        what: String,
    },
    /// A limit of the reader was met: more names, more depth, more bytes than any honest image has.
    #[error("the {filesystem} has {what}")]
    Limit {
        /// Which file system.
        filesystem: &'static str,
        /// What went over which limit.
        what: String,
    },
    /// Nothing has this name.
    #[error("nothing is there")]
    NotFound,
    /// A folder, a file or a link was needed, and something else was there.
    #[error("it is not {0}")]
    WrongKind(&'static str),
    /// The content is encrypted.
    #[error("it is encrypted")]
    Encrypted,
    /// The source could not be read.
    #[error("failed to read the disk")]
    Io(#[source] Arc<io::Error>),
}

impl From<io::Error> for FsError {
    fn from(error: io::Error) -> Self {
        Self::Io(Arc::new(error))
    }
}

impl FsError {
    /// Tells whether the error says that nothing is there, as opposed to not knowing what is there.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::NotFound)
    }
}

impl Hint for FsError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Damaged { .. } => {
                Some("check a copy of the image with the file system's own tool, or make it again".to_owned())
            }
            _ => None,
        }
    }
}
