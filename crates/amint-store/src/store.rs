//! The store itself: opening it, finding images, their documents and their history.

use std::error::Error;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use amint_types::{Cancel, Digest, ImageRef};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::catalogue::{Begin, Catalogue, CatalogueError, End, SqliteCatalogue};
use crate::error::StoreError;
use crate::layout::{Layout, open_private};
use crate::lock::{Locks, StoreLock, exclusive};
use crate::manifest::{MANIFEST_BYTES_MAX, Manifest, ManifestError};
use crate::operation::{OperationId, OperationRecord, Outcome};
use crate::owner;
use crate::reader::ImageReader;
use crate::record::ImageRecord;
use crate::similar::similar;
use crate::temporary::Temporary;

/// The largest document.
pub(crate) const DOCUMENT_BYTES_MAX: usize = 256 << 20;
const DOCUMENT_KIND_CHARS_MAX: usize = 64;

/// How a store behaves.
#[derive(Clone, Copy, Debug)]
pub struct StoreOptions {
    /// How long to wait for another process that collects, or uses what is to be collected.
    pub lock_wait: Duration,
    /// Tells the time for the operation log.
    pub clock: fn() -> Timestamp,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { lock_wait: Duration::from_mins(1), clock: Timestamp::now }
    }
}

/// All images of one folder. May be used by several threads, and by several processes at once.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) layout: Layout,
    pub(crate) catalogue: Box<dyn Catalogue>,
    locks: Locks,
    pub(crate) options: StoreOptions,
    owner: String,
}

impl Store {
    /// Opens the store in `root`, and makes one where there is none.
    pub fn open(root: &Path) -> Result<Self, StoreError> {
        Self::open_with(root, StoreOptions::default())
    }

    /// Opens the store in `root` with options of one's own.
    pub fn open_with(root: &Path, options: StoreOptions) -> Result<Self, StoreError> {
        let layout = Layout::create(root)?;
        let path = layout.catalogue();
        // `SQLite` gives its other files the mode of this one.
        open_private(&path).map_err(StoreError::io("open", &path))?;
        let alone = || exclusive(&layout, options.lock_wait, &Cancel::new()).map_err(Opening::Store);
        let catalogue = SqliteCatalogue::open(&path, alone).map_err(|error| match error {
            Opening::Store(error) => error,
            Opening::Catalogue(source) => StoreError::Catalogue { path, source },
        })?;
        let inner = Inner {
            layout,
            catalogue: Box::new(catalogue),
            locks: Locks::default(),
            options,
            owner: owner::this_process(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Returns all images, the newest put first; those that another has replaced only when asked for.
    pub fn images(&self, include_replaced: bool) -> Result<Vec<ImageRecord>, StoreError> {
        self.inner.catalogue(|catalogue| catalogue.images(include_replaced))
    }

    /// Finds an image; a name without a version means the newest put.
    pub fn resolve(&self, reference: &ImageRef) -> Result<ImageRecord, StoreError> {
        match self.inner.catalogue(|catalogue| catalogue.find(reference))? {
            Some(record) => Ok(record),
            None => Err(self.not_found(reference)?),
        }
    }

    fn not_found(&self, reference: &ImageRef) -> Result<StoreError, StoreError> {
        let images = self.images(false)?;
        let same_name: Vec<String> = images
            .iter()
            .filter(|image| image.name == reference.name)
            .take(3)
            .map(|image| image.reference().to_string())
            .collect();
        let similar = if same_name.is_empty() {
            similar(reference.name.as_str(), images.iter().map(|image| image.name.to_string()))
        } else {
            same_name
        };
        Ok(StoreError::NotFound { reference: reference.clone(), similar })
    }

    /// Reads a manifest, and checks it against its digest.
    pub fn manifest(&self, digest: Digest) -> Result<Manifest, StoreError> {
        self.inner.manifest(digest)
    }

    /// Opens an image to be read. No collection starts while the reader lives.
    pub fn reader(&self, record: &ImageRecord) -> Result<ImageReader, StoreError> {
        let lock = self.inner.lock_shared(&Cancel::new())?;
        match self.inner.manifest(record.digest) {
            Ok(manifest) => Ok(ImageReader::new(Arc::clone(&self.inner), record.reference(), manifest, lock)),
            // Removed and collected since the record was read.
            Err(StoreError::NoManifest { .. }) if self.is_gone(record)? => {
                Err(StoreError::NotFound { reference: record.reference(), similar: Vec::new() })
            }
            Err(error) => Err(error),
        }
    }

    /// Opens a disk by the digest of its manifest, whether an image has it or a pin. `label` names it in errors. No
    /// collection starts while the reader lives.
    ///
    /// # Errors
    /// Fails when there is no such manifest.
    pub fn disk(&self, digest: Digest, label: ImageRef) -> Result<ImageReader, StoreError> {
        let lock = self.inner.lock_shared(&Cancel::new())?;
        let manifest = self.inner.manifest(digest)?;
        Ok(ImageReader::new(Arc::clone(&self.inner), label, manifest, lock))
    }

    /// Opens a disk that a pin keeps, to be read for hours: collections go on meanwhile, and leave its blocks alone as
    /// long as the pin stays. `label` names it in errors.
    ///
    /// # Errors
    /// Fails when there is no such pin.
    pub fn pinned(&self, pin: &str, label: ImageRef) -> Result<ImageReader, StoreError> {
        let _lock = self.inner.lock_shared(&Cancel::new())?;
        let pins = self.inner.catalogue(|catalogue| catalogue.pins())?;
        let Some((_, digest)) = pins.into_iter().find(|(name, _)| name == pin) else {
            return Err(StoreError::NotFound { reference: label, similar: Vec::new() });
        };
        let manifest = self.inner.manifest(digest)?;
        Ok(ImageReader::unlocked(Arc::clone(&self.inner), label, manifest))
    }

    fn is_gone(&self, record: &ImageRecord) -> Result<bool, StoreError> {
        Ok(self.images(true)?.iter().all(|image| image.id != record.id))
    }

    /// Returns a document that is kept beside an image, if there is one of that kind.
    pub fn document(&self, record: &ImageRecord, kind: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.catalogue(|catalogue| catalogue.document(record.id, kind))
    }

    /// Keeps a document beside an image, in place of an older one of the same kind.
    pub fn put_document(&self, record: &ImageRecord, kind: &str, bytes: &[u8]) -> Result<(), StoreError> {
        check_document(kind, bytes)?;
        if self.inner.catalogue(|catalogue| catalogue.put_document(record.id, kind, bytes))? {
            Ok(())
        } else {
            Err(StoreError::NotFound { reference: record.reference(), similar: Vec::new() })
        }
    }

    /// Takes the name from an image, and from those that it had replaced; a collection frees their space.
    pub fn remove(&self, reference: &ImageRef) -> Result<ImageRecord, StoreError> {
        let record = self.resolve(reference)?;
        let subject = record.reference().to_string();
        let operation = self.begin("remove", &subject, &json!({ "digest": record.digest }))?;
        let end = self.inner.end(operation, Outcome::Succeeded, Map::new());
        let removed = self.inner.catalogue(|catalogue| catalogue.remove(record.id, end));
        self.inner.log_failure(operation, removed)?;
        Ok(record)
    }

    /// Makes a private folder for work, on the store's file system.
    pub fn temporary(&self) -> Result<Temporary, StoreError> {
        let lock = self.inner.lock_shared(&Cancel::new())?;
        Temporary::create(&self.inner.layout, "work-", &lock)
    }

    /// Returns the operations of the log, the last first.
    pub fn operations(&self, limit: Option<u64>) -> Result<Vec<OperationRecord>, StoreError> {
        self.inner.catalogue(|catalogue| catalogue.operations(limit))
    }

    /// Writes to the log what is about to be done.
    pub fn begin(&self, kind: &str, subject: &str, intent: &Value) -> Result<OperationId, StoreError> {
        let begin =
            Begin { kind, subject, intent, owner: &self.inner.owner, at: (self.inner.options.clock)() };
        self.inner.catalogue(|catalogue| catalogue.begin(&begin))
    }

    /// Writes to the log what came of an operation, once.
    pub fn finish(&self, id: OperationId, outcome: Outcome, result: &Value) -> Result<(), StoreError> {
        let result = match result {
            Value::Object(fields) => fields.clone(),
            Value::Null => Map::new(),
            other => Map::from_iter([("value".to_owned(), other.clone())]),
        };
        let end = self.inner.end(id, outcome, result);
        if self.inner.catalogue(|catalogue| catalogue.finish(&end))? {
            Ok(())
        } else {
            Err(StoreError::OperationNotOpen { id })
        }
    }
}

impl Inner {
    pub(crate) fn catalogue<T>(
        &self,
        ask: impl FnOnce(&dyn Catalogue) -> Result<T, CatalogueError>,
    ) -> Result<T, StoreError> {
        ask(self.catalogue.as_ref())
            .map_err(|source| StoreError::Catalogue { path: self.layout.catalogue(), source })
    }

    pub(crate) fn lock_shared(&self, cancel: &Cancel) -> Result<Arc<StoreLock>, StoreError> {
        self.locks.shared(&self.layout, self.options.lock_wait, cancel)
    }

    pub(crate) fn end(&self, operation: OperationId, outcome: Outcome, result: Map<String, Value>) -> End {
        End { operation, outcome, result, at: (self.options.clock)() }
    }

    /// Writes to the log that an operation failed, and passes its result on.
    pub(crate) fn log_failure<T>(
        &self,
        operation: OperationId,
        result: Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if let Err(error) = &result {
            let fields = Map::from_iter([("error".to_owned(), chain(error).into())]);
            // The failure itself matters more; without this line the operation shows as interrupted.
            let _ = self.catalogue.finish(&self.end(operation, Outcome::Failed, fields));
        }
        result
    }

    pub(crate) fn manifest(&self, digest: Digest) -> Result<Manifest, StoreError> {
        let path = self.layout.manifest(digest);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(StoreError::NoManifest { digest });
            }
            Err(error) => return Err(StoreError::io("open", &path)(error)),
        };
        let mut bytes = Vec::new();
        file.take(MANIFEST_BYTES_MAX).read_to_end(&mut bytes).map_err(StoreError::io("read", &path))?;
        let found = Digest::of(&bytes);
        let manifest = match Manifest::from_bytes(&bytes) {
            _ if found != digest => Err(ManifestError::Digest { found }),
            result => result,
        };
        manifest.map_err(|source| StoreError::Manifest { path, source })
    }
}

/// Fails unless a document can be stored.
pub(crate) fn check_document(kind: &str, bytes: &[u8]) -> Result<(), StoreError> {
    let is_allowed = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'-';
    if !(1..=DOCUMENT_KIND_CHARS_MAX).contains(&kind.len()) || !kind.bytes().all(is_allowed) {
        return Err(StoreError::DocumentKind { kind: kind.to_owned() });
    }
    if bytes.len() > DOCUMENT_BYTES_MAX {
        let (kind, bytes) = (kind.to_owned(), bytes.len());
        return Err(StoreError::DocumentSize { kind, bytes, max: DOCUMENT_BYTES_MAX });
    }
    Ok(())
}

/// Writes an error with all its causes on one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

enum Opening {
    Store(StoreError),
    Catalogue(CatalogueError),
}

impl From<CatalogueError> for Opening {
    fn from(error: CatalogueError) -> Self {
        Self::Catalogue(error)
    }
}
