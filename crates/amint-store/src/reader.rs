//! Reading an image back, each block verified.

use std::io;
use std::sync::Arc;

use amint_types::{BlockSource, Digest, ImageRef};

use crate::blocks::{BlockError, read_verified};
use crate::lock::StoreLock;
use crate::manifest::Manifest;
use crate::store::Inner;

/// The disk of a stored image. While it lives, no collection starts, unless its blocks are kept by a pin.
#[derive(Debug)]
pub struct ImageReader {
    store: Arc<Inner>,
    image: ImageRef,
    manifest: Manifest,
    _lock: Option<Arc<StoreLock>>,
}

impl ImageReader {
    pub(crate) fn new(store: Arc<Inner>, image: ImageRef, manifest: Manifest, lock: Arc<StoreLock>) -> Self {
        Self { store, image, manifest, _lock: Some(lock) }
    }

    /// Reads without the store's lock: what keeps the blocks is up to the caller.
    pub(crate) fn unlocked(store: Arc<Inner>, image: ImageRef, manifest: Manifest) -> Self {
        Self { store, image, manifest, _lock: None }
    }

    /// Returns which blocks the image has.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    pub(crate) fn image(&self) -> &ImageRef {
        &self.image
    }

    /// Reads and verifies the block with `digest` that lies at `index`.
    pub(crate) fn verify(&self, index: u64, digest: Digest, buffer: &mut [u8]) -> Result<(), BlockError> {
        let path = self.store.layout.block(digest);
        read_verified(&path, digest, buffer).map_err(|fault| {
            // So that the next put of the same bytes repairs it. A store that cannot be written is read all the same.
            let _ = self.store.catalogue.distrust(digest);
            BlockError { image: self.image.clone(), index, path, fault }
        })
    }
}

impl BlockSource for ImageReader {
    fn disk_bytes(&self) -> u64 {
        self.manifest.disk_bytes()
    }

    fn read_block(&self, index: u64, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        let invalid = |text| io::Error::new(io::ErrorKind::InvalidInput, text);
        let block =
            self.manifest.block(index).ok_or_else(|| invalid("the block is beyond the end of the disk"))?;
        let Some(digest) = *block else { return Ok(None) };
        let bytes = self.manifest.bytes_of(index);
        let buffer = buffer.get_mut(..bytes).ok_or_else(|| invalid("the buffer is smaller than a block"))?;
        self.verify(index, digest, buffer)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        Ok(Some(bytes))
    }
}
