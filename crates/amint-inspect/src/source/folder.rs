//! A folder of this host, read as if it were a file system of an image.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::ops::{ControlFlow, Range};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Mutex;

use amint_fs::{ENTRIES_MAX, Entry, FileSystem, FsError, Info, Kind, Node, NodeId, OpenFile, Visit, Xattr};
use rustix::fs::{CWD, Dir, FileType, Mode, OFlags, ResolveFlags, Stat};

const KIND: &str = "directory";
/// How many names all folders together may hold.
const NODES_MAX: usize = 8_000_000;
/// How many mount points of other file systems are counted, and how many are named.
const FOREIGN_MAX: usize = 10_000;
const FOREIGN_TOLD: usize = 5;
/// How much the names of all attributes of one file may take (Linux: 64 KiB).
const XATTR_NAMES_MAX: usize = 64 * 1024;

/// A folder of this host.
///
/// The kernel confines every look-up (`openat2` with `RESOLVE_BENEATH` and `RESOLVE_NO_SYMLINKS`). Other file systems that
/// are mounted below it are not entered: an image does not hold them.
#[derive(Debug)]
pub struct HostFolder {
    root: OwnedFd,
    device: u64,
    info: Info,
    /// Parent and name of every node that was met; a node's number is its place here.
    nodes: Mutex<Vec<(usize, Box<[u8]>)>>,
    /// Mount points of other file systems that were met.
    foreign: Mutex<BTreeSet<Vec<u8>>>,
}

impl HostFolder {
    /// Opens a folder of this host.
    ///
    /// # Errors
    /// Fails where the folder cannot be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        let root =
            rustix::fs::openat(CWD, path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let status = rustix::fs::fstat(&root)?;
        let info =
            Info { kind: KIND, label: None, uuid: None, block_bytes: 4096, size_bytes: 0, notes: Vec::new() };
        Ok(Self {
            root,
            device: status.st_dev,
            info,
            nodes: Mutex::new(vec![(0, Box::default())]),
            foreign: Mutex::default(),
        })
    }

    /// Says which other file systems were met and not entered.
    pub fn notes(&self) -> Vec<String> {
        let foreign = self.foreign.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let shown: Vec<String> = foreign
            .iter()
            .take(FOREIGN_TOLD)
            .map(|path| format!("/{}", String::from_utf8_lossy(path)))
            .collect();
        match foreign.len() {
            0 => Vec::new(),
            1 => vec![format!("another file system was not entered: {}", shown.join(", "))],
            count => {
                let more = if count > FOREIGN_TOLD { ", …" } else { "" };
                vec![format!("{count} other file systems were not entered: {}{more}", shown.join(", "))]
            }
        }
    }

    fn path(&self, id: NodeId) -> Result<Vec<u8>, FsError> {
        let nodes = self.nodes.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut names: Vec<&[u8]> = Vec::new();
        let mut at = usize::try_from(id.number).map_err(|_| FsError::NotFound)?;
        while at != 0 {
            let (parent, name) = nodes.get(at).ok_or(FsError::NotFound)?;
            names.push(name);
            at = *parent;
        }
        names.reverse();
        Ok(if names.is_empty() { b".".to_vec() } else { names.join(&b'/') })
    }

    fn open_node(&self, id: NodeId, flags: OFlags) -> Result<OwnedFd, FsError> {
        let path = self.path(id)?;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        let flags = flags | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        // A link at the end can be opened as a path and only so; one on the way is always refused.
        rustix::fs::openat2(&self.root, path.as_slice(), flags, Mode::empty(), resolve)
            .map_err(|errno| FsError::from(io::Error::from(errno)))
    }

    fn status(&self, id: NodeId) -> Result<Stat, FsError> {
        let descriptor = self.open_node(id, OFlags::PATH)?;
        rustix::fs::fstat(&descriptor).map_err(|errno| FsError::from(io::Error::from(errno)))
    }
}

impl FileSystem for HostFolder {
    fn info(&self) -> &Info {
        &self.info
    }

    fn root(&self) -> NodeId {
        NodeId::new(0)
    }

    fn node(&self, id: NodeId) -> Result<Node, FsError> {
        let status = self.status(id)?;
        let kind = kind_of(FileType::from_raw_mode(status.st_mode)).ok_or_else(|| FsError::Damaged {
            filesystem: KIND,
            what: "an unknown type of file".to_owned(),
        })?;
        let nanoseconds = |value: u64| u32::try_from(value).unwrap_or(0);
        Ok(Node {
            kind,
            mode: status.st_mode & 0o7777,
            uid: status.st_uid,
            gid: status.st_gid,
            bytes: u64::try_from(status.st_size).unwrap_or(0),
            #[expect(clippy::useless_conversion, reason = "`st_nlink` is 32 bits wide on arm64")]
            nlink: u64::from(status.st_nlink),
            modified: (status.st_mtime, nanoseconds(status.st_mtime_nsec)),
            changed: (status.st_ctime, nanoseconds(status.st_ctime_nsec)),
            accessed: (status.st_atime, nanoseconds(status.st_atime_nsec)),
            born: None,
            device: matches!(kind, Kind::CharDevice | Kind::BlockDevice)
                .then(|| (rustix::fs::major(status.st_rdev), rustix::fs::minor(status.st_rdev))),
        })
    }

    fn read_dir(&self, id: NodeId, visit: &mut Visit<'_>) -> Result<(), FsError> {
        let descriptor = self.open_node(id, OFlags::RDONLY | OFlags::DIRECTORY)?;
        let failed = |errno: rustix::io::Errno| FsError::from(io::Error::from(errno));
        let status = rustix::fs::fstat(&descriptor).map_err(failed)?;
        if status.st_dev != self.device {
            let path = self.path(id)?;
            let mut foreign = self.foreign.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if foreign.len() < FOREIGN_MAX {
                foreign.insert(path);
            }
            return Ok(());
        }
        let parent = usize::try_from(id.number).map_err(|_| FsError::NotFound)?;
        for (count, entry) in (1_u64..).zip(Dir::read_from(&descriptor).map_err(failed)?) {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            let limit = |what: &str| FsError::Limit { filesystem: KIND, what: what.to_owned() };
            if count > ENTRIES_MAX {
                return Err(limit("too many names in one folder"));
            }
            let number = {
                let mut nodes = self.nodes.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                if nodes.len() >= NODES_MAX {
                    return Err(limit("too many names"));
                }
                nodes.push((parent, name.into()));
                nodes.len() as u64 - 1
            };
            let entry = Entry { name, node: NodeId::new(number), kind: kind_of(entry.file_type()) };
            if visit(entry).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn read_link(&self, id: NodeId) -> Result<Vec<u8>, FsError> {
        let descriptor = self.open_node(id, OFlags::PATH)?;
        rustix::fs::readlinkat(&descriptor, "", Vec::new())
            .map(std::ffi::CString::into_bytes)
            .map_err(|errno| FsError::from(io::Error::from(errno)))
    }

    fn open(&self, id: NodeId) -> Result<Box<dyn OpenFile + '_>, FsError> {
        // What it is is asked first, because opening a device acts.
        if self.node(id)?.kind != Kind::File {
            return Err(FsError::WrongKind("a file"));
        }
        let file = File::from(self.open_node(id, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY)?);
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(FsError::WrongKind("a file"));
        }
        Ok(Box::new(HostFile { file, bytes: metadata.len() }))
    }

    fn xattrs(&self, id: NodeId) -> Result<Vec<Xattr>, FsError> {
        let node = self.node(id)?;
        if !matches!(node.kind, Kind::File | Kind::Folder) {
            return Ok(Vec::new());
        }
        let descriptor = self.open_node(id, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY)?;
        let failed = |errno: rustix::io::Errno| FsError::from(io::Error::from(errno));
        let mut names = vec![0; XATTR_NAMES_MAX];
        let count = match rustix::fs::flistxattr(&descriptor, &mut names[..]) {
            Ok(count) => count,
            Err(rustix::io::Errno::NOTSUP) => 0,
            Err(errno) => return Err(failed(errno)),
        };
        let mut attributes = Vec::new();
        let mut value = vec![0; amint_fs::XATTR_BYTES_MAX];
        for name in names[..count].split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
            match rustix::fs::fgetxattr(&descriptor, name, &mut value[..]) {
                Ok(bytes) => attributes.push(Xattr { name: name.to_vec(), value: value[..bytes].to_vec() }),
                Err(rustix::io::Errno::NODATA) => {}
                Err(errno) => return Err(failed(errno)),
            }
        }
        attributes.sort();
        Ok(attributes)
    }

    fn position(&self, _: NodeId) -> Result<Option<u64>, FsError> {
        // The kernel's cache decides; an order by number is as good as any.
        Ok(None)
    }

    fn free_ranges(&self, _: &mut dyn FnMut(Range<u64>) -> ControlFlow<()>) -> Result<(), FsError> {
        Ok(())
    }

    fn lookup(&self, folder: NodeId, name: &[u8]) -> Result<NodeId, FsError> {
        let mut nodes = self.nodes.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let parent = usize::try_from(folder.number).map_err(|_| FsError::NotFound)?;
        nodes.push((parent, name.into()));
        let id = NodeId::new(nodes.len() as u64 - 1);
        drop(nodes);
        match self.status(id) {
            Ok(_) => Ok(id),
            // A link on the way is refused as a circle would be.
            Err(FsError::Io(error)) if is_absent(&error) => Err(FsError::NotFound),
            Err(error) => Err(error),
        }
    }
}

fn is_absent(error: &io::Error) -> bool {
    let errno = rustix::io::Errno::from_io_error(error);
    matches!(errno, Some(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR | rustix::io::Errno::LOOP))
}

fn kind_of(file_type: FileType) -> Option<Kind> {
    match file_type {
        FileType::RegularFile => Some(Kind::File),
        FileType::Directory => Some(Kind::Folder),
        FileType::Symlink => Some(Kind::Link),
        FileType::Fifo => Some(Kind::Pipe),
        FileType::Socket => Some(Kind::Socket),
        FileType::CharacterDevice => Some(Kind::CharDevice),
        FileType::BlockDevice => Some(Kind::BlockDevice),
        FileType::Unknown => None,
    }
}

struct HostFile {
    file: File,
    bytes: u64,
}

impl OpenFile for HostFile {
    fn size_bytes(&self) -> u64 {
        self.bytes
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<usize, FsError> {
        Ok(self.file.read_at(buffer, offset)?)
    }
}
