//! Images, and walks over them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use amint_fs::{FileSystem, FsError, Kind, Node, NodeId, Xattr, read_all};
use amint_types::ReadAt;
use amint_xfs::Xfs;
use tempfile::TempDir;

/// Tells whether the tools are there, and says so loudly when not.
pub(crate) fn has_tools(tools: &[&str]) -> bool {
    for tool in tools {
        if Command::new(tool).arg("-V").output().is_err() {
            eprintln!("SKIPPED: needs {tool}");
            return false;
        }
    }
    true
}

/// An image in a file.
pub(crate) struct ImageFile(File);

impl ReadAt for ImageFile {
    fn size_bytes(&self) -> u64 {
        self.0.metadata().unwrap().len()
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.0.read_exact_at(buffer, offset)
    }
}

pub(crate) fn open(path: &Path) -> Result<Xfs, FsError> {
    Xfs::open(Arc::new(ImageFile(File::open(path).unwrap())))
}

/// What one node of a tree to be made is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Thing {
    File(Vec<u8>),
    Folder,
    Link(String),
    Device(Kind, u32, u32),
    Pipe,
}

/// A tree to be made: paths, mode, owner, group.
pub(crate) type Tree = BTreeMap<String, (Thing, u32, u32, u32)>;

/// A tree with something of everything that mkfs.xfs can make.
pub(crate) fn sample_tree() -> Tree {
    let mut tree = Tree::new();
    let mut add = |path: &str, thing, mode, uid, gid| {
        tree.insert(path.to_owned(), (thing, mode, uid, gid));
    };
    add("etc", Thing::Folder, 0o755, 0, 0);
    add("etc/hostname", Thing::File(b"web\n".to_vec()), 0o644, 0, 0);
    add("etc/empty", Thing::File(Vec::new()), 0o600, 1000, 1001);
    add("etc/link", Thing::Link("../etc/hostname".to_owned()), 0o777, 0, 0);
    add("dev", Thing::Folder, 0o1777, 0, 0);
    add("dev/null", Thing::Device(Kind::CharDevice, 1, 3), 0o666, 0, 0);
    add("dev/sda", Thing::Device(Kind::BlockDevice, 259, 65_537), 0o660, 0, 6);
    add("dev/pipe", Thing::Pipe, 0o640, 7, 8);
    add("bin", Thing::Folder, 0o755, 0, 0);
    let program: Vec<u8> = (0..300_001_u32).map(|index| (index * 7 % 253).to_le_bytes()[0]).collect();
    add("bin/su", Thing::File(program), 0o4755, 0, 0);
    for (folder, count) in [("few", 5), ("some", 60), ("many", 400)] {
        add(folder, Thing::Folder, 0o2750, 70_000, 80_000);
        for number in 0..count {
            let name = format!("{folder}/{}{number}", "n".repeat(number % 190));
            add(&name, Thing::File(format!("{folder} {number}").into_bytes()), 0o644, 0, 0);
        }
    }
    tree
}

/// A made image and the folder that it is in.
pub(crate) struct Made {
    pub(crate) path: PathBuf,
    _folder: TempDir,
}

/// Runs mkfs.xfs with a tree; None when it refuses the options.
pub(crate) fn make(tree: &Tree, megabytes: u64, options: &str) -> Option<Made> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("image");
    File::create(&path).unwrap().set_len(megabytes << 20).unwrap();
    let mut text = "/nothing\n0 0\nd--755 0 0\n".to_owned();
    let mut contents = 0;
    write_folder(tree, "", folder.path(), &mut contents, &mut text);
    let prototype = folder.path().join("prototype");
    std::fs::write(&prototype, text).unwrap();
    let output = Command::new("mkfs.xfs")
        .args(["--unsupported", "-q", "-f", "-p"])
        .arg(&prototype)
        .args(options.split_whitespace())
        .arg(&path)
        .output()
        .unwrap();
    if !output.status.success() {
        eprintln!("mkfs.xfs {options}: {}", String::from_utf8_lossy(&output.stderr));
        return None;
    }
    Some(Made { path, _folder: folder })
}

/// Writes the lines of one folder and its end.
fn write_folder(tree: &Tree, folder: &str, contents: &Path, count: &mut usize, text: &mut String) {
    let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    for (path, (thing, mode, uid, gid)) in tree {
        let Some(name) = path.strip_prefix(&prefix).filter(|name| !name.contains('/')) else { continue };
        let code = match thing {
            Thing::File(_) => '-',
            Thing::Folder => 'd',
            Thing::Link(_) => 'l',
            Thing::Device(Kind::CharDevice, ..) => 'c',
            Thing::Device(..) => 'b',
            Thing::Pipe => 'p',
        };
        let setuid = if mode & 0o4000 == 0 { '-' } else { 'u' };
        let setgid = if mode & 0o2000 == 0 { '-' } else { 'g' };
        let head = format!("{name} {code}{setuid}{setgid}{:03o} {uid} {gid}", mode & 0o777);
        let rest = match thing {
            Thing::File(bytes) => {
                *count += 1;
                let place = contents.join(format!("content{count}"));
                std::fs::write(&place, bytes).unwrap();
                format!(" {}", place.display())
            }
            Thing::Link(target) => format!(" {target}"),
            Thing::Device(_, major, minor) => format!(" {major} {minor}"),
            Thing::Folder | Thing::Pipe => String::new(),
        };
        text.push_str(&head);
        text.push_str(&rest);
        text.push('\n');
        if *thing == Thing::Folder {
            write_folder(tree, path, contents, count, text);
        }
    }
    text.push_str("$\n");
}

/// What a walk saw of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) id: NodeId,
    pub(crate) node: Node,
    pub(crate) content: Vec<u8>,
    pub(crate) target: Vec<u8>,
    pub(crate) xattrs: Vec<Xattr>,
}

/// Walks a whole file system: every node by its path, the root as the empty path.
pub(crate) fn walk(fs: &dyn FileSystem) -> Result<BTreeMap<String, Seen>, FsError> {
    let mut seen = BTreeMap::new();
    let mut pending = vec![(String::new(), fs.root(), None)];
    while let Some((path, id, told)) = pending.pop() {
        let node = fs.node(id)?;
        if let Some(told) = told {
            assert_eq!(told, node.kind, "{path}");
        }
        let mut entry = Seen { id, node, content: Vec::new(), target: Vec::new(), xattrs: fs.xattrs(id)? };
        match node.kind {
            Kind::Folder => fs.read_dir(id, &mut |entry| {
                let name = String::from_utf8_lossy(entry.name);
                let below = if path.is_empty() { name.into_owned() } else { format!("{path}/{name}") };
                pending.push((below, entry.node, entry.kind));
                ControlFlow::Continue(())
            })?,
            Kind::File => entry.content = read_all(fs.open(id)?.as_mut(), 64 << 20, "xfs")?,
            Kind::Link => entry.target = fs.read_link(id)?,
            _ => {}
        }
        fs.position(id)?;
        seen.insert(path, entry);
    }
    Ok(seen)
}

/// Returns the free ranges in bytes.
pub(crate) fn free_ranges(fs: &dyn FileSystem) -> Result<Vec<std::ops::Range<u64>>, FsError> {
    let mut ranges = Vec::new();
    fs.free_ranges(&mut |range| {
        ranges.push(range);
        ControlFlow::Continue(())
    })?;
    Ok(ranges)
}

/// Runs commands of `xfs_db` and returns what it printed.
pub(crate) fn xfs_db(path: &Path, flags: &[&str], commands: &[String]) -> String {
    let mut command = Command::new("xfs_db");
    command.env("TZ", "UTC").args(flags);
    for line in commands {
        command.args(["-c", line]);
    }
    let output = command.arg(path).output().unwrap();
    // When it changes attributes, its exit status says nothing.
    assert!(
        output.status.success() || flags == ["-x"],
        "{} {}",
        String::from_utf8_lossy(&output.stderr),
        String::from_utf8_lossy(&output.stdout)
    );
    String::from_utf8(output.stdout).unwrap()
}
