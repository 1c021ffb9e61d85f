//! Files and block devices, read at any place.

use std::fs::File;
use std::io::{self, Seek as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{FileExt as _, FileTypeExt as _, MetadataExt as _};
use std::path::Path;

use amint_types::ReadAt;
use rustix::fs::{Mode, OFlags, SeekFrom};
use rustix::io::Errno;

use crate::FormatError;

/// An open file or block device.
#[derive(Debug)]
pub(crate) struct FileSource {
    file: File,
    bytes: u64,
    identity: (u64, u64),
}

impl FileSource {
    /// Opens what lies at `path`, through links.
    pub(crate) fn open(path: &Path) -> Result<Self, FormatError> {
        let failed = |source| FormatError::Open { path: path.to_owned(), source };
        // Looked at before opening: opening a named pipe would wait for a writer.
        let kind = std::fs::metadata(path).map_err(failed)?.file_type();
        if !kind.is_file() && !kind.is_block_device() {
            return Err(FormatError::NotAFile { path: path.to_owned() });
        }
        let file = File::open(path).map_err(failed)?;
        Self::new(file).map_err(failed)
    }

    /// Opens the regular file `name` of a folder; a link is refused, so that nothing leads out of the folder.
    pub(crate) fn open_in(folder: &Path, name: &str) -> Result<Self, FormatError> {
        let path = folder.join(name);
        let failed = |source| FormatError::Open { path: path.clone(), source };
        // Not blocking, for a named pipe; it means nothing for a file.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let folder = File::open(folder).map_err(failed)?;
        let file = rustix::fs::openat(folder.as_fd(), name, flags, Mode::empty())
            .map_err(|error| failed(error.into()))?;
        let file = File::from(file);
        if !file.metadata().map_err(failed)?.is_file() {
            return Err(FormatError::NotAFile { path });
        }
        Self::new(file).map_err(failed)
    }

    fn new(mut file: File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        // Metadata tell no size of a block device.
        let bytes = file.seek(io::SeekFrom::End(0))?;
        Ok(Self { file, bytes, identity: (metadata.dev(), metadata.ino()) })
    }

    /// Returns what tells the file from all others on the machine, however it is named.
    pub(crate) fn identity(&self) -> (u64, u64) {
        self.identity
    }
}

impl ReadAt for FileSource {
    fn size_bytes(&self) -> u64 {
        self.bytes
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(buffer, offset)
    }

    fn is_known_zero(&self, offset: u64, bytes: u64) -> bool {
        let Some(end) = offset.checked_add(bytes).filter(|end| *end <= self.bytes) else { return false };
        // The position of the file changes, which nobody minds: all reads name theirs.
        match rustix::fs::seek(&self.file, SeekFrom::Data(offset)) {
            Ok(data) => data >= end,
            Err(Errno::NXIO) => true,
            Err(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_known_to_be_zero() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().write_all_at(b"x", 1 << 20).unwrap();
        file.as_file().set_len(4 << 20).unwrap();
        let source = FileSource::open(file.path()).unwrap();
        assert_eq!(source.size_bytes(), 4 << 20);
        if !source.is_known_zero(0, 1 << 20) {
            eprintln!("SKIPPED: needs a file system with holes");
            return;
        }
        assert!(!source.is_known_zero(0, (1 << 20) + 1));
        assert!(source.is_known_zero(2 << 20, 2 << 20));
        assert!(!source.is_known_zero(2 << 20, (2 << 20) + 1));
        assert!(!source.is_known_zero(u64::MAX, 2));
    }

    #[test]
    fn folders_and_links_are_no_parts() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "x").unwrap();
        std::fs::create_dir(folder.path().join("folder")).unwrap();
        std::os::unix::fs::symlink("file", folder.path().join("link")).unwrap();
        assert!(FileSource::open_in(folder.path(), "file").is_ok());
        assert!(matches!(FileSource::open_in(folder.path(), "folder"), Err(FormatError::NotAFile { .. })));
        assert!(matches!(FileSource::open_in(folder.path(), "link"), Err(FormatError::Open { .. })));
        assert!(matches!(FileSource::open(folder.path()), Err(FormatError::NotAFile { .. })));
    }
}
