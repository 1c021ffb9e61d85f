//! A file tree in memory.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use amint_disk::tree::{Attribute, DirEntry, FileKind, FileTree, Metadata, TreeError};

/// When all files were changed last.
const MODIFIED: i64 = 1_700_000_000;

/// A file tree in memory, with any kinds, modes and owners.
#[derive(Clone, Debug)]
pub struct MemoryTree {
    nodes: BTreeMap<PathBuf, Node>,
}

#[derive(Clone, Debug)]
struct Node {
    metadata: Metadata,
    /// The content of a file, or the target of a link.
    content: Vec<u8>,
    attributes: Vec<Attribute>,
}

impl Default for MemoryTree {
    fn default() -> Self {
        Self {
            nodes: BTreeMap::from([(PathBuf::from("/"), Node::new(FileKind::Directory, 0o755, Vec::new()))]),
        }
    }
}

impl Node {
    fn new(kind: FileKind, mode: u32, content: Vec<u8>) -> Self {
        let nlink = if kind == FileKind::Directory { 2 } else { 1 };
        // The size is told when it is asked for: content may change.
        Self {
            metadata: Metadata { kind, mode, uid: 0, gid: 0, bytes: 0, mtime: MODIFIED, nlink },
            content,
            attributes: Vec::new(),
        }
    }
}

impl MemoryTree {
    /// Puts something in place, root's, with the folders above it; what was there before is gone.
    ///
    /// The content of a link is its target. The path is absolute, without `..`.
    pub fn put(&mut self, path: &Path, kind: FileKind, mode: u32, content: Vec<u8>) {
        for folder in path.ancestors().skip(1) {
            let folder = folder.to_owned();
            self.nodes.entry(folder).or_insert_with(|| Node::new(FileKind::Directory, 0o755, Vec::new()));
        }
        let node = Node::new(kind, mode, content);
        match self.nodes.get_mut(path) {
            // The content of a folder stays.
            Some(old) if old.metadata.kind == kind && kind == FileKind::Directory => *old = node,
            _ => {
                self.remove(path);
                self.nodes.insert(path.to_owned(), node);
            }
        }
    }

    /// Removes what is there, with all below it; tells whether anything was.
    pub fn remove(&mut self, path: &Path) -> bool {
        let before = self.nodes.len();
        self.nodes.retain(|key, _| !key.starts_with(path));
        self.nodes.len() < before
    }

    /// Puts more at the end of a file; tells whether there is such a file.
    pub fn append(&mut self, path: &Path, more: &[u8]) -> bool {
        self.content_mut(path).map(|content| content.extend_from_slice(more)).is_some()
    }

    /// Returns a regular file's content to be changed; none where there is no such file.
    pub(crate) fn content_mut(&mut self, path: &Path) -> Option<&mut Vec<u8>> {
        self.nodes.get_mut(path).filter(|node| node.metadata.is_file()).map(|node| &mut node.content)
    }

    /// Changes mode bits; tells whether anything is there.
    pub fn set_mode(&mut self, path: &Path, mode: u32) -> bool {
        self.change(path, |metadata| metadata.mode = mode)
    }

    /// Changes owner and group; tells whether anything is there.
    pub fn set_owner(&mut self, path: &Path, uid: u32, gid: u32) -> bool {
        self.change(path, |metadata| (metadata.uid, metadata.gid) = (uid, gid))
    }

    /// Gives something an extended attribute; tells whether anything is there.
    pub fn set_attribute(&mut self, path: &Path, name: &str, value: Vec<u8>) -> bool {
        let Some(node) = self.nodes.get_mut(path) else { return false };
        node.attributes.push(Attribute { name: name.as_bytes().to_vec(), value });
        node.attributes.sort();
        true
    }

    fn change(&mut self, path: &Path, change: impl FnOnce(&mut Metadata)) -> bool {
        self.nodes.get_mut(path).map(|node| change(&mut node.metadata)).is_some()
    }

    /// Finds what a path names; a link at its end is not followed.
    fn node(&self, path: &Path) -> Result<&Node, TreeError> {
        let is_plain =
            path.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
        if let Some(node) = self.nodes.get(path).filter(|_| is_plain) {
            return Ok(node);
        }
        let not_found = || TreeError::NotFound { path: path.to_owned() };
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return self.nodes.get(&self.resolve(path)?).ok_or_else(not_found);
        };
        let parent = self.resolve(parent)?;
        match self.nodes.get(&parent) {
            Some(node) if !node.metadata.is_dir() => Err(TreeError::NotADirectory { path: path.to_owned() }),
            _ => self.nodes.get(&parent.join(name)).ok_or_else(not_found),
        }
    }
}

impl FileTree for MemoryTree {
    fn metadata(&self, path: &Path) -> Result<Metadata, TreeError> {
        let node = self.node(path)?;
        Ok(Metadata { bytes: node.content.len() as u64, ..node.metadata })
    }

    fn read_dir(&self, path: &Path) -> Result<Vec<DirEntry>, TreeError> {
        let folder = self.resolve(path)?;
        if !self.node(&folder)?.metadata.is_dir() {
            return Err(TreeError::NotADirectory { path: path.to_owned() });
        }
        let below =
            self.nodes.range(folder.clone()..).skip(1).take_while(|(key, _)| key.starts_with(&folder));
        let children = below.filter(|(key, _)| key.parent() == Some(&folder));
        let entry = |(key, node): (&PathBuf, &Node)| DirEntry {
            name: key.file_name().map(OsString::from).unwrap_or_default(),
            kind: node.metadata.kind,
        };
        let mut entries: Vec<DirEntry> = children.map(entry).collect();
        entries.sort();
        Ok(entries)
    }

    fn read_link(&self, path: &Path) -> Result<PathBuf, TreeError> {
        let node = self.node(path)?;
        if !node.metadata.is_link() {
            return Err(TreeError::NotALink { path: path.to_owned() });
        }
        Ok(PathBuf::from(String::from_utf8_lossy(&node.content).into_owned()))
    }

    fn attributes(&self, path: &Path) -> Result<Option<Vec<Attribute>>, TreeError> {
        Ok(Some(self.node(path)?.attributes.clone()))
    }

    fn open(&self, path: &Path) -> Result<Box<dyn Read + Send + '_>, TreeError> {
        let node = self.node(&self.resolve(path)?)?;
        if !node.metadata.is_file() {
            return Err(TreeError::NotAFile { path: path.to_owned() });
        }
        Ok(Box::new(node.content.as_slice()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> MemoryTree {
        let mut tree = MemoryTree::default();
        tree.put(Path::new("/etc/ssh/a"), FileKind::File, 0o600, b"one".to_vec());
        tree.put(Path::new("/etc/ssh-b"), FileKind::File, 0o644, Vec::new());
        tree.put(Path::new("/bin"), FileKind::Link, 0o777, b"usr/bin".to_vec());
        tree.put(Path::new("/usr/bin/up"), FileKind::Link, 0o777, b"../../../etc/ssh/a".to_vec());
        tree
    }

    #[test]
    fn links_are_followed_inside_the_tree_only() {
        let tree = tree();
        assert_eq!(tree.resolve(Path::new("/bin/up")).unwrap(), Path::new("/etc/ssh/a"));
        assert_eq!(tree.read(Path::new("/bin/up"), 9).unwrap(), b"one");
        assert!(tree.metadata(Path::new("/bin/up")).unwrap().is_link());
        assert!(tree.metadata(Path::new("/bin/.././bin/up")).unwrap().is_link());
        // As the kernel does: what stands above is the parent of the link's target.
        assert!(tree.metadata(Path::new("/bin/../etc/ssh")).is_err());
    }

    #[test]
    fn a_folder_lists_its_own_names_and_not_those_of_a_neighbour() {
        let names = |path: &str| -> Vec<OsString> {
            tree().read_dir(Path::new(path)).unwrap().into_iter().map(|entry| entry.name).collect()
        };
        assert_eq!(names("/etc"), ["ssh", "ssh-b"]);
        assert_eq!(names("/etc/ssh"), ["a"]);
        assert_eq!(names("/"), ["bin", "etc", "usr"]);
    }

    #[test]
    fn what_is_missing_is_told_from_what_is_no_folder() {
        let tree = tree();
        assert!(matches!(tree.metadata(Path::new("/nothing/here")), Err(TreeError::NotFound { .. })));
        assert!(matches!(tree.metadata(Path::new("/etc/ssh/a/b")), Err(TreeError::NotADirectory { .. })));
        assert!(matches!(tree.read_dir(Path::new("/etc/ssh/a")), Err(TreeError::NotADirectory { .. })));
        assert!(matches!(tree.open(Path::new("/etc")), Err(TreeError::NotAFile { .. })));
    }

    #[test]
    fn removing_a_folder_removes_what_is_in_it_and_nothing_else() {
        let mut tree = tree();
        assert!(tree.remove(Path::new("/etc/ssh")));
        assert!(tree.metadata(Path::new("/etc/ssh/a")).is_err());
        assert!(tree.metadata(Path::new("/etc/ssh-b")).is_ok());
    }
}
