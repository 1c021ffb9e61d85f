//! Pins.

use amint_types::Digest;
use rusqlite::{Connection, Transaction, params};

use super::Result;
use super::convert::digest;

pub(super) fn all(connection: &Connection) -> Result<Vec<(String, Digest)>> {
    let mut statement = connection.prepare_cached("SELECT name, digest FROM pin ORDER BY name")?;
    let pins = statement.query_map([], |row| Ok((row.get(0)?, digest(row, 1)?)))?;
    Ok(pins.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn put(
    transaction: &Transaction<'_>,
    name: &str,
    manifest: Digest,
    blocks: &[Digest],
) -> Result<()> {
    let mut trust = transaction.prepare_cached("INSERT OR IGNORE INTO trusted_block (digest) VALUES (?1)")?;
    for block in blocks {
        trust.execute([block.as_bytes()])?;
    }
    transaction.execute(
        "INSERT INTO pin (name, digest) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET digest = excluded.digest",
        params![name, manifest.as_bytes()],
    )?;
    Ok(())
}

pub(super) fn remove(transaction: &Transaction<'_>, name: &str) -> Result<bool> {
    Ok(transaction.execute("DELETE FROM pin WHERE name = ?1", [name])? > 0)
}
