//! All that is known of every node of a tree, from the reader and from the kernel.

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;

use amint_ext::Ext;
use amint_fs::{FileSystem, Kind, NodeId, read_all};
use sha2::{Digest as _, Sha256};

/// The largest file of these tests.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// What is known of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) kind: Kind,
    pub(crate) mode: u32,
    pub(crate) owner: (u32, u32),
    /// None for folders, whose size is the file system's own matter.
    pub(crate) bytes: Option<u64>,
    pub(crate) nlink: u64,
    pub(crate) modified: (i64, u32),
    pub(crate) changed: (i64, u32),
    pub(crate) device: Option<(u32, u32)>,
    pub(crate) link: Option<Vec<u8>>,
    pub(crate) digest: Option<Vec<u8>>,
    pub(crate) xattrs: Vec<(Vec<u8>, Vec<u8>)>,
}

/// Facts by path; the path of the root is empty.
pub(crate) type Tree = BTreeMap<Vec<u8>, Facts>;

/// Reads a whole file system with the reader. `lost+found` is left out.
pub(crate) fn of_image(ext: &Ext) -> Tree {
    let mut tree = Tree::new();
    let mut pending = vec![(Vec::new(), ext.root())];
    while let Some((path, id)) = pending.pop() {
        let facts = of_node(ext, id);
        if facts.kind == Kind::Folder {
            let names = &mut pending;
            ext.read_dir(id, &mut |entry| {
                if path.is_empty() && entry.name == b"lost+found" {
                    return ControlFlow::Continue(());
                }
                if let Some(kind) = entry.kind {
                    assert_eq!(kind, ext.node(entry.node).unwrap().kind);
                }
                names.push(([&path, &b"/"[..], entry.name].concat(), entry.node));
                ControlFlow::Continue(())
            })
            .unwrap();
        }
        assert!(tree.insert(path, facts).is_none(), "a name came twice");
    }
    tree
}

fn of_node(ext: &Ext, id: NodeId) -> Facts {
    let node = ext.node(id).unwrap();
    let is = |kind| node.kind == kind;
    let content = || {
        let content = read_all(ext.open(id).unwrap().as_mut(), FILE_BYTES_MAX, "ext").unwrap();
        assert_eq!(content.len() as u64, node.bytes);
        content
    };
    let xattrs = ext.xattrs(id).unwrap().into_iter();
    Facts {
        kind: node.kind,
        mode: node.mode,
        owner: (node.uid, node.gid),
        bytes: (is(Kind::File) || is(Kind::Link)).then_some(node.bytes),
        nlink: node.nlink,
        modified: node.modified,
        changed: node.changed,
        device: node.device,
        link: is(Kind::Link).then(|| ext.read_link(id).unwrap()),
        digest: is(Kind::File).then(|| Sha256::digest(content()).to_vec()),
        xattrs: xattrs.map(|xattr| (xattr.name, xattr.value)).collect(),
    }
}

/// Reads a folder with the kernel. `lost+found` is left out, and so is what mounts add.
pub(crate) fn of_folder(root: &Path) -> Tree {
    let mut tree = Tree::new();
    let mut pending = vec![(Vec::new(), root.to_path_buf())];
    while let Some((path, place)) = pending.pop() {
        let facts = of_path(&place);
        if facts.kind == Kind::Folder {
            for entry in fs::read_dir(&place).unwrap() {
                let name = entry.unwrap().file_name();
                if path.is_empty() && name == "lost+found" {
                    continue;
                }
                pending.push(([&path, &b"/"[..], name.as_bytes()].concat(), place.join(&name)));
            }
        }
        tree.insert(path, facts);
    }
    tree
}

fn of_path(path: &Path) -> Facts {
    let found = fs::symlink_metadata(path).unwrap();
    let form = found.file_type();
    let kind = match () {
        () if form.is_dir() => Kind::Folder,
        () if form.is_symlink() => Kind::Link,
        () if form.is_fifo() => Kind::Pipe,
        () if form.is_socket() => Kind::Socket,
        () if form.is_char_device() => Kind::CharDevice,
        () if form.is_block_device() => Kind::BlockDevice,
        () => Kind::File,
    };
    let is_device = matches!(kind, Kind::CharDevice | Kind::BlockDevice);
    let device = (rustix::fs::major(found.rdev()), rustix::fs::minor(found.rdev()));
    let nanoseconds = |number: i64| u32::try_from(number).unwrap();
    Facts {
        kind,
        mode: found.mode() & 0o7777,
        owner: (found.uid(), found.gid()),
        bytes: matches!(kind, Kind::File | Kind::Link).then_some(found.size()),
        nlink: found.nlink(),
        modified: (found.mtime(), nanoseconds(found.mtime_nsec())),
        changed: (found.ctime(), nanoseconds(found.ctime_nsec())),
        device: is_device.then_some(device),
        link: (kind == Kind::Link).then(|| fs::read_link(path).unwrap().as_os_str().as_bytes().to_vec()),
        digest: (kind == Kind::File).then(|| Sha256::digest(fs::read(path).unwrap()).to_vec()),
        xattrs: xattrs(path),
    }
}

fn xattrs(path: &Path) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut names = vec![0; 64 << 10];
    let count = rustix::fs::llistxattr(path, &mut names).unwrap();
    let mut xattrs: Vec<_> = names[..count]
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
        .map(|name| {
            let mut value = vec![0; 64 << 10];
            let count = rustix::fs::lgetxattr(path, name, &mut value).unwrap();
            value.truncate(count);
            (name.to_vec(), value)
        })
        .collect();
    xattrs.sort();
    xattrs
}

/// Compares two trees, node by node, so that a failure tells which differs.
pub(crate) fn assert_same(found: &Tree, expected: &Tree, context: &str) {
    for (path, facts) in expected {
        assert_eq!(found.get(path), Some(facts), "{} ({context})", String::from_utf8_lossy(path));
    }
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{context}");
}
