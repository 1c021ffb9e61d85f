//! What the store knows of its files: a trait, so that another database can take the place of `SQLite`.

mod sqlite;

use std::error::Error;

use amint_types::{Digest, Hint, ImageRef};
use jiff::Timestamp;
use serde_json::{Map, Value};

pub(crate) use sqlite::SqliteCatalogue;

use crate::operation::{OperationId, OperationRecord, Outcome};
use crate::record::{ImageId, ImageRecord, PutRequest};

/// The catalogue failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogueError {
    /// The store was made, or last used, by a newer version of amint.
    #[error("the store has schema version {found}, this amint knows {known}")]
    Newer {
        /// The store's version.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// The file is a database, but not a catalogue of a store.
    #[error("it is not a catalogue of a store")]
    Foreign,
    /// The file system is full.
    #[error("the file system is full")]
    Full {
        /// The database's error.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// Another process held the database for too long.
    #[error("another process is writing to it")]
    Busy {
        /// The database's error.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The database is damaged, or holds what cannot be.
    #[error("it is damaged")]
    Damaged {
        /// What was found.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The database failed otherwise.
    #[error("the database failed")]
    Failed {
        /// The database's error.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

impl Hint for CatalogueError {
    fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Newer { .. } => "use the newer amint, or another store (`AMINT_HOME`)",
            Self::Foreign => "use another folder for the store (`AMINT_HOME`)",
            Self::Full { .. } => "free space on the file system of the store",
            Self::Busy { .. } => "try again when it has finished",
            Self::Damaged { .. } => "restore the store from a backup, or build the images again in a new one",
            Self::Failed { .. } => return None,
        };
        Some(text.to_owned())
    }
}

type Result<T> = std::result::Result<T, CatalogueError>;

/// The beginning of an operation.
#[derive(Debug)]
pub(crate) struct Begin<'a> {
    pub(crate) kind: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) intent: &'a Value,
    pub(crate) owner: &'a str,
    pub(crate) at: Timestamp,
}

/// The end of an operation.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) operation: OperationId,
    pub(crate) outcome: Outcome,
    pub(crate) result: Map<String, Value>,
    pub(crate) at: Timestamp,
}

/// An image whose files are all in place and synced.
#[derive(Debug)]
pub(crate) struct Commit<'a> {
    pub(crate) request: &'a PutRequest,
    pub(crate) digest: Digest,
    pub(crate) disk_bytes: u64,
    pub(crate) used_bytes: u64,
    /// Blocks that are safely on the disk from now on.
    pub(crate) blocks: &'a [Digest],
    /// Gets `unchanged` added to its result.
    pub(crate) end: End,
}

/// What the store knows of its files. Each method is one transaction: it happens as a whole, durably, or not at all.
pub(crate) trait Catalogue: Send + Sync + std::fmt::Debug {
    /// Returns all images, the newest put first; without those replaced unless asked for.
    fn images(&self, include_replaced: bool) -> Result<Vec<ImageRecord>>;
    /// Returns the image of that name: of the version, or the newest put.
    fn find(&self, reference: &ImageRef) -> Result<Option<ImageRecord>>;
    /// Gives an image its name, marks the one that had it as replaced, trusts its blocks and ends the operation.
    /// Returns the image, and whether it was there already with the same digest, which changes documents only.
    fn commit(&self, commit: Commit<'_>) -> Result<(ImageRecord, bool)>;
    /// Takes the name from an image, forgets those that it replaced, and ends the operation.
    fn remove(&self, image: ImageId, end: End) -> Result<()>;
    /// Counts images that were removed or replaced.
    fn count_gone(&self) -> Result<u64>;
    /// Forgets images that were removed or replaced, and trusts no block any more that `is_live` denies.
    fn purge(&self, is_live: &dyn Fn(Digest) -> bool) -> Result<u64>;
    /// Returns a document of an image.
    fn document(&self, image: ImageId, kind: &str) -> Result<Option<Vec<u8>>>;
    /// Stores a document, in place of an older one; false when the image is gone.
    fn put_document(&self, image: ImageId, kind: &str, bytes: &[u8]) -> Result<bool>;
    /// Tells whether a commit has vouched for a block.
    fn is_trusted(&self, block: Digest) -> Result<bool>;
    /// Trusts a block no more: the next put compares it, and writes it anew.
    fn distrust(&self, block: Digest) -> Result<()>;
    /// Returns all pins: name and manifest.
    fn pins(&self) -> Result<Vec<(String, Digest)>>;
    /// Keeps a manifest under a name, and trusts its blocks, which are safely on the disk.
    fn pin(&self, name: &str, manifest: Digest, blocks: &[Digest]) -> Result<()>;
    /// Forgets a pin; false when there is none.
    fn unpin(&self, name: &str) -> Result<bool>;
    /// Adds the beginning of an operation to the log.
    fn begin(&self, begin: &Begin<'_>) -> Result<OperationId>;
    /// Adds the end of an operation to the log; false when it has one already, or never began.
    fn finish(&self, end: &End) -> Result<bool>;
    /// Returns operations, the last first.
    fn operations(&self, limit: Option<u64>) -> Result<Vec<OperationRecord>>;
}
