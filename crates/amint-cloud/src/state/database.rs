use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};

use super::change::Write;

/// Marks the file as ours (`PRAGMA application_id`): `amcl`.
const APPLICATION_ID: i64 = 0x616d_636c;
/// The form of the tables.
const VERSION: i64 = 1;

/// What the endpoint remembers could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// The file cannot be opened.
    #[error("open `{path}`")]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The file is a database of something else.
    #[error("the file is a database of something else")]
    Foreign,
    /// The file was written by a newer version of amint.
    #[error("the file has version {found}, this amint knows {VERSION}")]
    Newer {
        /// Its version.
        found: i64,
    },
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] rusqlite::Error),
    /// A record cannot be understood.
    #[error("a record cannot be understood")]
    Record(#[from] serde_json::Error),
}

/// Takes a record: its kind and its content.
pub(super) type Load<'a> = &'a mut dyn FnMut(&str, &[u8]) -> Result<(), serde_json::Error>;

/// The database: one row for each record.
#[derive(Debug)]
pub(super) struct Database {
    connection: Connection,
}

impl Database {
    /// Opens the file, and gives each record to `load`.
    pub(super) fn open(path: &Path, load: Load<'_>) -> Result<Self, StateError> {
        // `SQLite` gives its other files the mode of this one.
        let mut options = OpenOptions::new();
        let file = options.create(true).truncate(false).write(true).mode(0o600).open(path);
        file.map_err(|source| StateError::Open { path: path.to_owned(), source })?;
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        // A killed process loses nothing; a loss of power may lose the last changes, never a part of one.
        connection.pragma_update(None, "synchronous", "normal")?;
        let database = Self::prepare(connection)?;
        let mut statement = database.connection.prepare("SELECT kind, content FROM record")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            load(
                row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?,
                row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?,
            )?;
        }
        drop(rows);
        drop(statement);
        Ok(database)
    }

    /// Makes a database that ends with the process.
    pub(super) fn in_memory() -> Result<Self, StateError> {
        Self::prepare(Connection::open_in_memory()?)
    }

    fn prepare(connection: Connection) -> Result<Self, StateError> {
        let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))?;
        if tables == 0 {
            connection.execute_batch(
                "CREATE TABLE record (
                     kind TEXT NOT NULL, id TEXT NOT NULL, content BLOB NOT NULL, PRIMARY KEY (kind, id)
                 ) STRICT, WITHOUT ROWID;",
            )?;
            connection.pragma_update(None, "application_id", APPLICATION_ID)?;
            connection.pragma_update(None, "user_version", VERSION)?;
        } else if pragma("application_id")? != APPLICATION_ID {
            return Err(StateError::Foreign);
        }
        let found = pragma("user_version")?;
        if found > VERSION {
            return Err(StateError::Newer { found });
        }
        Ok(Self { connection })
    }

    /// Writes records, all or none.
    pub(super) fn write(&mut self, writes: &[Write]) -> Result<(), StateError> {
        if writes.is_empty() {
            return Ok(());
        }
        let transaction = self.connection.transaction()?;
        {
            let mut put = transaction.prepare_cached("INSERT OR REPLACE INTO record VALUES (?1, ?2, ?3)")?;
            let mut remove = transaction.prepare_cached("DELETE FROM record WHERE kind = ?1 AND id = ?2")?;
            for write in writes {
                match &write.content {
                    Some(content) => put.execute(params![write.kind, write.id, content])?,
                    None => remove.execute(params![write.kind, write.id])?,
                };
            }
        }
        transaction.commit()?;
        Ok(())
    }
}
