//! All packages of a database.

use crate::Problems;

use super::package::{Record, RpmKey, RpmPackage};
use super::store::{Store, StoreError, visit_headers};

/// Most files of all packages of a database that are kept.
pub const DATABASE_FILES_MAX: usize = 8_000_000;

/// What a database holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RpmDatabase {
    /// How it keeps it.
    pub store: Store,
    /// The installed packages, in the order in which they were installed.
    pub packages: Vec<RpmPackage>,
    /// The keys that rpm trusts.
    pub keys: Vec<RpmKey>,
    /// How many pages were taken out of the write-ahead log instead of the database.
    pub log_page_count: usize,
    /// What could not be read: the positions are the numbers of headers, or of pages.
    pub problems: Problems,
}

/// Reads a database of any store; `log` is the content of the file of the same name with `-wal`, where there is one.
pub fn read_database(database: &[u8], log: Option<&[u8]>) -> Result<RpmDatabase, StoreError> {
    let (mut packages, mut keys, mut problems) = (Vec::new(), Vec::new(), Problems::default());
    let mut files_room = DATABASE_FILES_MAX;
    let visited =
        visit_headers(database, log, &mut problems, &mut |number, blob, problems| match Record::read(
            blob, files_room,
        ) {
            Ok(Record::Key(key)) => keys.push(key),
            Ok(Record::Package(package)) => {
                files_room = files_room.saturating_sub(package.files.len());
                if package.files.lost_count != 0 {
                    let reason =
                        format!("{} files of {} were left out", package.files.lost_count, package.name);
                    problems.add(number, reason);
                }
                packages.push(*package);
            }
            Err(error) => {
                let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
                problems.add(number, format!("{error}{}", source.unwrap_or_default()));
            }
        })?;
    Ok(RpmDatabase { store: visited.store, packages, keys, log_page_count: visited.log_page_count, problems })
}
