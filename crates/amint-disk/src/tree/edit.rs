//! Changing a folder tree, with a record of every change.

use std::cell::RefCell;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, Dir, Gid, Mode, OFlags, Uid};
use rustix::io::Errno;

use super::dir_tree::{metadata_of, stat};
use super::{DirTree, FileTree, Metadata, TreeError};

/// How deep a folder that is emptied may be.
const DEPTH_MAX: u32 = 256;

/// Changes a [`DirTree`], confined like its reading, and records what was really changed.
///
/// The last name of a path is never followed: writing to a link replaces the link. Every method returns
/// whether it changed anything, and asking for what is already so changes and records nothing. The record
/// names paths and never content.
#[derive(Debug)]
pub struct TreeEdit<'tree> {
    tree: &'tree DirTree,
    changes: RefCell<Vec<String>>,
}

impl<'tree> TreeEdit<'tree> {
    pub(super) fn new(tree: &'tree DirTree) -> Self {
        Self { tree, changes: RefCell::default() }
    }

    /// Returns the tree, to look at it.
    pub fn tree(&self) -> &'tree DirTree {
        self.tree
    }

    /// Takes the record of what was changed, in the order of the changes.
    pub fn take_changes(&self) -> Vec<String> {
        self.changes.take()
    }

    /// Writes a file: a new file is made beside it and takes its place, so no reader sees half of it.
    pub fn write_file(
        &self,
        path: &Path,
        content: &[u8],
        mode: u32,
        uid: u32,
        gid: u32,
    ) -> Result<bool, TreeError> {
        if self.is_file_already(path, content, mode, uid, gid)? {
            return Ok(false);
        }
        let (parent, name) = self.parent(path)?;
        let temporary = temporary_name(&name);
        let failed = |errno: Errno| TreeError::io("write", path, errno.into());
        let written = write_new(&parent, &temporary, path, &NewFile { content, mode, uid, gid });
        let placed =
            written.and_then(|()| rustix::fs::renameat(&parent, &temporary, &parent, &name).map_err(failed));
        if placed.is_err() {
            // The error of the write is the one to tell; the left-over name is only tidied up.
            let _ = rustix::fs::unlinkat(&parent, &temporary, AtFlags::empty());
        }
        placed?;
        self.record(format!("wrote {}", show(path)));
        Ok(true)
    }

    /// Writes new content into an existing file's place, keeping its mode and owner.
    pub fn replace_content(&self, path: &Path, content: &[u8]) -> Result<bool, TreeError> {
        let metadata = self.tree.metadata(path)?;
        if !metadata.is_file() {
            return Err(TreeError::NotAFile { path: path.to_owned() });
        }
        self.write_file(path, content, metadata.mode, metadata.uid, metadata.gid)
    }

    /// Removes a file, a link, or anything else that is no folder; what is missing stays missing.
    pub fn remove_file(&self, path: &Path) -> Result<bool, TreeError> {
        let (parent, name) = match self.parent(path) {
            Err(error) if error.is_missing() => return Ok(false),
            other => other?,
        };
        match rustix::fs::unlinkat(&parent, &name, AtFlags::empty()) {
            Ok(()) => {
                self.record(format!("removed {}", show(path)));
                Ok(true)
            }
            Err(Errno::NOENT) => Ok(false),
            Err(errno) => Err(TreeError::io("remove", path, errno.into())),
        }
    }

    /// Removes all that a folder holds, and keeps the folder with its mode and owner. Links are not followed.
    pub fn remove_contents(&self, path: &Path) -> Result<bool, TreeError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW;
        let descriptor = match self.tree.open_at(path, flags, "empty") {
            Err(error) if error.is_missing() => return Ok(false),
            other => other?,
        };
        let count = remove_below(&descriptor, path, 0)?;
        if count > 0 {
            self.record(format!("emptied {} ({count} removed)", show(path)));
        }
        Ok(count > 0)
    }

    /// Removes a folder with all that it holds. Links are not followed.
    pub fn remove_dir_all(&self, path: &Path) -> Result<bool, TreeError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW;
        let descriptor = match self.tree.open_at(path, flags, "remove") {
            Err(error) if error.is_missing() => return Ok(false),
            other => other?,
        };
        remove_below(&descriptor, path, 0)?;
        let (parent, name) = self.parent(path)?;
        rustix::fs::unlinkat(&parent, &name, AtFlags::REMOVEDIR)
            .map_err(|errno| TreeError::io("remove", path, errno.into()))?;
        self.record(format!("removed {}", show(path)));
        Ok(true)
    }

    /// Makes a folder whose parent exists; a folder that is there already is left as it is.
    pub fn create_dir(&self, path: &Path, mode: u32, uid: u32, gid: u32) -> Result<bool, TreeError> {
        let (parent, name) = self.parent(path)?;
        let failed = |errno: Errno| TreeError::io("make the folder", path, errno.into());
        match rustix::fs::mkdirat(&parent, &name, Mode::from_raw_mode(0o700)) {
            Ok(()) => {}
            Err(Errno::EXIST) => {
                // A link to a folder serves as one.
                self.tree.open_at(path, OFlags::PATH | OFlags::DIRECTORY, "make the folder")?;
                return Ok(false);
            }
            Err(errno) => return Err(failed(errno)),
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = rustix::fs::openat(&parent, &name, flags, Mode::empty()).map_err(failed)?;
        set_owner(&folder, path, uid, gid)?;
        rustix::fs::fchmod(&folder, Mode::from_raw_mode(mode)).map_err(failed)?;
        self.record(format!("made the folder {}", show(path)));
        Ok(true)
    }

    /// Makes the missing folders of `path`, each with this mode and owner.
    pub fn create_dir_all(&self, path: &Path, mode: u32, uid: u32, gid: u32) -> Result<bool, TreeError> {
        let mut is_changed = false;
        let ancestors: Vec<&Path> = path.ancestors().filter(|part| part.file_name().is_some()).collect();
        for part in ancestors.into_iter().rev() {
            is_changed |= self.create_dir(part, mode, uid, gid)?;
        }
        Ok(is_changed)
    }

    /// Makes `path` a symbolic link that says `target`, in the place of any file or link there.
    pub fn symlink(&self, target: &Path, path: &Path) -> Result<bool, TreeError> {
        match self.tree.read_link(path) {
            Ok(current) if current == target => return Ok(false),
            Ok(_) | Err(TreeError::NotALink { .. }) => {}
            Err(error) if error.is_missing() => {}
            Err(error) => return Err(error),
        }
        let (parent, name) = self.parent(path)?;
        let temporary = temporary_name(&name);
        let failed = |errno: Errno| TreeError::io("make the link", path, errno.into());
        remove_stale(&parent, &temporary).map_err(failed)?;
        rustix::fs::symlinkat(target, &parent, &temporary).map_err(failed)?;
        if let Err(errno) = rustix::fs::renameat(&parent, &temporary, &parent, &name) {
            let _ = rustix::fs::unlinkat(&parent, &temporary, AtFlags::empty());
            return Err(failed(errno));
        }
        self.record(format!("linked {} to {}", show(path), show(target)));
        Ok(true)
    }

    /// Sets the permission bits of a file or folder; links are refused.
    pub fn chmod(&self, path: &Path, mode: u32) -> Result<bool, TreeError> {
        let metadata = self.tree.metadata(path)?;
        if metadata.mode == mode {
            return Ok(false);
        }
        let descriptor = self.open_changeable(path, &metadata)?;
        rustix::fs::fchmod(&descriptor, Mode::from_raw_mode(mode))
            .map_err(|errno| TreeError::io("change the mode of", path, errno.into()))?;
        self.record(format!("set the mode of {} to {mode:04o} (was {:04o})", show(path), metadata.mode));
        Ok(true)
    }

    /// Sets owner and group of a file or folder; links are refused. Mode bits stay as they were.
    pub fn chown(&self, path: &Path, uid: u32, gid: u32) -> Result<bool, TreeError> {
        let metadata = self.tree.metadata(path)?;
        if (metadata.uid, metadata.gid) == (uid, gid) {
            return Ok(false);
        }
        let descriptor = self.open_changeable(path, &metadata)?;
        set_owner(&descriptor, path, uid, gid)?;
        rustix::fs::fchmod(&descriptor, Mode::from_raw_mode(metadata.mode))
            .map_err(|errno| TreeError::io("change the owner of", path, errno.into()))?;
        self.record(format!("set the owner of {} to {uid}:{gid}", show(path)));
        Ok(true)
    }

    /// Empties a regular file in place, keeping its mode, owner and names.
    pub fn truncate(&self, path: &Path) -> Result<bool, TreeError> {
        if self.tree.metadata(path)?.bytes == 0 {
            return Ok(false);
        }
        let descriptor = self.tree.open_regular(path, OFlags::WRONLY | OFlags::NOFOLLOW)?;
        rustix::fs::ftruncate(&descriptor, 0).map_err(|errno| TreeError::io("empty", path, errno.into()))?;
        self.record(format!("emptied {}", show(path)));
        Ok(true)
    }

    fn record(&self, change: String) {
        self.changes.borrow_mut().push(change);
    }

    /// Opens the folder that holds `path`'s last name, inside the tree.
    fn parent(&self, path: &Path) -> Result<(OwnedFd, OsString), TreeError> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(TreeError::NotAFile { path: path.to_owned() });
        };
        let descriptor =
            self.tree.open_at(parent, OFlags::RDONLY | OFlags::DIRECTORY, "open the folder of")?;
        Ok((descriptor, name.to_owned()))
    }

    fn open_changeable(&self, path: &Path, metadata: &Metadata) -> Result<OwnedFd, TreeError> {
        if metadata.is_dir() {
            self.tree.open_at(path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW, "open")
        } else {
            self.tree.open_regular(path, OFlags::RDONLY | OFlags::NOFOLLOW)
        }
    }

    fn is_file_already(
        &self,
        path: &Path,
        content: &[u8],
        mode: u32,
        uid: u32,
        gid: u32,
    ) -> Result<bool, TreeError> {
        let metadata = match self.tree.metadata(path) {
            Err(error) if error.is_missing() => return Ok(false),
            other => other?,
        };
        let is_alike = metadata.is_file()
            && metadata.bytes == content.len() as u64
            && (metadata.mode, metadata.uid, metadata.gid) == (mode, uid, gid);
        if !is_alike {
            return Ok(false);
        }
        let mut current = Vec::with_capacity(content.len());
        File::from(self.tree.open_regular(path, OFlags::RDONLY | OFlags::NOFOLLOW)?)
            .take(metadata.bytes.saturating_add(1))
            .read_to_end(&mut current)
            .map_err(|source| TreeError::io("read", path, source))?;
        Ok(current == content)
    }
}

/// A file to be made.
struct NewFile<'content> {
    content: &'content [u8],
    mode: u32,
    uid: u32,
    gid: u32,
}

/// Makes the new file under its temporary name.
fn write_new(parent: &OwnedFd, temporary: &OsStr, path: &Path, file: &NewFile<'_>) -> Result<(), TreeError> {
    let failed = |errno: Errno| TreeError::io("write", path, errno.into());
    remove_stale(parent, temporary).map_err(failed)?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let descriptor =
        rustix::fs::openat(parent, temporary, flags, Mode::from_raw_mode(0o600)).map_err(failed)?;
    set_owner(&descriptor, path, file.uid, file.gid)?;
    rustix::fs::fchmod(&descriptor, Mode::from_raw_mode(file.mode)).map_err(failed)?;
    File::from(descriptor).write_all(file.content).map_err(|source| TreeError::io("write", path, source))
}

/// Changes the owner only where it differs, because a builder without privileges may not even ask.
fn set_owner(descriptor: &OwnedFd, path: &Path, uid: u32, gid: u32) -> Result<(), TreeError> {
    let metadata = stat(descriptor, path)?;
    if (metadata.uid, metadata.gid) == (uid, gid) {
        return Ok(());
    }
    rustix::fs::fchown(descriptor, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))
        .map_err(|errno| TreeError::io("change the owner of", path, errno.into()))
}

/// Removes what an interrupted run left under our temporary name.
fn remove_stale(parent: &OwnedFd, temporary: &OsStr) -> Result<(), Errno> {
    match rustix::fs::unlinkat(parent, temporary, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// Removes all below an open folder and returns how many names went.
fn remove_below(directory: &OwnedFd, path: &Path, depth: u32) -> Result<u64, TreeError> {
    let failed = |errno: Errno| TreeError::io("remove the content of", path, errno.into());
    if depth > DEPTH_MAX {
        return Err(TreeError::TooDeep { path: path.to_owned(), limit: DEPTH_MAX as usize });
    }
    let mut count = 0;
    let mut names = Vec::new();
    for entry in Dir::read_from(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
            names.push(OsStr::from_bytes(entry.file_name().to_bytes()).to_owned());
        }
    }
    for name in names {
        let below = path.join(&name);
        let status = rustix::fs::statat(directory, &name, AtFlags::SYMLINK_NOFOLLOW).map_err(failed)?;
        let mut flags = AtFlags::empty();
        if metadata_of(&status, &below)?.is_dir() {
            let open = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let child = rustix::fs::openat(directory, &name, open, Mode::empty()).map_err(failed)?;
            count += remove_below(&child, &below, depth + 1)?;
            flags = AtFlags::REMOVEDIR;
        }
        rustix::fs::unlinkat(directory, &name, flags).map_err(failed)?;
        count += 1;
    }
    Ok(count)
}

fn temporary_name(name: &OsStr) -> OsString {
    let mut temporary = OsString::from(".amint-");
    // Names may be 255 bytes long already.
    temporary.push(OsStr::from_bytes(&name.as_bytes()[..name.len().min(200)]));
    temporary
}

/// Shows a path on one line whatever bytes it is made of.
fn show(path: &Path) -> String {
    path.to_string_lossy()
        .chars()
        .flat_map(|letter| match letter {
            control if control.is_control() => control.escape_default().collect::<Vec<_>>(),
            other => vec![other],
        })
        .collect()
}
