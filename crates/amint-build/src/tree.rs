//! The image's files while they are made.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use amint_disk::tree::{DirTree, FileKind, FileTree, WalkLimits, WalkStep};

pub use amint_disk::tree::TreeError;

/// A file to write into the image.
pub(crate) struct FileToWrite {
    path: PathBuf,
    content: Vec<u8>,
    mode: u32,
}

impl FileToWrite {
    /// Prepares a file of root's with mode 0644.
    pub(crate) fn new(path: &str, content: Vec<u8>) -> Self {
        Self { path: path.into(), content, mode: 0o644 }
    }

    /// Returns path, content and mode: all that reaches the image.
    pub(crate) fn parts(&self) -> (&Path, &[u8], u32) {
        (&self.path, &self.content, self.mode)
    }

    /// Sets the mode.
    pub(crate) fn mode(mut self, mode: u32) -> Self {
        self.mode = mode;
        self
    }
}

/// The folder that becomes the image's root file system.
pub(crate) struct ImageTree {
    files: DirTree,
}

impl ImageTree {
    pub(crate) fn open(path: &Path) -> Result<Self, TreeError> {
        Ok(Self { files: DirTree::open(path)? })
    }

    /// Returns the folder on this machine.
    pub(crate) fn root(&self) -> &Path {
        self.files.host_path()
    }

    /// Returns the view that rules read and change.
    pub(crate) fn files(&self) -> &DirTree {
        &self.files
    }

    pub(crate) fn exists(&self, path: &str) -> bool {
        self.files.metadata(Path::new(path)).is_ok()
    }

    pub(crate) fn read(&self, path: &str, limit_bytes: u64) -> Result<Vec<u8>, TreeError> {
        self.files.read(Path::new(path), limit_bytes)
    }

    /// Lists the names in a folder; a missing folder is empty.
    pub(crate) fn list(&self, folder: &str) -> Result<Vec<String>, TreeError> {
        match self.files.read_dir(Path::new(folder)) {
            Ok(entries) => {
                Ok(entries.into_iter().map(|entry| entry.name.to_string_lossy().into_owned()).collect())
            }
            Err(error) if error.is_missing() => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Writes a file of root's, making missing folders.
    pub(crate) fn write(&self, file: &FileToWrite) -> Result<(), TreeError> {
        let edit = self.files.edit();
        if let Some(parent) = file.path.parent() {
            edit.create_dir_all(parent, 0o755, 0, 0)?;
        }
        edit.write_file(&file.path, &file.content, file.mode, 0, 0)?;
        Ok(())
    }

    /// Removes a file or link; what is missing stays missing.
    pub(crate) fn remove(&self, path: &str) -> Result<(), TreeError> {
        match self.files.edit().remove_file(Path::new(path)) {
            Err(error) if error.is_missing() => Ok(()),
            other => other.map(|_| ()),
        }
    }

    /// Removes all that a folder holds.
    pub(crate) fn empty(&self, folder: &str) -> Result<(), TreeError> {
        match self.files.edit().remove_contents(Path::new(folder)) {
            Err(error) if error.is_missing() => Ok(()),
            other => other.map(|_| ()),
        }
    }

    /// Removes the files below a folder and keeps its folders, whose owners and modes programs rely on.
    pub(crate) fn empty_files(&self, folder: &str) -> Result<(), TreeError> {
        let mut files = Vec::new();
        let walked = self.files.walk(Path::new(folder), WalkLimits::default(), &mut |entry| {
            if entry.metadata.kind != FileKind::Directory {
                files.push(entry.path.clone());
            }
            WalkStep::Continue
        });
        match walked {
            Err(error) if error.is_missing() => return Ok(()),
            other => other.map(|_| ())?,
        }
        let edit = self.files.edit();
        for file in files {
            edit.remove_file(&file)?;
        }
        Ok(())
    }

    /// Makes a folder with this owner and mode, and the missing ones above it as root's.
    pub(crate) fn folder(&self, path: &Path, mode: u32, owner: (u32, u32)) -> Result<(), TreeError> {
        let edit = self.files.edit();
        if let Some(parent) = path.parent() {
            edit.create_dir_all(parent, 0o755, 0, 0)?;
        }
        edit.create_dir(path, mode, owner.0, owner.1)?;
        Ok(())
    }

    /// Makes a symbolic link.
    pub(crate) fn link(&self, target: &Path, path: &Path) -> Result<(), TreeError> {
        self.files.edit().symlink(target, path).map(|_| ())
    }

    /// Copies a file of this machine into the image, without holding it in memory.
    pub(crate) fn copy(
        &self,
        source: &Path,
        path: &Path,
        mode: u32,
        owner: (u32, u32),
    ) -> Result<(), CopyError> {
        let edit = self.files.edit();
        if let Some(parent) = path.parent() {
            edit.create_dir_all(parent, 0o755, 0, 0)?;
        }
        let mut from = fs::File::open(source)?;
        // An empty file first: that settles name, owner and mode inside the image, whatever stood there.
        edit.write_file(path, b"", mode | 0o200, owner.0, owner.1)?;
        let resolved = self.files.resolve(path)?;
        let inside = resolved.strip_prefix("/").unwrap_or(&resolved);
        let no_follow = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or(0);
        let mut to = OpenOptions::new().write(true).custom_flags(no_follow).open(self.root().join(inside))?;
        io::copy(&mut from, &mut to)?;
        edit.chmod(path, mode)?;
        Ok(())
    }

    /// Looks up the number of a user or group of the image by name, or takes a number as it is.
    pub(crate) fn account(&self, file: &str, name: &str) -> Result<Option<u32>, TreeError> {
        if let Ok(number) = name.parse() {
            return Ok(Some(number));
        }
        let text = self.read(file, 16 * 1024 * 1024)?;
        Ok(String::from_utf8_lossy(&text).lines().find_map(|line| {
            let mut fields = line.split(':');
            (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok()).flatten()
        }))
    }
}

/// A file could not be copied into the image.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CopyError {
    /// The file of this machine could not be read, or the image's not be written.
    #[error("could not copy the content")]
    Io(#[from] io::Error),
    /// The image's tree refused.
    #[error(transparent)]
    Tree(#[from] TreeError),
}
