//! Trees to write, tools to check with, and a form of a tree that can be compared.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, chown, lchown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use amint_disk::ext4::{Ext4Error, Ext4Options, Ext4Summary, write_tree};
use amint_types::Cancel;
use rustix::fs::{AtFlags, CWD, Dev, FileType, Mode, Timespec, Timestamps, XattrFlags};
use tempfile::TempDir;

pub(crate) const MIB: u64 = 1 << 20;
/// 2023-11-14, before the tests run and after the times that they set.
pub(crate) const EPOCH: i64 = 1_700_000_000;
pub(crate) const CAPABILITY: [u8; 20] = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

pub(crate) fn options(bytes: u64) -> Ext4Options {
    Ext4Options {
        bytes,
        uuid: "8d6c2a4e-53f1-4b0e-9a77-0c1d2e3f4a5b".parse().unwrap(),
        label: "amint-root".to_owned(),
        hash_seed: "23b26b7f-a95a-4dd8-98e5-fc7dd27fa73b".parse().unwrap(),
        epoch: EPOCH,
    }
}

/// Writes a tree to a file, behind `offset` bytes that stay a hole.
pub(crate) fn write(
    tree: &Path,
    image: &Path,
    offset: u64,
    options: &Ext4Options,
) -> Result<Ext4Summary, Ext4Error> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(image).unwrap();
    file.set_len(offset + options.bytes).unwrap();
    write_tree(tree, &file, offset, options, &|_, _| {}, &Cancel::new())
}

/// Reads a file piece by piece, until the visitor has enough.
fn read_pieces(path: &Path, mut visit: impl FnMut(u64, &[u8]) -> bool) {
    let file = File::open(path).unwrap();
    let mut buffer = vec![0; 1 << 20];
    let mut position = 0;
    loop {
        let count = file.read_at(&mut buffer, position).unwrap();
        if count == 0 || !visit(position, &buffer[..count]) {
            return;
        }
        position += count as u64;
    }
}

/// Tells length and checksum of a file's content.
fn content_of(path: &Path) -> String {
    let (mut length, mut sum) = (0, 0);
    read_pieces(path, |_, piece| {
        sum = crc32c::crc32c_append(sum, piece);
        length += piece.len();
        true
    });
    format!("{length} bytes, {sum:08x}")
}

/// Tells whether the second file, behind `offset` bytes, has the bytes of the first.
pub(crate) fn has_same_bytes(first: &Path, second: &Path, offset: u64) -> bool {
    let other = File::open(second).unwrap();
    let mut is_same = fs::metadata(first).unwrap().len() + offset == fs::metadata(second).unwrap().len();
    let mut buffer = vec![0; 1 << 20];
    read_pieces(first, |position, piece| {
        let expected = &mut buffer[..piece.len()];
        other.read_exact_at(expected, offset + position).unwrap();
        is_same &= expected == piece;
        is_same
    });
    is_same
}

/// Runs a tool of the system; none, and a loud word, when it is missing.
pub(crate) fn tool(name: &str, arguments: &[&OsStr]) -> Option<Output> {
    let path = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"]
        .into_iter()
        .map(|directory| Path::new(directory).join(name))
        .find(|path| path.exists());
    let Some(path) = path else {
        eprintln!("SKIPPED: `{name}` is not installed");
        return None;
    };
    Some(Command::new(path).args(arguments).env("LC_ALL", "C").output().unwrap())
}

/// Asserts that `e2fsck` finds nothing to repair.
pub(crate) fn assert_clean(image: &Path) {
    if let Some(output) = tool("e2fsck", &["-fn".as_ref(), image.as_ref()]) {
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "e2fsck found faults:\n{text}");
    }
}

pub(crate) fn is_root() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        eprintln!("SKIPPED: device nodes, owners and attributes of the system need root");
    }
    is_root
}

pub(crate) fn set_mtime(path: &Path, seconds: i64) {
    let time = Timespec { tv_sec: seconds, tv_nsec: 0 };
    let times = Timestamps { last_access: time, last_modification: time };
    rustix::fs::utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).unwrap();
}

pub(crate) fn set_attribute(path: &Path, name: &str, value: &[u8]) {
    rustix::fs::lsetxattr(path, name, value, XattrFlags::empty()).unwrap();
}

/// An access control list with a named user, in the form of the system calls; entries without a name have
/// the id `nobody`.
pub(crate) fn access_list(nobody: u32) -> Vec<u8> {
    let mut list = vec![2, 0, 0, 0];
    for (tag, permissions, id) in
        [(1_u16, 6_u16, nobody), (2, 7, 1000), (4, 4, nobody), (16, 7, nobody), (32, 4, nobody)]
    {
        list.extend(tag.to_le_bytes());
        list.extend(permissions.to_le_bytes());
        list.extend(id.to_le_bytes());
    }
    list
}

/// Makes a tree of everything that is easy to get wrong.
pub(crate) fn make_nasty_tree(root: &Path) {
    fs::create_dir_all(root.join("empty")).unwrap();
    fs::write(root.join("zero-bytes"), b"").unwrap();
    fs::write(root.join("zeros"), vec![0; 20_000]).unwrap();
    fs::write(root.join(OsStr::from_bytes(b"not-utf8-\xff\xfe\x80")), b"bytes").unwrap();
    fs::write(root.join("n".repeat(255)), b"longest name").unwrap();
    let many = root.join("many");
    fs::create_dir(&many).unwrap();
    for number in 0..5000 {
        fs::write(many.join(format!("entry-{number:05}-{}", "x".repeat(number % 60))), format!("{number}"))
            .unwrap();
    }
    fs::hard_link(root.join("zeros"), root.join("empty/zeros-again")).unwrap();
    fs::hard_link(root.join("zeros"), root.join("a-first-name-of-zeros")).unwrap();
    for length in [1, 59, 60, 61, 1000, 4095] {
        symlink("t".repeat(length), root.join(format!("link-{length:04}"))).unwrap();
    }
    make_sparse_files(root);
    fs::write(root.join("large"), noise(7 * MIB + 123)).unwrap();
    for (name, mode) in [("setuid", 0o4755), ("setgid", 0o2711), ("sticky", 0o1600), ("none", 0o000)] {
        fs::write(root.join(name), name).unwrap();
        fs::set_permissions(root.join(name), Permissions::from_mode(mode)).unwrap();
    }
    fs::set_permissions(root.join("empty"), Permissions::from_mode(0o3777)).unwrap();
    rustix::fs::mknodat(CWD, root.join("pipe"), FileType::Fifo, Mode::from_raw_mode(0o640), 0).unwrap();
    set_attribute(&root.join("large"), "user.comment", b"hello");
    set_attribute(&root.join("zeros"), "user.long", &[b'v'; 2000]);
    set_attribute(&many, "user.empty", b"");
    if is_root() {
        make_privileged_files(root);
    }
    set_mtime(&root.join("large"), 1_234_567_890);
    set_mtime(&root.join("setuid"), -5);
    set_mtime(&root.join("link-0059"), 99);
    set_mtime(&root.join("sticky"), 5_000_000_000);
}

fn make_privileged_files(root: &Path) {
    let node = |name: &str, kind: FileType, device: Dev| {
        rustix::fs::mknodat(CWD, root.join(name), kind, Mode::from_raw_mode(0o620), device).unwrap();
    };
    node("disk", FileType::BlockDevice, rustix::fs::makedev(8, 1));
    node("zero", FileType::CharacterDevice, rustix::fs::makedev(1, 5));
    node("nvme", FileType::BlockDevice, rustix::fs::makedev(259, 70_000));
    chown(root.join("setgid"), Some(70_001), Some(80_002)).unwrap();
    lchown(root.join("link-1000"), Some(1234), Some(u32::MAX - 7)).unwrap();
    set_attribute(&root.join("none"), "security.capability", &CAPABILITY);
    set_attribute(&root.join("none"), "trusted.long", &[b'w'; 300]);
    set_attribute(&root.join("none"), "user.b", b"short");
    set_attribute(&root.join("large"), "system.posix_acl_access", &access_list(u32::MAX));
    set_attribute(&root.join("empty"), "system.posix_acl_default", &access_list(u32::MAX));
    set_attribute(&root.join("link-0061"), "trusted.of.link", b"yes");
}

fn make_sparse_files(root: &Path) {
    let sparse = File::create(root.join("sparse")).unwrap();
    sparse.set_len(1 << 30).unwrap();
    for offset in [0, 5 << 20, 100 << 20, 300 << 20, 301 << 20, 700 << 20, (1 << 30) - 5] {
        sparse.write_all_at(b"DATA!", offset).unwrap();
    }
    // More extents than one leaf of the tree holds, and more than four leaves.
    let comb = File::create(root.join("comb")).unwrap();
    for tooth in 0..1500 {
        comb.write_all_at(&[b'c'; 4096], tooth * 8192).unwrap();
    }
    File::create(root.join("only-hole")).unwrap().set_len(3 * MIB + 1).unwrap();
}

/// Bytes without blocks of zeros, the same each time.
pub(crate) fn noise(length: u64) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::new();
    while (bytes.len() as u64) < length {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        bytes.extend_from_slice(&state.to_be_bytes());
    }
    bytes.truncate(usize::try_from(length).unwrap());
    bytes
}

/// What can be seen of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) mode: u32,
    pub(crate) owner: (u32, u32),
    pub(crate) links: u64,
    pub(crate) device: u64,
    pub(crate) mtime: i64,
    /// Length and checksum of a file, target of a symbolic link.
    pub(crate) content: String,
    pub(crate) attributes: BTreeMap<String, Vec<u8>>,
}

/// Looks at a whole tree, as the image of it should look like; `lost+found` is left out.
pub(crate) fn look(root: &Path) -> BTreeMap<PathBuf, Seen> {
    let mut seen = BTreeMap::new();
    let mut waiting = vec![PathBuf::new()];
    while let Some(relative) = waiting.pop() {
        let path = root.join(&relative);
        let metadata = fs::symlink_metadata(&path).unwrap();
        let kind = metadata.file_type();
        let content = if kind.is_file() {
            content_of(&path)
        } else if kind.is_symlink() {
            fs::read_link(&path).unwrap().to_string_lossy().into_owned()
        } else {
            String::new()
        };
        if kind.is_dir() {
            for entry in fs::read_dir(&path).unwrap() {
                let name = entry.unwrap().file_name();
                if name != "lost+found" {
                    waiting.push(relative.join(name));
                }
            }
        }
        let file = Seen {
            mode: metadata.mode(),
            owner: (metadata.uid(), metadata.gid()),
            links: if kind.is_dir() { 0 } else { metadata.nlink() },
            device: metadata.rdev(),
            mtime: metadata.mtime().min(EPOCH),
            content,
            attributes: attributes(&path),
        };
        seen.insert(relative, file);
    }
    seen
}

fn attributes(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut list = vec![0; 65536];
    let length = rustix::fs::llistxattr(path, list.as_mut_slice()).unwrap();
    let mut found = BTreeMap::new();
    for name in list[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let mut value = vec![0; 65536];
        let length = rustix::fs::lgetxattr(path, name, value.as_mut_slice()).unwrap();
        found.insert(String::from_utf8_lossy(name).into_owned(), value[..length].to_vec());
    }
    found
}

/// A tree to write and a place for its image.
pub(crate) struct Bench {
    pub(crate) directory: TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let directory = TempDir::new().unwrap();
        fs::create_dir(directory.path().join("tree")).unwrap();
        Self { directory }
    }

    pub(crate) fn tree(&self) -> PathBuf {
        self.directory.path().join("tree")
    }

    pub(crate) fn image(&self) -> PathBuf {
        self.directory.path().join("image")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}
