//! What a tree looks like at one moment, to tell later what changed.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::install::folders::split;

/// Deepest folder that is looked into.
const DEPTH_MAX: usize = 256;
/// The coarsest step of a file system's clock: what changes within one of them cannot be told apart.
const CLOCK_STEP: Duration = Duration::from_millis(10);

/// Every path of a tree with its inode and the time of its last change of any kind (`inode(7)`: ctime), which nobody
/// but the kernel sets.
#[derive(Clone, Debug, Default)]
pub(crate) struct TreeState(BTreeMap<Vec<u8>, Mark>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    inode: u64,
    seconds: i64,
    nanoseconds: i64,
}

/// What differs between two moments of one tree; paths are relative to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// New or changed, and the folders they and what went lie in; folders before what is in them.
    pub(crate) changed: Vec<Vec<u8>>,
    /// Gone.
    pub(crate) removed: Vec<Vec<u8>>,
}

impl TreeState {
    /// Looks at a tree, and waits until whatever happens next has a later time than all that happened before.
    pub(crate) fn of(tree: &Path) -> io::Result<Self> {
        let state = Self::look(tree)?;
        let newest = state.0.values().map(|mark| (mark.seconds, mark.nanoseconds)).max().unwrap_or_default();
        let seconds = u64::try_from(newest.0).unwrap_or_default();
        let nanoseconds = u64::try_from(newest.1).unwrap_or_default();
        let newest =
            SystemTime::UNIX_EPOCH + Duration::from_secs(seconds) + Duration::from_nanos(nanoseconds);
        let settled = newest + CLOCK_STEP;
        if let Ok(wait) = settled.duration_since(SystemTime::now()) {
            std::thread::sleep(wait.min(CLOCK_STEP));
        }
        Ok(state)
    }

    fn look(tree: &Path) -> io::Result<Self> {
        let mut marks = BTreeMap::new();
        let mut folders = vec![(PathBuf::new(), 0)];
        while let Some((folder, depth)) = folders.pop() {
            if depth > DEPTH_MAX {
                return Err(io::Error::other(format!("folders are nested too deeply: {}", folder.display())));
            }
            for entry in fs::read_dir(tree.join(&folder))? {
                let entry = entry?;
                let metadata = entry.metadata()?;
                let path = folder.join(entry.file_name());
                let mark = Mark {
                    inode: metadata.ino(),
                    seconds: metadata.ctime(),
                    nanoseconds: metadata.ctime_nsec(),
                };
                marks.insert(path.as_os_str().as_bytes().to_vec(), mark);
                if metadata.is_dir() {
                    folders.push((path, depth + 1));
                }
            }
        }
        Ok(Self(marks))
    }

    /// Returns what changed since `before`, with the folders it lies in: replaying a change gives those a new time,
    /// even where the change itself (a file written in place) left theirs alone.
    pub(crate) fn changes_since(&self, before: &Self) -> Changes {
        let is_new = |(path, mark): &(&Vec<u8>, &Mark)| before.0.get(*path) != Some(*mark);
        let mut changed: BTreeSet<&[u8]> =
            self.0.iter().filter(is_new).map(|(path, _)| path.as_slice()).collect();
        let removed: Vec<Vec<u8>> =
            before.0.keys().filter(|path| !self.0.contains_key(*path)).cloned().collect();
        let folders: Vec<&[u8]> = changed
            .iter()
            .copied()
            .chain(removed.iter().map(Vec::as_slice))
            .map(|path| split(path).0)
            .filter(|folder| !folder.is_empty())
            .collect();
        let kept = |folder: &&[u8]| self.0.contains_key(*folder);
        changed.extend(folders.into_iter().filter(kept));
        Changes { changed: changed.into_iter().map(<[u8]>::to_vec).collect(), removed }
    }
}

/// Returns a relative path of bytes as one of the system's.
pub(crate) fn path_of(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_came_changed_and_went() {
        let folder = tempfile::tempdir().unwrap();
        let tree = folder.path();
        fs::create_dir(tree.join("a")).unwrap();
        fs::create_dir(tree.join("b")).unwrap();
        for name in ["a/stays", "a/changes", "a/goes", "a/mode", "b/changes"] {
            fs::write(tree.join(name), "1").unwrap();
        }
        let before = TreeState::of(tree).unwrap();
        // The same length and, if the clock allows, the same time: only the change itself tells.
        fs::write(tree.join("a/changes"), "2").unwrap();
        fs::write(tree.join("b/changes"), "2").unwrap();
        fs::remove_file(tree.join("a/goes")).unwrap();
        fs::write(tree.join("new"), "").unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        fs::set_permissions(tree.join("a/mode"), mode).unwrap();
        let changes = TreeState::of(tree).unwrap().changes_since(&before);
        let shown = |paths: &[Vec<u8>]| -> Vec<String> {
            paths.iter().map(|path| String::from_utf8_lossy(path).into_owned()).collect()
        };
        assert_eq!(shown(&changes.changed), ["a", "a/changes", "a/mode", "b", "b/changes", "new"]);
        assert_eq!(shown(&changes.removed), ["a/goes"]);
    }
}
