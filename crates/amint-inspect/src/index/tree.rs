//! The index as the tree that rules read through.

use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use amint_disk::tree::{Attribute, DirEntry, FileKind, FileTree, Metadata, TreeError};
use amint_fs::{FsError, Kind, OpenFile, Xattr};

use super::entry::{Entry, EntryId, Index, Missing};

/// How much is read at once.
const READ_BYTES: usize = 64 * 1024;

impl Index {
    fn at(&self, path: &Path, follows_last: bool) -> Result<EntryId, TreeError> {
        let owned = || path.to_owned();
        self.follow(path.as_os_str().as_bytes(), follows_last).map_err(|missing| match missing {
            Missing::NotFound => TreeError::NotFound { path: owned() },
            Missing::NotAFolder => TreeError::NotADirectory { path: owned() },
            Missing::Loop => TreeError::Loop { path: owned() },
            Missing::Unread(error) => translate(error, "look at", path),
        })
    }
}

/// Says an error of a file system in the words of trees.
fn translate(error: FsError, action: &'static str, path: &Path) -> TreeError {
    let path = path.to_owned();
    match error {
        FsError::NotFound => TreeError::NotFound { path },
        FsError::Io(source) => TreeError::Io { action, path, source },
        other => TreeError::Damaged { path, what: other.to_string() },
    }
}

impl FileTree for Index {
    fn metadata(&self, path: &Path) -> Result<Metadata, TreeError> {
        Ok(metadata(self.entry(self.at(path, false)?)))
    }

    fn read_dir(&self, path: &Path) -> Result<Vec<DirEntry>, TreeError> {
        let folder = self.at(path, true)?;
        if self.entry(folder).kind != Kind::Folder {
            return Err(TreeError::NotADirectory { path: path.to_owned() });
        }
        let entry = |(_, entry): (EntryId, &Entry)| DirEntry {
            name: OsString::from_vec(entry.name().to_vec()),
            kind: kind(entry.kind),
        };
        Ok(self.children(folder).map(entry).collect())
    }

    fn read_link(&self, path: &Path) -> Result<PathBuf, TreeError> {
        let link = self.at(path, false)?;
        if self.entry(link).kind != Kind::Link {
            return Err(TreeError::NotALink { path: path.to_owned() });
        }
        let target = Self::read_link(self, link).map_err(|error| translate(error, "read the link", path))?;
        Ok(PathBuf::from(OsString::from_vec(target)))
    }

    fn attributes(&self, path: &Path) -> Result<Option<Vec<Attribute>>, TreeError> {
        let id = self.at(path, false)?;
        let found = self.xattrs(id).map_err(|error| translate(error, "read the attributes", path))?;
        Ok(Some(found.into_iter().map(|Xattr { name, value }| Attribute { name, value }).collect()))
    }

    fn open(&self, path: &Path) -> Result<Box<dyn Read + Send + '_>, TreeError> {
        let id = self.at(path, true)?;
        if self.entry(id).kind != Kind::File {
            return Err(TreeError::NotAFile { path: path.to_owned() });
        }
        let file = Self::open(self, id).map_err(|error| translate(error, "open", path))?;
        Ok(Box::new(io::BufReader::with_capacity(READ_BYTES, Reading { file, at: 0 })))
    }

    fn read(&self, path: &Path, limit_bytes: u64) -> Result<Vec<u8>, TreeError> {
        let id = self.at(path, true)?;
        let entry = self.entry(id);
        if entry.kind != Kind::File {
            return Err(TreeError::NotAFile { path: path.to_owned() });
        }
        if entry.bytes > limit_bytes {
            return Err(TreeError::TooLarge { path: path.to_owned(), limit_bytes });
        }
        // At once and without a buffer between: databases of packages are hundreds of small files.
        Self::read(self, id, limit_bytes).map_err(|error| translate(error, "read", path))
    }
}

struct Reading<'a> {
    file: Box<dyn OpenFile + 'a>,
    at: u64,
}

impl Read for Reading<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(self.at, buffer).map_err(|error| match error {
            FsError::Io(source) => io::Error::new(source.kind(), Arc::clone(&source)),
            other => io::Error::new(io::ErrorKind::InvalidData, other),
        })?;
        self.at += count as u64;
        Ok(count)
    }
}

fn metadata(entry: &Entry) -> Metadata {
    Metadata {
        kind: kind(entry.kind),
        mode: entry.mode,
        uid: entry.uid,
        gid: entry.gid,
        bytes: entry.bytes,
        mtime: entry.modified,
        nlink: entry.nlink,
    }
}

fn kind(kind: Kind) -> FileKind {
    match kind {
        Kind::File => FileKind::File,
        Kind::Folder => FileKind::Directory,
        Kind::Link => FileKind::Link,
        Kind::Pipe => FileKind::Pipe,
        Kind::Socket => FileKind::Socket,
        Kind::CharDevice => FileKind::CharDevice,
        Kind::BlockDevice => FileKind::BlockDevice,
    }
}
