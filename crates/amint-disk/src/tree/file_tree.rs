//! The read-only view over an image's files.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use super::{Attribute, DirEntry, Metadata, TreeError, WalkEntry, WalkLimits, WalkStep, WalkSummary};

/// How many symbolic links one path may lead through: what Linux allows.
pub const LINKS_MAX: usize = 40;

/// A read-only view over the files of an image, by absolute path of the image.
///
/// Links in the middle of a path are followed inside the image by every method. A link at the end is followed
/// by `read_dir`, `open` and `read`, and looked at itself by `metadata` and `read_link`. No method ever leaves
/// the image. A reader of a file system needs only the four required methods; it may call [`Self::resolve`] on
/// the parent, which asks for nothing but canonical paths.
pub trait FileTree: Send + Sync {
    /// Tells what is known of `path`, without following a link at its end.
    fn metadata(&self, path: &Path) -> Result<Metadata, TreeError>;

    /// Lists a folder, sorted by name, without `.` and `..`.
    fn read_dir(&self, path: &Path) -> Result<Vec<DirEntry>, TreeError>;

    /// Returns what a symbolic link says.
    fn read_link(&self, path: &Path) -> Result<PathBuf, TreeError>;

    /// Opens a regular file to be read from its start; nothing else is ever opened.
    fn open(&self, path: &Path) -> Result<Box<dyn Read + Send + '_>, TreeError>;

    /// Returns the extended attributes of a file or folder (xattr(7)), sorted by name, without following a link at the
    /// end; none where the tree does not know them.
    fn attributes(&self, _path: &Path) -> Result<Option<Vec<Attribute>>, TreeError> {
        Ok(None)
    }

    /// Reads a whole file of at most `limit_bytes`.
    fn read(&self, path: &Path, limit_bytes: u64) -> Result<Vec<u8>, TreeError> {
        let mut content = Vec::new();
        self.open(path)?
            .take(limit_bytes.saturating_add(1))
            .read_to_end(&mut content)
            .map_err(|source| TreeError::io("read", path, source))?;
        if content.len() as u64 > limit_bytes {
            return Err(TreeError::TooLarge { path: path.to_owned(), limit_bytes });
        }
        Ok(content)
    }

    /// Returns the canonical path that `path` leads to, following every link inside the image.
    fn resolve(&self, path: &Path) -> Result<PathBuf, TreeError> {
        let mut pending: Vec<OsString> = reversed_names(path);
        let mut resolved = PathBuf::from("/");
        let mut links = 0;
        while let Some(name) = pending.pop() {
            if name == ".." {
                // The parent of the root is the root: that is what keeps a path inside.
                resolved.pop();
                continue;
            }
            let next = resolved.join(&name);
            let metadata = self.metadata(&next)?;
            if !metadata.is_link() {
                if !pending.is_empty() && !metadata.is_dir() {
                    return Err(TreeError::NotADirectory { path: path.to_owned() });
                }
                resolved = next;
                continue;
            }
            links += 1;
            if links > LINKS_MAX {
                return Err(TreeError::Loop { path: path.to_owned() });
            }
            let target = self.read_link(&next)?;
            if target.is_absolute() {
                resolved = PathBuf::from("/");
            }
            pending.extend(reversed_names(&target));
        }
        Ok(resolved)
    }

    /// Walks down from `root`, folders before their content, names in order, links not followed.
    ///
    /// Going over a limit or meeting something unreadable is an error: a walk never leaves out silently.
    fn walk(
        &self,
        root: &Path,
        limits: WalkLimits,
        visit: &mut dyn FnMut(&WalkEntry) -> WalkStep,
    ) -> Result<WalkSummary, TreeError> {
        let mut summary = WalkSummary::default();
        let mut pending = vec![(root.to_owned(), 0_usize)];
        while let Some((directory, depth)) = pending.pop() {
            if depth > limits.depth_max {
                return Err(TreeError::TooDeep { path: directory, limit: limits.depth_max });
            }
            let mut below = Vec::new();
            let children = self.read_dir(&directory)?;
            for child in children {
                summary.entries += 1;
                if summary.entries > limits.entries_max {
                    return Err(TreeError::TooMany { path: root.to_owned(), limit: limits.entries_max });
                }
                let path = directory.join(&child.name);
                let metadata = self.metadata(&path)?;
                let entry = WalkEntry { path, metadata };
                match visit(&entry) {
                    WalkStep::Continue if metadata.is_dir() => below.push((entry.path, depth + 1)),
                    WalkStep::Continue | WalkStep::Skip => {}
                    WalkStep::Stop => {
                        summary.is_stopped = true;
                        return Ok(summary);
                    }
                }
            }
            pending.extend(below.into_iter().rev());
        }
        Ok(summary)
    }
}

/// Splits a path into the names to go through, last first; `..` stays.
fn reversed_names(path: &Path) -> Vec<OsString> {
    let name = |component: Component<'_>| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsStr::new("..").to_owned()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    };
    path.components().rev().filter_map(name).collect()
}
