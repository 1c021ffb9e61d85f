//! Where things lie below the store's folder.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use amint_types::Digest;

use crate::error::StoreError;

/// The store's folder.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    root: PathBuf,
}

impl Layout {
    /// Takes the folder, and makes it and the folders below it where they are missing.
    pub(crate) fn create(root: &Path) -> Result<Self, StoreError> {
        // A later change of the working folder must not move the store.
        let root = std::path::absolute(root).map_err(StoreError::io("find", root))?;
        let layout = Self { root };
        for folder in [layout.root.clone(), layout.blocks(), layout.manifests(), layout.tmp()] {
            create_folder(&folder).map_err(StoreError::io("create", &folder))?;
        }
        Ok(layout)
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn blocks(&self) -> PathBuf {
        self.root.join("blocks")
    }

    pub(crate) fn block(&self, digest: Digest) -> PathBuf {
        let name = digest.to_string();
        let (folder, file) = name.split_at(2);
        let mut path = self.blocks();
        path.push(folder);
        path.push(file);
        path
    }

    pub(crate) fn manifests(&self) -> PathBuf {
        self.root.join("manifests")
    }

    pub(crate) fn manifest(&self, digest: Digest) -> PathBuf {
        self.manifests().join(digest.to_string())
    }

    pub(crate) fn writers(&self) -> PathBuf {
        self.root.join("writers")
    }

    pub(crate) fn tmp(&self) -> PathBuf {
        self.root.join("tmp")
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.root.join("lock")
    }

    pub(crate) fn gate(&self) -> PathBuf {
        self.root.join("gate")
    }

    pub(crate) fn catalogue(&self) -> PathBuf {
        self.root.join("catalogue.sqlite")
    }
}

/// Makes a folder for the owner only, and its parents; one that is there is left as it is.
pub(crate) fn create_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Makes a file for the owner only, or opens it as it is.
pub(crate) fn open_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// Makes a new file for the owner only.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Removes a file; one that is gone already is as good.
pub(crate) fn remove_file(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::io("remove", path)(error)),
        _ => Ok(()),
    }
}
