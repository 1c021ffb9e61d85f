//! The catalogue in one `SQLite` file: write-ahead log, `synchronous=FULL`.

mod convert;
mod images;
mod log;
mod pins;
mod schema;

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use amint_types::{Digest, ImageRef};
use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::{Begin, Catalogue, CatalogueError, Commit, End, Result};
use crate::operation::{OperationId, OperationRecord};
use crate::record::{ImageId, ImageRecord};

/// How long a transaction waits for those of other processes: each takes milliseconds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// The catalogue in one `SQLite` file.
#[derive(Debug)]
pub(crate) struct SqliteCatalogue {
    connection: Mutex<Connection>,
}

impl SqliteCatalogue {
    /// Opens the file. `alone` is called before the schema is made or changed, and keeps other processes away while
    /// what it returns lives.
    pub(crate) fn open<L, E: From<CatalogueError>>(
        path: &Path,
        alone: impl FnOnce() -> std::result::Result<L, E>,
    ) -> std::result::Result<Self, E> {
        let mut connection = Connection::open(path).map_err(CatalogueError::from)?;
        prepare(&connection).map_err(CatalogueError::from)?;
        if !schema::is_current(&connection)? {
            let _alone = alone()?;
            schema::migrate(&mut connection)?;
        }
        Ok(Self { connection: Mutex::new(connection) })
    }

    fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        read(&self.connection.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, write: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        // A transaction that starts by reading would fail, not wait, when another one writes in between.
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = write(&transaction)?;
        transaction.commit()?;
        Ok(result)
    }
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "synchronous", "FULL")
}

impl Catalogue for SqliteCatalogue {
    fn images(&self, include_replaced: bool) -> Result<Vec<ImageRecord>> {
        self.read(|connection| images::all(connection, include_replaced))
    }

    fn find(&self, reference: &ImageRef) -> Result<Option<ImageRecord>> {
        self.read(|connection| images::find(connection, reference))
    }

    fn commit(&self, commit: Commit<'_>) -> Result<(ImageRecord, bool)> {
        self.write(|transaction| images::commit(transaction, commit))
    }

    fn remove(&self, image: ImageId, end: End) -> Result<()> {
        self.write(|transaction| {
            images::remove(transaction, image)?;
            log::finish(transaction, &end).map(|_| ())
        })
    }

    fn count_gone(&self) -> Result<u64> {
        self.read(images::count_gone)
    }

    fn purge(&self, is_live: &dyn Fn(Digest) -> bool) -> Result<u64> {
        self.write(|transaction| images::purge(transaction, is_live))
    }

    fn document(&self, image: ImageId, kind: &str) -> Result<Option<Vec<u8>>> {
        self.read(|connection| images::document(connection, image, kind))
    }

    fn put_document(&self, image: ImageId, kind: &str, bytes: &[u8]) -> Result<bool> {
        self.write(|transaction| images::put_document(transaction, image, kind, bytes))
    }

    fn is_trusted(&self, block: Digest) -> Result<bool> {
        self.read(|connection| images::is_trusted(connection, block))
    }

    fn distrust(&self, block: Digest) -> Result<()> {
        self.write(|transaction| images::distrust(transaction, block))
    }

    fn pins(&self) -> Result<Vec<(String, Digest)>> {
        self.read(pins::all)
    }

    fn pin(&self, name: &str, manifest: Digest, blocks: &[Digest]) -> Result<()> {
        self.write(|transaction| pins::put(transaction, name, manifest, blocks))
    }

    fn unpin(&self, name: &str) -> Result<bool> {
        self.write(|transaction| pins::remove(transaction, name))
    }

    fn begin(&self, begin: &Begin<'_>) -> Result<OperationId> {
        self.write(|transaction| log::begin(transaction, begin))
    }

    fn finish(&self, end: &End) -> Result<bool> {
        self.write(|transaction| log::finish(transaction, end))
    }

    fn operations(&self, limit: Option<u64>) -> Result<Vec<OperationRecord>> {
        self.read(|connection| log::operations(connection, limit))
    }
}
