//! Downloads under way: taken up where the last try, or the last process, left them.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use amint_types::{Cancel, Digest, DigestWriter};

use crate::cache::{Cache, open_locked};
use crate::clock::Clock;
use crate::error::ArchiveError;

/// A file that is not whole yet, locked by this process.
pub(crate) struct Partial {
    file: File,
    path: PathBuf,
    hash: DigestWriter,
    bytes: u64,
}

impl Partial {
    /// Opens what is there of a file; none when another process has made it whole meanwhile.
    pub(crate) fn open(
        cache: &Cache,
        sha256: &Digest,
        bytes_expected: u64,
        target: &Path,
        clock: &dyn Clock,
        cancel: &Cancel,
    ) -> Result<Option<Self>, ArchiveError> {
        let path = cache.partial_of(sha256);
        let failed = || ArchiveError::cache("read", &path);
        loop {
            let file = open_locked(&path, clock, cancel)?;
            let held = file.metadata().map_err(failed())?;
            let is_current =
                fs::metadata(&path).is_ok_and(|found| (found.dev(), found.ino()) == (held.dev(), held.ino()));
            if !is_current {
                // Whoever held the lock has put the file in its place.
                if is_whole(target, bytes_expected) {
                    return Ok(None);
                }
                continue;
            }
            if is_whole(target, bytes_expected) {
                fs::remove_file(&path).map_err(ArchiveError::cache("remove", &path))?;
                return Ok(None);
            }
            let mut partial = Self { file, path: path.clone(), hash: DigestWriter::new(), bytes: 0 };
            partial.read(cancel)?;
            if partial.bytes > bytes_expected {
                partial.restart()?;
            }
            return Ok(Some(partial));
        }
    }

    /// Returns how much is there.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Adds bytes at the end.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), ArchiveError> {
        self.file.write_all(bytes).map_err(ArchiveError::cache("write", &self.path))?;
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Throws away what is there.
    pub(crate) fn restart(&mut self) -> Result<(), ArchiveError> {
        let emptied = self.file.set_len(0).and_then(|()| self.file.seek(SeekFrom::Start(0)));
        emptied.map_err(ArchiveError::cache("write", &self.path))?;
        self.hash = DigestWriter::new();
        self.bytes = 0;
        Ok(())
    }

    /// Returns the digest of what is there.
    pub(crate) fn digest(&self) -> Digest {
        self.hash.clone().finish()
    }

    /// Puts the file in its place, when its digest is right.
    pub(crate) fn finish(self, target: &Path) -> Result<(), ArchiveError> {
        if let Some(folder) = target.parent() {
            crate::cache::create_folder(folder)?;
        }
        fs::rename(&self.path, target).map_err(ArchiveError::cache("write", target))
    }

    fn read(&mut self, cancel: &Cancel) -> Result<(), ArchiveError> {
        let mut buffer = vec![0; 256 * 1024];
        loop {
            cancel.check()?;
            let count = self.file.read(&mut buffer).map_err(ArchiveError::cache("read", &self.path))?;
            if count == 0 {
                return Ok(());
            }
            self.hash.update(&buffer[..count]);
            self.bytes += count as u64;
        }
    }
}

/// Tells whether a file is in its place: what gets there was checked, so its size is enough.
pub(crate) fn is_whole(target: &Path, bytes_expected: u64) -> bool {
    fs::symlink_metadata(target).is_ok_and(|found| found.is_file() && found.len() == bytes_expected)
}
