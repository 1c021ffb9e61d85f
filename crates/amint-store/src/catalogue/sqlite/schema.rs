//! The schema and its versions.

use rusqlite::{Connection, TransactionBehavior};

use super::{CatalogueError, Result};

/// Each step leads from the version of its place to the next one. Steps that were released are never changed.
const MIGRATIONS: [&str; 2] = [include_str!("schema_1.sql"), include_str!("schema_2.sql")];
#[expect(clippy::cast_possible_wrap, reason = "there are not that many migrations")]
const VERSION: i64 = MIGRATIONS.len() as i64;
/// Tells `file(1)` and us that a database is a catalogue: `amnt`.
const APPLICATION_ID: i64 = 0x616d_6e74;

/// Tells whether the database can be used as it is; fails when it is foreign or newer.
pub(super) fn is_current(connection: &Connection) -> Result<bool> {
    let version = number(connection, "user_version")?;
    if version > VERSION {
        return Err(CatalogueError::Newer { found: version, known: VERSION });
    }
    let tables: i64 = connection.query_one("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables > 0 && number(connection, "application_id")? != APPLICATION_ID {
        return Err(CatalogueError::Foreign);
    }
    let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    Ok(version == VERSION && mode == "wal")
}

/// Brings the database up to this program's version.
pub(super) fn migrate(connection: &mut Connection) -> Result<()> {
    if is_current(connection)? {
        return Ok(());
    }
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version = number(&transaction, "user_version")?;
    for migration in MIGRATIONS.iter().skip(usize::try_from(version).unwrap_or(0)) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()?;
    Ok(())
}

fn number(connection: &Connection, name: &str) -> Result<i64> {
    Ok(connection.pragma_query_value(None, name, |row| row.get(0))?)
}
