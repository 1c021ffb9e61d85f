//! Files that appear under their name only when they are whole.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// A file being written next to its final place, readable by nobody else, removed unless committed.
#[derive(Debug)]
pub(crate) struct Staging {
    temporary: NamedTempFile,
    target: PathBuf,
}

impl Staging {
    /// Makes an empty file in the folder of `target`.
    pub(crate) fn create(target: &Path) -> io::Result<Self> {
        let folder = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        // The file is made with mode 0600: an image may carry what only its owner should read.
        let temporary = tempfile::Builder::new().prefix(".amint-").suffix(".partial").tempfile_in(folder)?;
        Ok(Self { temporary, target: target.to_owned() })
    }

    /// Returns the file.
    pub(crate) fn file(&self) -> &File {
        self.temporary.as_file()
    }

    /// Gives the file its final name, and replaces a file that has that name when `overwrite` is set. A device or a pipe is
    /// never replaced.
    pub(crate) fn commit(self, overwrite: bool) -> io::Result<()> {
        if overwrite {
            if self.target.metadata().is_ok_and(|there| !there.is_file()) {
                let what = "what has that name is no regular file, and is not replaced";
                return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
            }
            self.temporary.persist(&self.target)?;
        } else {
            self.temporary.persist_noclobber(&self.target)?;
        }
        Ok(())
    }
}
