//! Storing an image.

use std::collections::HashSet;
use std::fs::File;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use amint_types::{BlockSource, Cancel, Digest, ImageRef};
use serde_json::{Map, json};

use crate::blocks::{Placed, Placer, has_size};
use crate::catalogue::Commit;
use crate::error::StoreError;
use crate::layout::remove_file;
use crate::lock::{StoreLock, exclusive};
use crate::manifest::{Manifest, check_disk_bytes};
use crate::operation::{OperationId, Outcome};
use crate::parallel::each_block;
use crate::record::{PutRequest, Stored};
use crate::store::{Inner, Store, check_document};
use crate::temporary::Temporary;

impl Store {
    /// Stores a disk under a name and version; `progress` is told bytes done and bytes in all.
    ///
    /// The same bytes under the same name and version change nothing but the documents. Other bytes take the name,
    /// and the older image becomes a replaced one.
    pub fn put(
        &self,
        request: &PutRequest,
        source: &dyn BlockSource,
        progress: &(dyn Fn(u64, u64) + Sync),
        cancel: &Cancel,
    ) -> Result<Stored, StoreError> {
        check_disk_bytes(source.disk_bytes()).map_err(|source| StoreError::Disk { source })?;
        for (kind, bytes) in &request.documents {
            check_document(kind, bytes)?;
        }
        let reference = ImageRef { name: request.name.clone(), version: Some(request.version.clone()) };
        let intent = json!({ "disk_bytes": source.disk_bytes(), "architecture": request.architecture });
        let lock = self.inner.lock_shared(cancel)?;
        let operation = self.begin("put", &reference.to_string(), &intent)?;
        let mut created = Vec::new();
        let result = self.put_locked(request, source, progress, cancel, (operation, &lock), &mut created);
        if result.is_err() {
            drop(lock);
            self.take_back(&created);
        }
        self.inner.log_failure(operation, result)
    }

    fn put_locked(
        &self,
        request: &PutRequest,
        source: &dyn BlockSource,
        progress: &(dyn Fn(u64, u64) + Sync),
        cancel: &Cancel,
        (operation, lock): (OperationId, &Arc<StoreLock>),
        created: &mut Vec<Digest>,
    ) -> Result<Stored, StoreError> {
        let inner = &*self.inner;
        let scratch = Temporary::create(&inner.layout, "put-", lock)?;
        let put = Put::new(inner, Placer::new(scratch.path().to_owned()));
        let blocks = each_block(source, progress, cancel, &|bytes| put.store(bytes));
        *created = std::mem::take(&mut *put.created());
        let manifest =
            Manifest::new(source.disk_bytes(), blocks?).map_err(|source| StoreError::Disk { source })?;
        let bytes = manifest.to_bytes();
        let digest = Digest::of(&bytes);
        put.placer.place(&inner.layout.manifest(digest), &bytes)?;
        scratch.remove()?;
        cancel.check()?;
        sync(inner)?;
        let used_bytes = manifest.used_bytes();
        let stored: Vec<Digest> = put.seen().drain().collect();
        let result = json!({ "digest": digest, "bytes_written": put.bytes_written.load(Ordering::Relaxed) });
        let result = result.as_object().cloned().unwrap_or_else(Map::new);
        let commit = Commit {
            request,
            digest,
            disk_bytes: manifest.disk_bytes(),
            used_bytes,
            blocks: &stored,
            end: inner.end(operation, Outcome::Succeeded, result),
        };
        let (record, unchanged) = inner.catalogue(|catalogue| catalogue.commit(commit))?;
        let blocks_total = manifest.blocks().len() as u64;
        let blocks_used = manifest.used().count() as u64;
        let blocks_new = put.blocks_new.load(Ordering::Relaxed);
        Ok(Stored {
            record,
            unchanged,
            blocks_total,
            blocks_zero: blocks_total - blocks_used,
            blocks_new,
            blocks_reused: blocks_used - blocks_new,
            bytes_written: put.bytes_written.load(Ordering::Relaxed),
        })
    }

    /// Frees the space of a put that failed at once, since it may have failed for want of space.
    ///
    /// Another put may count on the same blocks before it commits, so this is done only when nobody else uses the
    /// store at the moment; otherwise a collection does it.
    fn take_back(&self, created: &[Digest]) {
        let inner = &*self.inner;
        let Ok(_alone) = exclusive(&inner.layout, std::time::Duration::ZERO, &Cancel::new()) else { return };
        for digest in created {
            if let Ok(false) = inner.catalogue.is_trusted(*digest) {
                // What stays is litter, which a collection removes and tells about.
                let _ = remove_file(&inner.layout.block(*digest));
            }
        }
    }
}

/// Makes everything written so far durable: one sync for a whole image, rather than one for each of its blocks.
pub(crate) fn sync(inner: &Inner) -> Result<(), StoreError> {
    let root = inner.layout.root();
    let folder = File::open(root).map_err(StoreError::io("open", root))?;
    rustix::fs::syncfs(&folder).map_err(|error| StoreError::io("sync", root)(error.into()))
}

/// One put at work.
struct Put<'a> {
    inner: &'a Inner,
    placer: Placer,
    seen: Mutex<HashSet<Digest>>,
    created: Mutex<Vec<Digest>>,
    blocks_new: AtomicU64,
    bytes_written: AtomicU64,
}

impl<'a> Put<'a> {
    fn new(inner: &'a Inner, placer: Placer) -> Self {
        Self {
            inner,
            placer,
            seen: Mutex::default(),
            created: Mutex::default(),
            blocks_new: AtomicU64::new(0),
            bytes_written: AtomicU64::new(0),
        }
    }

    fn seen(&self) -> MutexGuard<'_, HashSet<Digest>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn created(&self) -> MutexGuard<'_, Vec<Digest>> {
        self.created.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes sure that a block is in its place.
    fn store(&self, bytes: &[u8]) -> Result<Digest, StoreError> {
        let digest = Digest::of(bytes);
        if !self.seen().insert(digest) {
            return Ok(digest);
        }
        let path = self.inner.layout.block(digest);
        // A commit vouches for the block: it was synced, and is not compared again.
        let is_trusted = self.inner.catalogue(|catalogue| catalogue.is_trusted(digest))?;
        if is_trusted && has_size(&path, bytes.len())? {
            return Ok(digest);
        }
        if is_trusted {
            // Its file is gone or cut: while it is written anew, no other put may take it for safe.
            self.inner.catalogue(|catalogue| catalogue.distrust(digest))?;
        }
        let placed = self.placer.place(&path, bytes)?;
        if placed == Placed::New {
            self.created().push(digest);
        }
        if placed != Placed::Same {
            self.blocks_new.fetch_add(1, Ordering::Relaxed);
            self.bytes_written.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        }
        Ok(digest)
    }
}
