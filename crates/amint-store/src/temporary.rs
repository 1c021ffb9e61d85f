//! Work folders that a later collection can tell from litter.

use std::ffi::OsString;
use std::fs::{self, File, Permissions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::error::StoreError;
use crate::layout::{Layout, create_private, open_private, remove_file};
use crate::lock::StoreLock;
use crate::owner;

/// A private folder (mode 0700) in the store, removed with all that is in it when dropped.
///
/// A file beside it, which its owner keeps locked, tells a collection that the work still goes on.
#[derive(Debug)]
pub struct Temporary {
    path: PathBuf,
    lock: Option<File>,
}

impl Temporary {
    /// Makes a folder. The store's lock keeps a collection away until the folder has a lock of its own.
    pub(crate) fn create(layout: &Layout, prefix: &str, _held: &StoreLock) -> Result<Self, StoreError> {
        let tmp = layout.tmp();
        let folder = tempfile::Builder::new()
            .prefix(prefix)
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(&tmp)
            .map_err(StoreError::io("create a folder in", &tmp))?;
        let lock_path = beside(folder.path(), "lock");
        let mut lock = create_private(&lock_path).map_err(StoreError::io("create", &lock_path))?;
        let mut temporary = Self { path: folder.keep(), lock: None };
        lock.lock().map_err(StoreError::io("lock", &lock_path))?;
        // For people who look who it is; the lock alone decides.
        writeln!(lock, "{}", owner::this_process()).map_err(StoreError::io("write", &lock_path))?;
        temporary.lock = Some(lock);
        Ok(temporary)
    }

    /// Returns the folder's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves the folder where it is, for a person to look at and to remove: collections pass it by.
    pub fn keep(mut self) -> PathBuf {
        let path = std::mem::take(&mut self.path);
        // Without the mark, the next collection takes the folder for litter: a loss of nothing but a copy.
        let _ = create_private(&beside(&path, "keep"));
        let _ = fs::remove_file(beside(&path, "lock"));
        path
    }

    /// Removes the folder now, and tells when that fails.
    pub fn remove(mut self) -> Result<(), StoreError> {
        let path = std::mem::take(&mut self.path);
        remove_tree(&path)?;
        remove_file(&beside(&path, "lock"))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty() {
            // What cannot be removed now is left to a collection, which tells about it.
            let _ = remove_tree(&self.path);
            let _ = fs::remove_file(beside(&self.path, "lock"));
        }
    }
}

/// What a collection found in the folder of work folders.
#[derive(Debug, Default)]
pub(crate) struct Litter {
    /// Folders whose owner is gone.
    pub(crate) dead: Vec<PathBuf>,
    /// How many are worked in.
    pub(crate) live: u64,
    /// How many are kept for a person.
    pub(crate) kept: u64,
}

impl Litter {
    /// Looks at all work folders. The store must be locked, so that none is half made.
    pub(crate) fn find(layout: &Layout, _held: &StoreLock) -> Result<Self, StoreError> {
        let tmp = layout.tmp();
        let mut litter = Self::default();
        for entry in fs::read_dir(&tmp).map_err(StoreError::io("read", &tmp))? {
            let path = entry.map_err(StoreError::io("read", &tmp))?.path();
            let is_mark =
                path.extension().is_some_and(|extension| extension == "lock" || extension == "keep");
            if is_mark && path.with_extension("").symlink_metadata().is_ok() {
                continue;
            }
            if is_mark || !beside(&path, "keep").exists() {
                if !is_mark && is_locked(&beside(&path, "lock"))? {
                    litter.live += 1;
                } else {
                    litter.dead.push(path);
                }
            } else {
                litter.kept += 1;
            }
        }
        litter.dead.sort();
        Ok(litter)
    }

    /// Removes one dead folder, with its lock.
    pub(crate) fn remove(path: &Path) -> Result<(), StoreError> {
        remove_tree(path)?;
        remove_file(&beside(path, "lock"))
    }
}

fn is_locked(path: &Path) -> Result<bool, StoreError> {
    if !path.exists() {
        return Ok(false);
    }
    let file = open_private(path).map_err(StoreError::io("open", path))?;
    match file.try_lock() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(StoreError::io("lock", path)(error)),
    }
}

/// Returns the path of a mark that lies beside a folder, so that the folder itself is all its owner's.
fn beside(path: &Path, extension: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    PathBuf::from(name)
}

/// Removes a file or a folder with all that is in it.
fn remove_tree(path: &Path) -> Result<(), StoreError> {
    let result = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path).or_else(|error| {
            if error.kind() != io::ErrorKind::PermissionDenied {
                return Err(error);
            }
            // A tree of an image has folders that even their owner may not write, such as those of mode 0555.
            open_up(path)?;
            fs::remove_dir_all(path)
        }),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match result {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::io("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Lets the owner into every folder of a tree; links are not followed.
fn open_up(path: &Path) -> io::Result<()> {
    fs::set_permissions(path, Permissions::from_mode(0o700))?;
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            open_up(&entry.path())?;
        }
    }
    Ok(())
}
