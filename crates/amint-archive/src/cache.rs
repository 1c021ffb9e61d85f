//! Where things lie in the cache, and how they get there whole.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use amint_types::{Cancel, Digest};

use crate::clock::{Clock, wait};
use crate::error::ArchiveError;
use crate::index::Compression;
use crate::uri::redact;

/// How long to wait between two looks at a lock that another process holds.
const LOCK_PAUSE: Duration = Duration::from_millis(100);

/// The cache's folders.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    root: PathBuf,
}

impl Cache {
    /// Makes the folders that are missing, for this user only.
    pub(crate) fn create(root: &Path) -> Result<Self, ArchiveError> {
        let cache = Self { root: root.to_owned() };
        for folder in [root.to_owned(), cache.releases(), cache.indexes(), cache.packages(), cache.partial()]
        {
            create_folder(&folder)?;
        }
        Ok(cache)
    }

    pub(crate) fn indexes(&self) -> PathBuf {
        self.root.join("indexes")
    }

    fn releases(&self) -> PathBuf {
        self.root.join("releases")
    }

    fn packages(&self) -> PathBuf {
        packages(&self.root)
    }

    fn partial(&self) -> PathBuf {
        partial(&self.root)
    }

    pub(crate) fn package(&self, sha256: &Digest) -> PathBuf {
        let name = sha256.to_string();
        self.packages().join(&name[..2]).join(format!("{name}.deb"))
    }

    pub(crate) fn index(&self, sha256: &Digest, compression: Compression) -> PathBuf {
        self.indexes().join(format!("{sha256}{}", compression.extension()))
    }

    pub(crate) fn partial_of(&self, sha256: &Digest) -> PathBuf {
        self.partial().join(format!("{sha256}.partial"))
    }

    /// Returns the folder of a suite. Its name tells nothing, as URIs may hold secrets.
    pub(crate) fn release(&self, uri: &str, suite: &str) -> Result<PathBuf, ArchiveError> {
        let name =
            Digest::of(format!("{}\n{suite}", redact(uri.trim_end_matches('/'))).as_bytes()).to_string();
        let folder = self.releases().join(&name[..32]);
        create_folder(&folder)?;
        Ok(folder)
    }
}

/// Returns the folder of packages of a cache.
pub(crate) fn packages(root: &Path) -> PathBuf {
    root.join("packages")
}

/// Returns the folder of downloads under way of a cache.
pub(crate) fn partial(root: &Path) -> PathBuf {
    root.join("partial")
}

/// Makes a folder and those above it, for this user only.
pub(crate) fn create_folder(path: &Path) -> Result<(), ArchiveError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(ArchiveError::cache("create", path))
}

/// Writes a small file as a whole: readers see the old one or the new one, also after a loss of power.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), ArchiveError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let failed = || ArchiveError::cache("write", path);
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed())?;
    file.write_all(bytes).map_err(failed())?;
    file.as_file().sync_data().map_err(failed())?;
    file.persist(path).map_err(|error| failed()(error.error))?;
    Ok(())
}

/// Reads a file, none when there is none.
pub(crate) fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, ArchiveError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ArchiveError::cache("read", path)(error)),
    }
}

/// Removes a file, when there is one.
pub(crate) fn remove_if_there(path: &Path) -> Result<(), ArchiveError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(ArchiveError::cache("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// Opens a file that is made when missing, and waits until no other process has it locked.
pub(crate) fn open_locked(path: &Path, clock: &dyn Clock, cancel: &Cancel) -> Result<File, ArchiveError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let file = options.open(path).map_err(ArchiveError::cache("open", path))?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => wait(clock, LOCK_PAUSE, cancel)?,
            Err(TryLockError::Error(error)) => return Err(ArchiveError::cache("lock", path)(error)),
        }
    }
}

/// Marks a file as used just now, for those who remove what was not used for long.
pub(crate) fn touch(path: &Path) {
    // A file that cannot be marked is removed too early at worst, and then downloaded again.
    let _ = File::open(path).and_then(|file| file.set_modified(SystemTime::now()));
}
