//! Which store a database is, and the headers in it.

use crate::Problems;

use super::{berkeley, ndb, sqlite};

/// Longest header: rpm's own limit for the data, and its index.
pub const HEADER_BYTES_MAX: usize = 257 * 1024 * 1024;
/// Most headers of one database; the largest systems have some 10,000 packages.
pub const PACKAGES_MAX: usize = 200_000;

/// How a database keeps its headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Store {
    /// A table of `SQLite` (`rpmdb.sqlite`).
    Sqlite,
    /// Slots and blobs of rpm's own (`Packages.db`).
    Ndb,
    /// A hash of Berkeley DB (`Packages`).
    BerkeleyHash,
}

impl Store {
    /// Knows a store by its first bytes.
    pub fn detect(database: &[u8]) -> Option<Self> {
        if database.starts_with(sqlite::MAGIC) {
            Some(Self::Sqlite)
        } else if database.starts_with(ndb::MAGIC) {
            Some(Self::Ndb)
        } else if berkeley::is_hash(database) {
            Some(Self::BerkeleyHash)
        } else {
            None
        }
    }

    /// Returns the name that rpm gives it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Ndb => "ndb",
            Self::BerkeleyHash => "bdb",
        }
    }
}

/// A database can not be read at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Its first bytes are those of no store that rpm has.
    #[error("the content is no database of rpm")]
    Unknown,
    /// It is of a known store and damaged, or of a form that rpm does not use.
    #[error("the {} database {reason}", .store.as_str())]
    Damaged {
        /// The store.
        store: Store,
        /// What is wrong.
        reason: &'static str,
    },
}

/// What came of visiting the headers of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visited {
    /// The store.
    pub store: Store,
    /// How many pages were taken out of the write-ahead log instead of the database.
    pub log_page_count: usize,
}

/// Calls `visit` with each header of a database, in the order of their numbers.
///
/// `log` is the content of the file of the same name with `-wal`, where an image has one: a database that was not
/// closed has its last changes there. Records that cannot be read are told in `problems`, and passed over.
pub fn visit_headers(
    database: &[u8],
    log: Option<&[u8]>,
    problems: &mut Problems,
    visit: &mut dyn FnMut(u64, &[u8], &mut Problems),
) -> Result<Visited, StoreError> {
    let is_sqlite_log = || database.is_empty() && log.is_some_and(|log| !log.is_empty());
    let store = match Store::detect(database) {
        Some(store) => store,
        // All of a young database may still be in its log.
        None if is_sqlite_log() => Store::Sqlite,
        None => return Err(StoreError::Unknown),
    };
    let damaged = |reason| StoreError::Damaged { store, reason };
    let log_page_count = match store {
        Store::Sqlite => sqlite::visit(database, log, problems, visit).map_err(damaged)?,
        Store::Ndb => ndb::visit(database, problems, visit).map(|()| 0).map_err(damaged)?,
        Store::BerkeleyHash => berkeley::visit(database, problems, visit).map(|()| 0).map_err(damaged)?,
    };
    Ok(Visited { store, log_page_count })
}
