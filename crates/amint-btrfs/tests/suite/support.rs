//! Images, mounts, and the comparison of a tree of files with a reader.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read as _;
use std::ops::ControlFlow;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{FileExt as _, FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use amint_btrfs::Btrfs;
use amint_fs::{FileSystem, Kind, NodeId, read_all};
use amint_types::ReadAt;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

/// A file as a source.
pub(crate) struct FileSource(File, u64);

impl FileSource {
    pub(crate) fn open(path: &Path) -> Arc<dyn ReadAt> {
        let file = File::open(path).unwrap();
        let bytes = file.metadata().unwrap().len();
        Arc::new(Self(file, bytes))
    }
}

impl ReadAt for FileSource {
    fn size_bytes(&self) -> u64 {
        self.1
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> std::io::Result<()> {
        self.0.read_exact_at(buffer, offset)
    }
}

/// Runs a tool and tells whether it is there and succeeded.
pub(crate) fn run(program: &str, arguments: &[&str]) -> bool {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    match Command::new(program).args(arguments).env("PATH", path).output() {
        Ok(output) => {
            if !output.status.success() {
                eprintln!("{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
            }
            output.status.success()
        }
        Err(_) => false,
    }
}

/// Tells whether a tool is there; says so if not.
pub(crate) fn has(program: &str) -> bool {
    let is_there = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"]
        .iter()
        .any(|folder| Path::new(folder).join(program).exists());
    if !is_there {
        eprintln!("SKIPPED: needs {program}");
    }
    is_there
}

/// An image in a folder of its own.
pub(crate) struct Image {
    folder: TempDir,
}

impl Image {
    /// Makes an empty image of some MiB with `mkfs.btrfs`.
    pub(crate) fn make(mib: u64, options: &[&str]) -> Option<Self> {
        if !has("mkfs.btrfs") {
            return None;
        }
        let image = Self { folder: TempDir::new().unwrap() };
        File::create(image.path()).unwrap().set_len(mib << 20).unwrap();
        let path = image.path();
        let arguments = [&["-q", "-f"], options, &[path.to_str().unwrap()]].concat();
        assert!(run("mkfs.btrfs", &arguments), "mkfs.btrfs failed");
        Some(image)
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("image")
    }

    /// Mounts it; `None`, said aloud, where that is not allowed.
    pub(crate) fn mount(&self, options: &str) -> Option<Mount> {
        let target = self.folder.path().join("mount");
        fs::create_dir_all(&target).unwrap();
        let options = format!("loop,{options}");
        let image = self.path();
        let is_mounted = rustix::process::geteuid().is_root()
            && run(
                "mount",
                &["-t", "btrfs", "-o", &options, image.to_str().unwrap(), target.to_str().unwrap()],
            );
        if is_mounted {
            return Some(Mount(target));
        }
        eprintln!("SKIPPED: needs root, loop devices and a kernel with btrfs");
        None
    }

    pub(crate) fn open(&self) -> Btrfs {
        Btrfs::open(FileSource::open(&self.path())).unwrap()
    }
}

/// Copies an image as it is at this moment: what a crash would leave.
pub(crate) fn crash(image: &Image) -> Image {
    let copy = Image { folder: TempDir::new().unwrap() };
    assert!(run("cp", &["--sparse=always", image.path().to_str().unwrap(), copy.path().to_str().unwrap()]));
    copy
}

/// A mounted image, unmounted when dropped.
pub(crate) struct Mount(pub(crate) PathBuf);

impl Mount {
    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Runs a tool on paths inside.
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) {
        let arguments: Vec<String> =
            arguments.iter().map(|argument| argument.replace('@', self.0.to_str().unwrap())).collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        assert!(run(program, &arguments), "{program} {arguments:?}");
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let target = self.0.to_str().unwrap();
        // A test that failed may have files open: the mount goes when they are closed.
        assert!(run("umount", &[target]) || run("umount", &["-l", target]), "umount failed");
    }
}

/// Bytes that look random and are the same each time.
pub(crate) fn noise(bytes: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    std::iter::repeat_with(&mut next).flatten().take(bytes).collect()
}

/// Text that compresses well and nowhere repeats at a distance that hides an error.
pub(crate) fn text(bytes: usize) -> Vec<u8> {
    (0_u64..)
        .flat_map(|line| format!("line {line} of a file that is easily compressed\n").into_bytes())
        .take(bytes)
        .collect()
}

/// What is not compared.
#[derive(Clone, Copy, Default)]
pub(crate) struct Except {
    /// Times of change, and fractions of seconds: older versions of mkfs lose them.
    pub(crate) times: bool,
    /// Times since then, in nanoseconds: the kernel gives the present to some of what it changes in a replay.
    pub(crate) since: Option<i128>,
    /// Sizes and counts of names of folders, which are those of another file system.
    pub(crate) folders: bool,
    /// Device numbers.
    pub(crate) devices: bool,
}

impl Except {
    fn is_new(self, time: (i64, u32)) -> bool {
        self.since.is_some_and(|since| i128::from(time.0) * 1_000_000_000 + i128::from(time.1) >= since)
    }
}

/// Compares every node below `folder` with the reader, and returns how many there were.
pub(crate) fn compare(fs: &dyn FileSystem, folder: &Path, except: Except) -> u64 {
    let mut count = 0;
    compare_node(fs, fs.root(), folder, except, &mut count);
    count
}

fn kind_of(kind: fs::FileType) -> Kind {
    match kind {
        kind if kind.is_dir() => Kind::Folder,
        kind if kind.is_symlink() => Kind::Link,
        kind if kind.is_fifo() => Kind::Pipe,
        kind if kind.is_socket() => Kind::Socket,
        kind if kind.is_char_device() => Kind::CharDevice,
        kind if kind.is_block_device() => Kind::BlockDevice,
        _ => Kind::File,
    }
}

fn nanoseconds(number: i64) -> u32 {
    u32::try_from(number).unwrap()
}

fn compare_node(fs: &dyn FileSystem, id: NodeId, path: &Path, except: Except, count: &mut u64) {
    *count += 1;
    let node = fs.node(id).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let real = fs::symlink_metadata(path).unwrap();
    let at = path.display();
    assert_eq!(node.kind, kind_of(real.file_type()), "kind of {at}");
    assert_eq!(node.mode, real.mode() & 0o7777, "mode of {at}");
    // Older versions of mkfs give the topmost folder to root, whoever owns the source.
    if !(except.folders && id == fs.root()) {
        assert_eq!((node.uid, node.gid), (real.uid(), real.gid()), "owner of {at}");
    }
    let is_stub = node.kind == Kind::Folder && id.number == 2;
    if !(is_stub || except.folders && node.kind == Kind::Folder) {
        assert_eq!(node.bytes, real.len(), "size of {at}");
        assert_eq!(node.nlink, real.nlink(), "names of {at}");
        let fraction = if except.times { node.modified.1 } else { nanoseconds(real.mtime_nsec()) };
        let expected = (real.mtime(), fraction);
        assert!(node.modified == expected || except.is_new(expected), "mtime of {at}: {:?}", node.modified);
    }
    if !except.times && !is_stub {
        let expected = (real.ctime(), nanoseconds(real.ctime_nsec()));
        assert!(node.changed == expected || except.is_new(expected), "ctime of {at}: {:?}", node.changed);
    }
    if let (false, Some((major, minor))) = (except.devices, node.device) {
        let device = real.rdev();
        assert_eq!((major, minor), (rustix::fs::major(device), rustix::fs::minor(device)), "device of {at}");
    }
    assert_eq!(
        fs.xattrs(id).unwrap().into_iter().map(|xattr| (xattr.name, xattr.value)).collect::<Vec<_>>(),
        xattrs_of(path),
        "attributes of {at}"
    );
    match node.kind {
        Kind::File => compare_content(fs, id, path),
        Kind::Link => assert_eq!(
            fs.read_link(id).unwrap(),
            fs::read_link(path).unwrap().into_os_string().into_vec(),
            "{at}"
        ),
        Kind::Folder => compare_folder(fs, id, path, except, count),
        _ => {}
    }
}

fn compare_content(fs: &dyn FileSystem, id: NodeId, path: &Path) {
    let mut real = Vec::new();
    File::open(path).unwrap().read_to_end(&mut real).unwrap();
    let content = read_all(fs.open(id).unwrap().as_mut(), 1 << 30, "btrfs")
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(Sha256::digest(&content) == Sha256::digest(&real), "content of {}", path.display());
    // The same in pieces that fit nothing, from the end to the start.
    let mut file = fs.open(id).unwrap();
    let mut piece = vec![0; 10_007];
    let starts: Vec<usize> = (0..real.len()).step_by(9_973).collect();
    for start in starts.into_iter().rev().step_by(7) {
        let count = file.read_at(start as u64, &mut piece).unwrap();
        assert_eq!(count, piece.len().min(real.len() - start));
        assert!(piece[..count] == real[start..start + count], "{} at {start}", path.display());
    }
    assert_eq!(file.read_at(real.len() as u64, &mut piece).unwrap(), 0);
    fs.position(id).unwrap();
}

fn compare_folder(fs: &dyn FileSystem, id: NodeId, path: &Path, except: Except, count: &mut u64) {
    let mut entries = Vec::new();
    fs.read_dir(id, &mut |entry| {
        entries.push((entry.name.to_vec(), entry.node, entry.kind));
        ControlFlow::Continue(())
    })
    .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let names: BTreeSet<Vec<u8>> = entries.iter().map(|(name, ..)| name.clone()).collect();
    let real: BTreeSet<Vec<u8>> =
        fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_vec()).collect();
    assert_eq!(names, real, "names in {}", path.display());
    assert_eq!(names.len(), entries.len(), "a name that comes twice in {}", path.display());
    for (number, (name, node, kind)) in entries.into_iter().enumerate() {
        if number % 16 == 0 {
            assert_eq!(fs.lookup(id, &name).unwrap(), node);
        }
        let path = path.join(std::ffi::OsStr::from_bytes(&name));
        if let Some(kind) = kind {
            assert_eq!(kind, fs.node(node).unwrap().kind, "kind in the folder of {}", path.display());
        }
        compare_node(fs, node, &path, except, count);
    }
    assert!(fs.lookup(id, b"no such name").unwrap_err().is_missing());
}

fn xattrs_of(path: &Path) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut names = vec![0; 65536];
    let bytes = rustix::fs::llistxattr(path, &mut names[..]).unwrap();
    names.truncate(bytes);
    let mut xattrs: Vec<_> = names
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
        .map(|name| {
            let mut value = vec![0; 65536];
            let bytes = rustix::fs::lgetxattr(path, name, &mut value[..]).unwrap();
            value.truncate(bytes);
            (name.to_vec(), value)
        })
        .collect();
    xattrs.sort();
    xattrs
}
