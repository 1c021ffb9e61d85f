//! The bytes of volumes: what was written since, over blocks of the store.
//!
//! A volume begins as the blocks of its snapshot, none of which is copied: they are read from the store when a guest asks
//! for them. What the guest writes goes to layers of the volume's own, and a snapshot puts those blocks into the store
//! that a layer has, and no other; from then on the volume lies upon that snapshot. Guests reach their volumes by the
//! protocol of network block devices, at a socket of each.

mod disk;
mod layer;
mod nbd;

use std::collections::HashMap;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use amint_store::Store;

pub(crate) use disk::{Disk, Moment};
pub(crate) use nbd::serve;

/// The volumes of an endpoint, by their ids.
#[derive(Debug)]
pub(crate) struct Volumes {
    folder: PathBuf,
    open: Mutex<HashMap<String, Weak<Disk>>>,
}

impl Volumes {
    /// Keeps what guests write below a folder.
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, open: Mutex::default() }
    }

    fn place(&self, id: &str) -> PathBuf {
        self.folder.join(id)
    }

    /// Opens a volume of `bytes`; one that is open already is shared.
    pub(crate) fn open(&self, store: &Store, id: &str, bytes: u64) -> io::Result<Arc<Disk>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(disk) = open.get(id).and_then(Weak::upgrade) {
            return Ok(disk);
        }
        let folder = self.place(id);
        DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        let disk = Arc::new(Disk::open(store, id, folder, bytes)?);
        open.retain(|_, disk| disk.strong_count() > 0);
        open.insert(id.to_owned(), Arc::downgrade(&disk));
        Ok(disk)
    }

    /// Forgets what was written to a volume that is gone.
    pub(crate) fn remove(&self, id: &str) -> io::Result<()> {
        match fs::remove_dir_all(self.place(id)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}
