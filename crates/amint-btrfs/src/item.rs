//! Items of the trees of files: inodes, names, attributes.

use amint_fs::{FsError, Kind, Node};

use crate::bytes::{u8_at, u16_at, u32_at, u64_at};
use crate::error::{damaged, short};
use crate::key::{Key, kind};

/// Bytes of an inode item.
const INODE_BYTES: usize = 160;
/// Bytes of a directory item before its name.
const DIRECTORY_BYTES: usize = 30;
/// The longest name, in bytes.
const NAME_BYTES_MAX: usize = 255;
/// The flag of inodes whose data has no checksums.
const NO_DATA_SUMS: u64 = 1;
/// The bits of the permissions.
const MODE_BITS: u32 = 0o7777;

/// What an inode item says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inode {
    pub(crate) node: Node,
    /// Whether data has checksums.
    pub(crate) has_sums: bool,
}

impl Inode {
    /// Reads an inode item.
    pub(crate) fn read(item: &[u8]) -> Result<Self, FsError> {
        let item = item.get(..INODE_BYTES).ok_or_else(|| short("an inode"))?;
        let missing = || short("an inode");
        let long = |at| u64_at(item, at).ok_or_else(missing);
        let word = |at| u32_at(item, at).ok_or_else(missing);
        let time = |at| Ok::<_, FsError>((long(at)?.cast_signed(), word(at + 8)?));
        let mode = word(52)?;
        let node_kind = kind_of_mode(mode).ok_or_else(|| damaged(format!("an inode of mode {mode:o}")))?;
        let is_device = matches!(node_kind, Kind::CharDevice | Kind::BlockDevice);
        let node = Node {
            kind: node_kind,
            mode: mode & MODE_BITS,
            uid: word(44)?,
            gid: word(48)?,
            bytes: long(16)?,
            nlink: u64::from(word(40)?),
            accessed: time(112)?,
            changed: time(124)?,
            modified: time(136)?,
            born: Some(time(148)?),
            device: if is_device { Some(device(long(56)?)) } else { None },
        };
        Ok(Self { node, has_sums: long(64)? & NO_DATA_SUMS == 0 })
    }
}

/// Splits a device number as the kernel keeps it: 12 bits and 20 bits.
fn device(number: u64) -> (u32, u32) {
    let low = |number: u64| u32::try_from(number & 0xffff_ffff).unwrap_or(0);
    (low(number) >> 20, low(number) & 0xf_ffff)
}

/// Returns the kind by the bits of `st_mode`.
fn kind_of_mode(mode: u32) -> Option<Kind> {
    match mode >> 12 {
        0o10 => Some(Kind::File),
        0o4 => Some(Kind::Folder),
        0o12 => Some(Kind::Link),
        0o1 => Some(Kind::Pipe),
        0o14 => Some(Kind::Socket),
        0o2 => Some(Kind::CharDevice),
        0o6 => Some(Kind::BlockDevice),
        _ => None,
    }
}

/// Returns the kind by the number in a directory item.
pub(crate) fn kind_of_entry(number: u8) -> Option<Kind> {
    match number {
        1 => Some(Kind::File),
        2 => Some(Kind::Folder),
        3 => Some(Kind::CharDevice),
        4 => Some(Kind::BlockDevice),
        5 => Some(Kind::Pipe),
        6 => Some(Kind::Socket),
        7 => Some(Kind::Link),
        _ => None,
    }
}

/// One name of a folder, or one attribute.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DirectoryItem<'a> {
    /// The key of the inode, or of the root of a subvolume.
    pub(crate) target: Key,
    pub(crate) kind: u8,
    pub(crate) name: &'a [u8],
    /// The value of an attribute.
    pub(crate) value: &'a [u8],
    /// All of it, as it stands on the disk.
    pub(crate) raw: &'a [u8],
}

/// The directory items within one item: several where hashes collide.
#[derive(Clone, Debug)]
pub(crate) struct DirectoryItems<'a> {
    rest: &'a [u8],
}

impl<'a> DirectoryItems<'a> {
    pub(crate) fn new(item: &'a [u8]) -> Self {
        Self { rest: item }
    }

    fn read(&mut self) -> Option<DirectoryItem<'a>> {
        let value_bytes = usize::from(u16_at(self.rest, 25)?);
        let name_bytes = usize::from(u16_at(self.rest, 27)?);
        let value_at = DIRECTORY_BYTES + name_bytes;
        let item = DirectoryItem {
            target: Key::read(self.rest, 0)?,
            kind: u8_at(self.rest, 29)?,
            name: self.rest.get(DIRECTORY_BYTES..value_at)?,
            value: self.rest.get(value_at..value_at + value_bytes)?,
            raw: self.rest.get(..value_at + value_bytes)?,
        };
        self.rest = self.rest.get(value_at + value_bytes..)?;
        Some(item)
    }
}

impl<'a> Iterator for DirectoryItems<'a> {
    type Item = Result<DirectoryItem<'a>, FsError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let item = self.read();
        if item.is_none() {
            self.rest = &[];
        }
        Some(item.ok_or_else(|| short("a name")))
    }
}

/// Builds the directory item that leads from a name to an inode.
pub(crate) fn directory_item(number: u64, entry_kind: u8, name: &[u8]) -> Vec<u8> {
    let mut item = number.to_le_bytes().to_vec();
    item.push(kind::INODE_ITEM);
    // The rest of the key, the transaction, and the length of a value.
    item.extend([0; 8 + 8 + 2]);
    item.extend(u16::try_from(name.len()).unwrap_or(0).to_le_bytes());
    item.push(entry_kind);
    item.extend(name);
    item
}

/// A name that an inode knows to have: the folder, the place in it, the name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) parent: u64,
    pub(crate) index: u64,
    pub(crate) name: Vec<u8>,
}

impl Reference {
    /// Reads the names of an item of either kind.
    pub(crate) fn read_all(key: Key, item: &[u8]) -> Result<Vec<Self>, FsError> {
        let missing = || short("a reference to a folder");
        let mut references = Vec::new();
        let mut at = 0;
        while at < item.len() {
            let mut parent = key.offset;
            if key.kind == kind::INODE_EXTREF {
                parent = u64_at(item, at).ok_or_else(missing)?;
                at += 8;
            }
            let index = u64_at(item, at).ok_or_else(missing)?;
            let name_bytes = usize::from(u16_at(item, at + 8).ok_or_else(missing)?);
            let name = item.get(at + 10..at + 10 + name_bytes).ok_or_else(missing)?.to_vec();
            check_name_of_reference(&name)?;
            references.push(Self { parent, index, name });
            at += 10 + name_bytes;
        }
        Ok(references)
    }

    /// Writes it as a part of an item of `kind`.
    pub(crate) fn write(&self, item_kind: u8, item: &mut Vec<u8>) {
        if item_kind == kind::INODE_EXTREF {
            item.extend(self.parent.to_le_bytes());
        }
        item.extend(self.index.to_le_bytes());
        item.extend(u16::try_from(self.name.len()).unwrap_or(0).to_le_bytes());
        item.extend(&self.name);
    }
}

/// The topmost folder of a subvolume has itself as parent, by the name `..`.
fn check_name_of_reference(name: &[u8]) -> Result<(), FsError> {
    if name == b".." { Ok(()) } else { check_name(name) }
}

/// Refuses names that no kernel could have made.
pub(crate) fn check_name(name: &[u8]) -> Result<(), FsError> {
    let is_wrong = name.is_empty()
        || name.len() > NAME_BYTES_MAX
        || name == b"."
        || name == b".."
        || name.iter().any(|byte| matches!(byte, b'/' | 0));
    if is_wrong { Err(damaged(format!("the name {:?}", String::from_utf8_lossy(name)))) } else { Ok(()) }
}
