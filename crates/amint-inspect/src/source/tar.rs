//! An uncompressed tar archive of a root file system, read as if it were a file system.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read, Seek};
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use amint_fs::{ENTRIES_MAX, Entry, FileSystem, FsError, Info, Kind, Node, NodeId, OpenFile, Visit, Xattr};
use amint_types::ReadAt;
use tar::EntryType;

const KIND: &str = "tar";
/// Bytes of one block: headers and content begin at such places.
const BLOCK_BYTES: u64 = 512;
/// How much is read at once.
const READ_BYTES: usize = 256 * 1024;
/// The longest path in an archive, in bytes.
const PATH_BYTES_MAX: usize = 4096;
/// Among how many entries the description of an OVA is looked for; it comes first.
const OVA_ENTRIES_MAX: usize = 100;
/// Where extended attributes stand in records of pax (`star(5)`).
const XATTR_PREFIX: &str = "SCHILY.xattr.";

/// Records that say that the content is not the content itself (GNU tar, `--sparse` with pax).
const SPARSE_PREFIX: &str = "GNU.sparse.";

/// A tar archive as a file system: the last entry of a name counts, as when it is unpacked.
pub struct TarFs {
    source: Arc<dyn ReadAt>,
    info: Info,
    nodes: Vec<TarNode>,
}

struct TarNode {
    node: Node,
    /// Where the content lies in the archive.
    start: u64,
    link: Vec<u8>,
    xattrs: Vec<Xattr>,
    children: BTreeMap<Vec<u8>, usize>,
}

impl TarFs {
    /// Reads the headers of an archive.
    ///
    /// # Errors
    /// [`FsError::Damaged`] for what is no tar archive or holds paths that leave it.
    pub fn open(source: Arc<dyn ReadAt>) -> Result<Self, FsError> {
        let mut builder = Builder { nodes: vec![folder(0o755)], names: HashMap::new() };
        let mut archive = tar::Archive::new(Cursor { source: source.clone(), at: 0 });
        let mut count = 0;
        let mut end = 0;
        for entry in archive.entries_with_seek().map_err(|error| damaged(&error))? {
            let mut entry = entry.map_err(|error| damaged(&error))?;
            count += 1;
            if count > ENTRIES_MAX {
                return Err(FsError::Limit { filesystem: KIND, what: "too many names".to_owned() });
            }
            // Comments for the whole archive name nothing; sizes and names in them belong to no entry.
            if entry.header().entry_type() != EntryType::XGlobalHeader {
                builder.take(&mut entry)?;
            }
            let bytes = entry.size().checked_next_multiple_of(BLOCK_BYTES);
            end = bytes.and_then(|bytes| entry.raw_file_position().checked_add(bytes)).unwrap_or(u64::MAX);
        }
        check_end(&*source, end)?;
        let info = Info {
            kind: KIND,
            label: None,
            uuid: None,
            block_bytes: 512,
            size_bytes: source.size_bytes(),
            notes: Vec::new(),
        };
        Ok(Self { source, info, nodes: builder.nodes })
    }

    /// Tells whether the source begins with a header of tar (`ustar` at 257, as POSIX and GNU write it).
    pub fn probe(source: &dyn ReadAt) -> bool {
        let mut magic = [0; 5];
        source.read_exact_at(257, &mut magic).is_ok() && &magic == b"ustar"
    }

    /// Tells whether the archive brings a description of disks: then it is an OVA, and no root file system.
    pub fn has_description(source: &dyn ReadAt) -> bool {
        let mut archive = tar::Archive::new(Cursor { source, at: 0 });
        let Ok(entries) = archive.entries_with_seek() else { return false };
        let is_description = |entry: &tar::Entry<'_, _>| {
            let path = entry.path_bytes();
            let path = path.strip_prefix(b"./").unwrap_or(&path);
            let ending = path.len().checked_sub(4).and_then(|at| path.get(at..)).unwrap_or_default();
            !path.contains(&b'/') && ending.eq_ignore_ascii_case(b".ovf")
        };
        entries.map_while(Result::ok).take(OVA_ENTRIES_MAX).any(|entry| is_description(&entry))
    }

    fn get(&self, id: NodeId) -> Result<&TarNode, FsError> {
        usize::try_from(id.number).ok().and_then(|at| self.nodes.get(at)).ok_or(FsError::NotFound)
    }
}

/// Checks that an archive ends with its end mark and that nothing follows: readers that take the end of the file or the
/// first empty block for the end of the archive see less than there was.
fn check_end(source: &dyn ReadAt, end: u64) -> Result<(), FsError> {
    let damaged = |what: String| FsError::Damaged { filesystem: KIND, what };
    let size = source.size_bytes();
    if end.checked_add(BLOCK_BYTES).is_none_or(|mark| mark > size) {
        return Err(damaged(format!("it is cut off at byte {size}")));
    }
    let mut buffer = vec![0; READ_BYTES];
    let mut at = end;
    while at < size {
        let count = usize::try_from(size - at).map_or(READ_BYTES, |left| left.min(READ_BYTES));
        source.read_exact_at(at, &mut buffer[..count])?;
        if buffer[..count].iter().any(|byte| *byte != 0) {
            return Err(damaged(format!("something follows its end mark at byte {end}")));
        }
        at += count as u64;
    }
    Ok(())
}

fn damaged(error: &io::Error) -> FsError {
    FsError::Damaged { filesystem: KIND, what: error.to_string() }
}

fn folder(mode: u32) -> TarNode {
    TarNode {
        node: Node {
            kind: Kind::Folder,
            mode,
            uid: 0,
            gid: 0,
            bytes: 0,
            nlink: 1,
            modified: (0, 0),
            changed: (0, 0),
            accessed: (0, 0),
            born: None,
            device: None,
        },
        start: 0,
        link: Vec::new(),
        xattrs: Vec::new(),
        children: BTreeMap::new(),
    }
}

struct Builder {
    nodes: Vec<TarNode>,
    /// Path to node, for hard links.
    names: HashMap<Vec<u8>, usize>,
}

impl Builder {
    fn take<R: Read + Seek>(&mut self, entry: &mut tar::Entry<'_, R>) -> Result<(), FsError> {
        let path = clean(&entry.path_bytes())?;
        let entry_type = entry.header().entry_type();
        if entry_type == EntryType::Link {
            let target = clean(&entry.link_name_bytes().unwrap_or_default())?;
            let node = *self.names.get(&target).ok_or_else(|| FsError::Damaged {
                filesystem: KIND,
                what: format!("a hard link to `{}`, which is not there", String::from_utf8_lossy(&target)),
            })?;
            if let Some(linked) = self.nodes.get_mut(node) {
                linked.node.nlink += 1;
            }
            return self.place(&path, node);
        }
        let mut made = describe(entry, entry_type)?;
        if made.node.kind == Kind::Folder
            && let Some(known) = self.names.get(&path).copied().or_else(|| path.is_empty().then_some(0))
            && let Some(known) = self.nodes.get_mut(known)
            && known.node.kind == Kind::Folder
        {
            made.children = std::mem::take(&mut known.children);
            *known = made;
            return Ok(());
        }
        self.nodes.push(made);
        self.place(&path, self.nodes.len() - 1)
    }

    /// Gives a node a name; folders that are missing on the way are made.
    fn place(&mut self, path: &[u8], node: usize) -> Result<(), FsError> {
        let mut at = 0;
        let mut names = path.split(|byte| *byte == b'/').peekable();
        let mut done: Vec<u8> = Vec::new();
        while let Some(name) = names.next() {
            if !done.is_empty() {
                done.push(b'/');
            }
            done.extend_from_slice(name);
            let next = if names.peek().is_none() {
                self.names.insert(done.clone(), node);
                node
            } else if let Some(known) = self.names.get(&done).copied() {
                known
            } else {
                self.nodes.push(folder(0o755));
                self.names.insert(done.clone(), self.nodes.len() - 1);
                self.nodes.len() - 1
            };
            let parent = self.nodes.get_mut(at).filter(|parent| parent.node.kind == Kind::Folder);
            let parent = parent.ok_or_else(|| FsError::Damaged {
                filesystem: KIND,
                what: format!("`{}` lies in something that is no folder", String::from_utf8_lossy(path)),
            })?;
            parent.children.insert(name.to_vec(), next);
            at = next;
        }
        Ok(())
    }
}

fn describe<R: Read + Seek>(
    entry: &mut tar::Entry<'_, R>,
    entry_type: EntryType,
) -> Result<TarNode, FsError> {
    let kind = match entry_type {
        EntryType::Regular | EntryType::Continuous => Kind::File,
        EntryType::Directory => Kind::Folder,
        EntryType::Symlink => Kind::Link,
        EntryType::Char => Kind::CharDevice,
        EntryType::Block => Kind::BlockDevice,
        EntryType::Fifo => Kind::Pipe,
        other => {
            return Err(FsError::Unsupported {
                filesystem: KIND,
                feature: format!("an entry of type {:?}", char::from(other.as_byte())),
            });
        }
    };
    let start = entry.raw_file_position();
    let mut xattrs = Vec::new();
    if let Some(extensions) = entry.pax_extensions().map_err(|error| damaged(&error))? {
        for extension in extensions {
            let extension = extension.map_err(|error| damaged(&error))?;
            let key = extension.key().ok();
            if key.is_some_and(|key| key.starts_with(SPARSE_PREFIX)) {
                let feature = "a file of holes in pax records".to_owned();
                return Err(FsError::Unsupported { filesystem: KIND, feature });
            }
            let name = key.and_then(|key| key.strip_prefix(XATTR_PREFIX));
            if let Some(name) = name {
                xattrs
                    .push(Xattr { name: name.as_bytes().to_vec(), value: extension.value_bytes().to_vec() });
            }
        }
    }
    xattrs.sort();
    let link = entry.link_name_bytes().unwrap_or_default().into_owned();
    let header = entry.header();
    let number = |value: io::Result<u64>| value.ok().and_then(|value| u32::try_from(value).ok()).unwrap_or(0);
    let modified = (header.mtime().ok().and_then(|time| i64::try_from(time).ok()).unwrap_or(0), 0);
    let device = matches!(kind, Kind::CharDevice | Kind::BlockDevice).then(|| {
        let part = |value: io::Result<Option<u32>>| value.ok().flatten().unwrap_or(0);
        (part(header.device_major()), part(header.device_minor()))
    });
    let node = Node {
        kind,
        mode: header.mode().unwrap_or(0) & 0o7777,
        uid: number(header.uid()),
        gid: number(header.gid()),
        bytes: if kind == Kind::Link { link.len() as u64 } else { entry.size() },
        nlink: 1,
        modified,
        changed: modified,
        accessed: modified,
        born: None,
        device,
    };
    Ok(TarNode { node, start, link, xattrs, children: BTreeMap::new() })
}

/// Makes a path plain: no leading `/`, no `.`; one with `..` is refused.
fn clean(path: &[u8]) -> Result<Vec<u8>, FsError> {
    let names: Vec<&[u8]> =
        path.split(|byte| *byte == b'/').filter(|name| !name.is_empty() && *name != b".").collect();
    let is_hostile = path.len() > PATH_BYTES_MAX || path.contains(&0) || names.contains(&b"..".as_slice());
    if is_hostile {
        let shown = String::from_utf8_lossy(&path[..path.len().min(80)]).into_owned();
        return Err(FsError::Damaged { filesystem: KIND, what: format!("the path `{shown}` leaves it") });
    }
    Ok(names.join(&b'/'))
}

impl FileSystem for TarFs {
    fn info(&self) -> &Info {
        &self.info
    }

    fn root(&self) -> NodeId {
        NodeId::new(0)
    }

    fn node(&self, id: NodeId) -> Result<Node, FsError> {
        Ok(self.get(id)?.node)
    }

    fn read_dir(&self, id: NodeId, visit: &mut Visit<'_>) -> Result<(), FsError> {
        let folder = self.get(id)?;
        if folder.node.kind != Kind::Folder {
            return Err(FsError::WrongKind("a folder"));
        }
        for (name, child) in &folder.children {
            let kind = self.nodes.get(*child).map(|child| child.node.kind);
            if visit(Entry { name, node: NodeId::new(*child as u64), kind }).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn read_link(&self, id: NodeId) -> Result<Vec<u8>, FsError> {
        let node = self.get(id)?;
        if node.node.kind == Kind::Link { Ok(node.link.clone()) } else { Err(FsError::WrongKind("a link")) }
    }

    fn open(&self, id: NodeId) -> Result<Box<dyn OpenFile + '_>, FsError> {
        let node = self.get(id)?;
        if node.node.kind != Kind::File {
            return Err(FsError::WrongKind("a file"));
        }
        Ok(Box::new(TarFile { source: &*self.source, start: node.start, bytes: node.node.bytes }))
    }

    fn xattrs(&self, id: NodeId) -> Result<Vec<Xattr>, FsError> {
        Ok(self.get(id)?.xattrs.clone())
    }

    fn position(&self, id: NodeId) -> Result<Option<u64>, FsError> {
        Ok(Some(self.get(id)?.start))
    }

    fn free_ranges(&self, _: &mut dyn FnMut(Range<u64>) -> ControlFlow<()>) -> Result<(), FsError> {
        Ok(())
    }

    fn lookup(&self, folder: NodeId, name: &[u8]) -> Result<NodeId, FsError> {
        let found = self.get(folder)?.children.get(name);
        found.map(|child| NodeId::new(*child as u64)).ok_or(FsError::NotFound)
    }
}

struct TarFile<'a> {
    source: &'a dyn ReadAt,
    start: u64,
    bytes: u64,
}

impl OpenFile for TarFile<'_> {
    fn size_bytes(&self) -> u64 {
        self.bytes
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<usize, FsError> {
        let left = self.bytes.saturating_sub(offset);
        let count = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let start = self.start.checked_add(offset).ok_or(FsError::NotFound)?;
        self.source.read_exact_at(start, &mut buffer[..count])?;
        Ok(count)
    }
}

/// A source as something that is read and skipped through.
struct Cursor<S> {
    source: S,
    at: u64,
}

impl<S: ReadAt> Read for Cursor<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.source.size_bytes().saturating_sub(self.at);
        let count = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        self.source.read_exact_at(self.at, &mut buffer[..count])?;
        self.at += count as u64;
        Ok(count)
    }
}

impl<S: ReadAt> Seek for Cursor<S> {
    fn seek(&mut self, position: io::SeekFrom) -> io::Result<u64> {
        let at = match position {
            io::SeekFrom::Start(at) => Some(at),
            io::SeekFrom::Current(by) => self.at.checked_add_signed(by),
            io::SeekFrom::End(by) => self.source.size_bytes().checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}
