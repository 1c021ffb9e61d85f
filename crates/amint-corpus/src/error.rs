//! What can be wrong with the texts of the corpus.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// The corpus could not be read.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CorpusError {
    /// A file or folder of the corpus cannot be read.
    #[error("failed to read `{}`", .path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: Arc<io::Error>,
    },
    /// The header of a text is no header.
    #[error("the header of `{name}` is wrong")]
    Header {
        /// The text.
        name: String,
        /// Why.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// A text has a line that cannot be understood.
    #[error("`{name}` line {line}: {what}")]
    Line {
        /// The text.
        name: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
    /// A case or a base names a base that is not there, or bases that stand on each other.
    #[error("`{name}` stands on `{base}`, which is no base")]
    Base {
        /// The text.
        name: String,
        /// What it names.
        base: String,
    },
}
