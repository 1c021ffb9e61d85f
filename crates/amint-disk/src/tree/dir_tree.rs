//! A folder of this host as a file tree.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{CWD, Dir, FileType, Mode, OFlags, ResolveFlags, Stat};

use super::{Attribute, DirEntry, FileKind, FileTree, Metadata, TreeEdit, TreeError};

/// How many names one folder may hold.
const DIR_ENTRIES_MAX: u64 = 1_000_000;
/// How many bytes the names of one file's attributes and the value of one take: the kernel's own limits (xattr(7)).
const ATTRIBUTE_NAMES_BYTES: usize = 64 * 1024;
const ATTRIBUTE_BYTES: usize = 64 * 1024;
/// How often a look-up is repeated when the kernel says that the tree was changed under it.
const RETRIES_MAX: u32 = 16;

/// A folder of this host as a file tree.
///
/// The kernel itself confines every look-up (`openat2` with `RESOLVE_IN_ROOT` and `RESOLVE_NO_MAGICLINKS`):
/// absolute links and any number of `..` end inside the folder.
#[derive(Debug)]
pub struct DirTree {
    root: OwnedFd,
    path: PathBuf,
}

impl DirTree {
    /// Opens `path`, a folder of this host.
    pub fn open(path: &Path) -> Result<Self, TreeError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::openat(CWD, path, flags, Mode::empty())
            .map_err(|errno| TreeError::Open { path: path.to_owned(), source: Arc::new(errno.into()) })?;
        Ok(Self { root, path: path.to_owned() })
    }

    /// Returns the folder on the host.
    pub fn host_path(&self) -> &Path {
        &self.path
    }

    /// Begins to edit the tree; the changes are recorded for the report.
    pub fn edit(&self) -> TreeEdit<'_> {
        TreeEdit::new(self)
    }

    /// Opens `path` inside the tree.
    pub(super) fn open_at(
        &self,
        path: &Path,
        flags: OFlags,
        action: &'static str,
    ) -> Result<OwnedFd, TreeError> {
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        let inside = if path.as_os_str().is_empty() { Path::new("/") } else { path };
        for _ in 0..RETRIES_MAX {
            match rustix::fs::openat2(&self.root, inside, flags | OFlags::CLOEXEC, Mode::empty(), resolve) {
                Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
                Err(errno) => return Err(TreeError::io(action, path, errno.into())),
                Ok(descriptor) => return Ok(descriptor),
            }
        }
        Err(TreeError::io(action, path, io::Error::from(io::ErrorKind::ResourceBusy)))
    }

    /// Opens a regular file; what it is is asked before it is really opened, because opening a device acts.
    pub(super) fn open_regular(&self, path: &Path, flags: OFlags) -> Result<OwnedFd, TreeError> {
        let nofollow = flags & OFlags::NOFOLLOW;
        let handle = self.open_at(path, OFlags::PATH | nofollow, "open")?;
        if stat(&handle, path)?.kind != FileKind::File {
            return Err(TreeError::NotAFile { path: path.to_owned() });
        }
        let opened = self.open_at(path, flags | OFlags::NONBLOCK | OFlags::NOCTTY, "open")?;
        if stat(&opened, path)?.kind != FileKind::File {
            return Err(TreeError::NotAFile { path: path.to_owned() });
        }
        Ok(opened)
    }
}

impl FileTree for DirTree {
    fn metadata(&self, path: &Path) -> Result<Metadata, TreeError> {
        stat(&self.open_at(path, OFlags::PATH | OFlags::NOFOLLOW, "look at")?, path)
    }

    fn read_dir(&self, path: &Path) -> Result<Vec<DirEntry>, TreeError> {
        let descriptor = self.open_at(path, OFlags::RDONLY | OFlags::DIRECTORY, "list")?;
        let failed = |errno: rustix::io::Errno| TreeError::io("list", path, errno.into());
        let mut entries = Vec::new();
        for entry in Dir::read_from(&descriptor).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            if entries.len() as u64 >= DIR_ENTRIES_MAX {
                return Err(TreeError::TooMany { path: path.to_owned(), limit: DIR_ENTRIES_MAX });
            }
            let name = std::ffi::OsStr::from_bytes(name).to_owned();
            let kind = match kind_of(entry.file_type()) {
                Some(kind) => kind,
                None => self.metadata(&path.join(&name))?.kind,
            };
            entries.push(DirEntry { name, kind });
        }
        entries.sort();
        Ok(entries)
    }

    fn read_link(&self, path: &Path) -> Result<PathBuf, TreeError> {
        let descriptor = self.open_at(path, OFlags::PATH | OFlags::NOFOLLOW, "read the link")?;
        if !stat(&descriptor, path)?.is_link() {
            return Err(TreeError::NotALink { path: path.to_owned() });
        }
        let target = rustix::fs::readlinkat(&descriptor, "", Vec::new())
            .map_err(|errno| TreeError::io("read the link", path, errno.into()))?;
        Ok(PathBuf::from(std::ffi::OsString::from_vec(target.into_bytes())))
    }

    fn attributes(&self, path: &Path) -> Result<Option<Vec<Attribute>>, TreeError> {
        let handle = self.open_at(path, OFlags::PATH | OFlags::NOFOLLOW, "look at")?;
        if !matches!(stat(&handle, path)?.kind, FileKind::File | FileKind::Directory) {
            return Ok(Some(Vec::new()));
        }
        // The kernel asks nothing of a handle itself, but follows this link to what it stands for.
        let link = format!("/proc/self/fd/{}", handle.as_raw_fd());
        let failed = |errno: rustix::io::Errno| TreeError::io("read the attributes", path, errno.into());
        let mut names = vec![0_u8; ATTRIBUTE_NAMES_BYTES];
        let count = match rustix::fs::listxattr(&link, &mut names[..]) {
            Ok(count) => count,
            Err(rustix::io::Errno::NOTSUP) => 0,
            Err(errno) => return Err(failed(errno)),
        };
        let mut found = Vec::new();
        for name in names.get(..count).unwrap_or_default().split(|byte| *byte == 0) {
            if name.is_empty() {
                continue;
            }
            let mut value = vec![0_u8; ATTRIBUTE_BYTES];
            let count = rustix::fs::getxattr(&link, name, &mut value[..]).map_err(failed)?;
            value.truncate(count);
            found.push(Attribute { name: name.to_vec(), value });
        }
        found.sort();
        Ok(Some(found))
    }

    fn open(&self, path: &Path) -> Result<Box<dyn Read + Send + '_>, TreeError> {
        Ok(Box::new(File::from(self.open_regular(path, OFlags::RDONLY)?)))
    }
}

/// Asks what an open descriptor stands for.
pub(super) fn stat(descriptor: &OwnedFd, path: &Path) -> Result<Metadata, TreeError> {
    let stat = rustix::fs::fstat(descriptor).map_err(|errno| TreeError::io("look at", path, errno.into()))?;
    metadata_of(&stat, path)
}

/// Translates the kernel's answer.
pub(super) fn metadata_of(stat: &Stat, path: &Path) -> Result<Metadata, TreeError> {
    let kind = kind_of(FileType::from_raw_mode(stat.st_mode)).ok_or_else(|| TreeError::Damaged {
        path: path.to_owned(),
        what: format!("unknown file type in mode {:o}", stat.st_mode),
    })?;
    Ok(Metadata {
        kind,
        mode: stat.st_mode & 0o7777,
        uid: stat.st_uid,
        gid: stat.st_gid,
        bytes: u64::try_from(stat.st_size).unwrap_or(0),
        mtime: stat.st_mtime,
        // The width differs between architectures.
        #[expect(clippy::useless_conversion, reason = "`st_nlink` is 32 bits wide on arm64")]
        nlink: u64::from(stat.st_nlink),
    })
}

fn kind_of(file_type: FileType) -> Option<FileKind> {
    match file_type {
        FileType::RegularFile => Some(FileKind::File),
        FileType::Directory => Some(FileKind::Directory),
        FileType::Symlink => Some(FileKind::Link),
        FileType::Fifo => Some(FileKind::Pipe),
        FileType::Socket => Some(FileKind::Socket),
        FileType::CharacterDevice => Some(FileKind::CharDevice),
        FileType::BlockDevice => Some(FileKind::BlockDevice),
        FileType::Unknown => None,
    }
}
