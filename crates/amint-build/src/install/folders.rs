//! Folders of the tree, opened without ever leaving it.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;

use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

/// Most folders that one worker keeps open.
const OPEN_MAX: usize = 200;

/// Opens folders below a root as the kernel would if that root were `/`: links in the tree stay inside the tree
/// (`openat2(2)`, `RESOLVE_IN_ROOT`).
pub(crate) struct Folders<'a> {
    root: BorrowedFd<'a>,
    open: HashMap<Vec<u8>, Rc<OwnedFd>>,
}

impl<'a> Folders<'a> {
    pub(crate) fn new(root: BorrowedFd<'a>) -> Self {
        Self { root, open: HashMap::new() }
    }

    /// Opens the folder at `path` (relative, without `..`), making it and those above it where they are missing.
    pub(crate) fn open(&mut self, path: &[u8]) -> io::Result<Rc<OwnedFd>> {
        if let Some(folder) = self.open.get(path) {
            return Ok(Rc::clone(folder));
        }
        let folder = Rc::new(self.open_or_make(path)?);
        if self.open.len() >= OPEN_MAX {
            self.open.clear();
        }
        self.open.insert(path.to_owned(), Rc::clone(&folder));
        Ok(folder)
    }

    fn open_or_make(&mut self, path: &[u8]) -> io::Result<OwnedFd> {
        match open_folder(self.root, path) {
            Err(Errno::NOENT) => {
                let (parent, name) = split(path);
                let parent = self.open(parent)?;
                match rustix::fs::mkdirat(parent.as_fd(), name, Mode::from_raw_mode(0o755)) {
                    Ok(()) | Err(Errno::EXIST) => {}
                    Err(error) => return Err(error.into()),
                }
                Ok(open_folder(self.root, path)?)
            }
            other => Ok(other?),
        }
    }
}

fn open_folder(root: BorrowedFd<'_>, path: &[u8]) -> Result<OwnedFd, Errno> {
    let path = if path.is_empty() { b".".as_slice() } else { path };
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat2(root, path, flags, Mode::empty(), ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS)
}

/// Splits a relative path into folder and name.
pub(crate) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(at) => (&path[..at], &path[at + 1..]),
        None => (b"", path),
    }
}
