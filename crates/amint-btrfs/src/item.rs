//! Items of the trees of files: inodes, names, attributes.

use amint_fs::{FsError, Kind, Node};

use crate::bytes::{u8_at, u16_at, u32_at, u64_at};
use crate::error::{damaged, short};
use crate::key::Key;

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
        let kind = kind_of_mode(mode).ok_or_else(|| damaged(format!("an inode of mode {mode:o}")))?;
        let is_device = matches!(kind, Kind::CharDevice | Kind::BlockDevice);
        let node = Node {
            kind,
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

/// Refuses names that no kernel could have made.
pub(crate) fn check_name(name: &[u8]) -> Result<(), FsError> {
    let is_wrong = name.is_empty()
        || name.len() > NAME_BYTES_MAX
        || name == b"."
        || name == b".."
        || name.iter().any(|byte| matches!(byte, b'/' | 0));
    if is_wrong { Err(damaged(format!("the name {:?}", String::from_utf8_lossy(name)))) } else { Ok(()) }
}
