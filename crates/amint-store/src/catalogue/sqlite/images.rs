//! Images, documents and trusted blocks.

use amint_types::{Digest, ImageRef};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::convert::{digest, parse, signed, unsigned};
use super::{Result, log};
use crate::catalogue::Commit;
use crate::record::{ImageId, ImageRecord};

pub(super) fn all(connection: &Connection, include_replaced: bool) -> Result<Vec<ImageRecord>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, name, version, digest, architecture, disk_bytes, used_bytes, created_at, state = 'replaced'
         FROM image WHERE state = 'live' OR (state = 'replaced' AND ?1) ORDER BY id DESC",
    )?;
    let images = statement.query_map([include_replaced], record)?;
    Ok(images.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn find(connection: &Connection, reference: &ImageRef) -> Result<Option<ImageRecord>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, name, version, digest, architecture, disk_bytes, used_bytes, created_at, state = 'replaced'
         FROM image WHERE state = 'live' AND name = ?1 AND (?2 IS NULL OR version = ?2) ORDER BY id DESC LIMIT 1",
    )?;
    let version = reference.version.as_ref().map(amint_types::ImageVersion::as_str);
    Ok(statement.query_row(params![reference.name.as_str(), version], record).optional()?)
}

fn record(row: &Row<'_>) -> rusqlite::Result<ImageRecord> {
    Ok(ImageRecord {
        id: ImageId(row.get(0)?),
        name: parse(row, 1)?,
        version: parse(row, 2)?,
        digest: digest(row, 3)?,
        architecture: parse(row, 4)?,
        disk_bytes: unsigned(row, 5)?,
        used_bytes: unsigned(row, 6)?,
        created_at: parse(row, 7)?,
        replaced: row.get(8)?,
    })
}

pub(super) fn commit(transaction: &Transaction<'_>, mut commit: Commit<'_>) -> Result<(ImageRecord, bool)> {
    let request = commit.request;
    let reference = ImageRef { name: request.name.clone(), version: Some(request.version.clone()) };
    let same = find(transaction, &reference)?.filter(|found| found.digest == commit.digest);
    let is_unchanged = same.is_some();
    let image = match same {
        Some(image) => image,
        None => insert(transaction, &commit)?,
    };
    let mut trust = transaction.prepare_cached("INSERT OR IGNORE INTO trusted_block (digest) VALUES (?1)")?;
    for block in commit.blocks {
        trust.execute([block.as_bytes()])?;
    }
    for (kind, bytes) in &request.documents {
        put_document(transaction, image.id, kind, bytes)?;
    }
    commit.end.result.insert("unchanged".to_owned(), is_unchanged.into());
    log::finish(transaction, &commit.end)?;
    Ok((image, is_unchanged))
}

fn insert(transaction: &Transaction<'_>, commit: &Commit<'_>) -> Result<ImageRecord> {
    let request = commit.request;
    let (name, version) = (request.name.as_str(), request.version.as_str());
    transaction.execute(
        "UPDATE image SET state = 'replaced' WHERE state = 'live' AND name = ?1 AND version = ?2",
        params![name, version],
    )?;
    transaction.execute(
        "INSERT INTO image (name, version, digest, architecture, disk_bytes, used_bytes, created_at, state)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'live')",
        params![
            name,
            version,
            commit.digest.as_bytes(),
            request.architecture.as_str(),
            signed(commit.disk_bytes),
            signed(commit.used_bytes),
            request.created_at.to_string(),
        ],
    )?;
    Ok(ImageRecord {
        id: ImageId(transaction.last_insert_rowid()),
        name: request.name.clone(),
        version: request.version.clone(),
        digest: commit.digest,
        architecture: request.architecture,
        disk_bytes: commit.disk_bytes,
        used_bytes: commit.used_bytes,
        created_at: request.created_at,
        replaced: false,
    })
}

pub(super) fn remove(transaction: &Transaction<'_>, image: ImageId) -> Result<()> {
    transaction.execute(
        "UPDATE image SET state = 'removed' WHERE id = ?1 OR (state = 'replaced' AND (name, version) =
         (SELECT name, version FROM image WHERE id = ?1))",
        [image.0],
    )?;
    Ok(())
}

pub(super) fn count_gone(connection: &Connection) -> Result<u64> {
    Ok(connection
        .query_one("SELECT count(*) FROM image WHERE state <> 'live'", [], |row| unsigned(row, 0))?)
}

pub(super) fn purge(transaction: &Transaction<'_>, is_live: &dyn Fn(Digest) -> bool) -> Result<u64> {
    let images = transaction.execute("DELETE FROM image WHERE state <> 'live'", [])?;
    let dead = {
        let mut statement = transaction.prepare("SELECT digest FROM trusted_block")?;
        let blocks = statement.query_map([], |row| digest(row, 0))?;
        let is_dead =
            |block: &rusqlite::Result<Digest>| block.as_ref().map_or(true, |block| !is_live(*block));
        blocks.filter(is_dead).collect::<rusqlite::Result<Vec<_>>>()?
    };
    for block in dead {
        distrust(transaction, block)?;
    }
    Ok(images as u64)
}

pub(super) fn document(connection: &Connection, image: ImageId, kind: &str) -> Result<Option<Vec<u8>>> {
    let mut statement =
        connection.prepare_cached("SELECT bytes FROM document WHERE image = ?1 AND kind = ?2")?;
    Ok(statement.query_row(params![image.0, kind], |row| row.get(0)).optional()?)
}

pub(super) fn put_document(
    transaction: &Transaction<'_>,
    image: ImageId,
    kind: &str,
    bytes: &[u8],
) -> Result<bool> {
    let mut statement = transaction.prepare_cached(
        "INSERT INTO document (image, kind, bytes) SELECT id, ?2, ?3 FROM image WHERE id = ?1
         ON CONFLICT (image, kind) DO UPDATE SET bytes = excluded.bytes",
    )?;
    Ok(statement.execute(params![image.0, kind, bytes])? > 0)
}

pub(super) fn is_trusted(connection: &Connection, block: Digest) -> Result<bool> {
    Ok(connection
        .prepare_cached("SELECT 1 FROM trusted_block WHERE digest = ?1")?
        .exists([block.as_bytes()])?)
}

pub(super) fn distrust(transaction: &Transaction<'_>, block: Digest) -> Result<()> {
    transaction.prepare_cached("DELETE FROM trusted_block WHERE digest = ?1")?.execute([block.as_bytes()])?;
    Ok(())
}
