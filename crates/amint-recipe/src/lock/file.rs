//! The lock file on disk.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use amint_types::Hint;

use super::model::Lock;
use crate::diagnostic::Diagnostics;
use crate::text_file::{self, TextError};

/// Most bytes of a lock file: some twenty thousand packages.
pub const LOCK_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Why a lock file could not be loaded or saved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// The file cannot be opened or read.
    #[error("failed to read lock file `{}`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is larger than a lock file can be.
    #[error("failed to read lock file `{}`: it has more than {LOCK_BYTES_MAX} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The file is not text in UTF-8.
    #[error("failed to read lock file `{}`: line {line} is not UTF-8", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// The first line that is not, from 1.
        line: usize,
    },
    /// The file has mistakes.
    #[error(transparent)]
    Invalid(#[from] Diagnostics),
    /// The file cannot be written, or not put in place of the old one, which then is as it was.
    #[error("failed to write lock file `{}`", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl LockError {
    /// Tells whether there is no lock file at all.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Unreadable { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

impl Hint for LockError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Unreadable { .. } if self.is_absent() => Some("`amint lock` writes it".to_owned()),
            Self::TooLarge { .. } | Self::NotUtf8 { .. } => Some("`amint lock` writes it anew".to_owned()),
            Self::Unreadable { .. } | Self::Invalid(_) | Self::Unwritable { .. } => None,
        }
    }
}

impl Lock {
    /// Loads a lock file.
    ///
    /// # Errors
    /// Fails when the file cannot be read, and with all mistakes at once when it has some.
    pub fn load(path: &Path) -> Result<Self, LockError> {
        let owned = || path.to_owned();
        let text = text_file::read(path, LOCK_BYTES_MAX).map_err(|error| match error {
            TextError::Unreadable(source) => LockError::Unreadable { path: owned(), source },
            TextError::TooLarge => LockError::TooLarge { path: owned() },
            TextError::NotUtf8(line) => LockError::NotUtf8 { path: owned(), line },
        })?;
        Ok(Self::parse(&text, path)?)
    }

    /// Writes the lock file: whoever reads it meets the old one or the new one, never a part.
    ///
    /// # Errors
    /// Fails when the file's folder cannot be written; the old file is then as it was.
    pub fn save_atomically(&self, path: &Path) -> Result<(), LockError> {
        replace(path, self.to_toml().as_bytes())
            .map_err(|source| LockError::Unwritable { path: path.to_owned(), source })
    }
}

fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let name = path.file_name().ok_or_else(|| io::Error::other("the path names no file"))?;
    // Another process that writes at the same time has another number.
    let temporary = folder.join(format!(".{}.{}.tmp", name.to_string_lossy(), std::process::id()));
    let written = write(&temporary, content).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // What is wrong is told by the first error.
        let _ = fs::remove_file(&temporary);
    }
    written?;
    // The new name lasts only once the folder is written, too.
    File::open(folder)?.sync_all()
}

fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    // What a killed process of the same number left behind is in nobody's way.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::testing::lock;

    #[test]
    fn replaces_a_lock_file_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("amint.lock");
        fs::write(&path, "old").unwrap();
        lock().save_atomically(&path).unwrap();
        assert_eq!(Lock::load(&path).unwrap(), lock());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn leaves_the_old_file_when_the_new_one_cannot_be_put_in_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("amint.lock");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("x"), "").unwrap();
        assert!(matches!(lock().save_atomically(&path), Err(LockError::Unwritable { .. })));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(path.join("x").exists());
    }

    #[test]
    fn tells_apart_why_a_file_is_no_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("amint.lock");
        let error = Lock::load(&path).unwrap_err();
        assert!(error.is_absent() && error.hint().unwrap().contains("amint lock"));
        fs::write(&path, b"# \n\xff").unwrap();
        assert!(matches!(Lock::load(&path), Err(LockError::NotUtf8 { line: 2, .. })));
        fs::write(&path, b"x = 1").unwrap();
        assert!(matches!(Lock::load(&path), Err(LockError::Invalid(_))));
        File::create(&path).unwrap().set_len(LOCK_BYTES_MAX + 1).unwrap();
        assert!(matches!(Lock::load(&path), Err(LockError::TooLarge { .. })));
    }
}
