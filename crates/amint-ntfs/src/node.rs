//! What a node is.

use amint_fs::{FsError, Kind, Node, OpenFile};

use crate::attribute::{Attribute, Attributes, DATA, REPARSE_POINT, STANDARD_INFORMATION};
use crate::bytes::{le_u32, le_u64, utf16};
use crate::error::damaged;
use crate::index::{folder_bytes, name_count};
use crate::reparse::Reparse;
use crate::stream::Stream;
use crate::table::{Loaded, Table};
use crate::time::unix;

/// Flags of a file ([MS-FSCC] section 2.6).
const READ_ONLY: u32 = 0x0001;
const SYSTEM: u32 = 0x0004;
/// The largest reparse point (Windows: 16 KiB).
const REPARSE_BYTES_MAX: u64 = 64 * 1024;
/// The largest file in which ntfs-3g keeps a link.
const LINK_BYTES_MAX: u64 = 8 + 2 * 4096;
/// Marks of special files that Interix and ntfs-3g make.
const INTERIX_LINK: &[u8; 8] = b"IntxLNK\x01";
const INTERIX_CHARACTER: &[u8; 8] = b"IntxCHR\0";
const INTERIX_BLOCK: &[u8; 8] = b"IntxBLK\0";

/// What stands in place of a file's or folder's own meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Special {
    Link(Vec<u8>),
    Node(Kind, Option<(u32, u32)>),
    Elsewhere(&'static str),
}

/// Finds what a node stands for beside a plain file or folder.
pub(crate) fn special(table: &Table, node: &Loaded) -> Result<Option<Special>, FsError> {
    let attributes = &node.attributes;
    if let Some(reparse) = attributes.find(REPARSE_POINT, "") {
        let mut stream = Stream::new(&table.chunks, table.cluster_bytes, attributes, reparse)?;
        let bytes = stream.read_all(REPARSE_BYTES_MAX)?;
        let reparse = Reparse::parse(&bytes).ok_or_else(|| damaged("a reparse point makes no sense"))?;
        return Ok(match reparse {
            Reparse::Link(target) => Some(Special::Link(target)),
            Reparse::Socket => Some(Special::Node(Kind::Socket, None)),
            Reparse::Pipe => Some(Special::Node(Kind::Pipe, None)),
            Reparse::CharDevice => Some(Special::Node(Kind::CharDevice, None)),
            Reparse::BlockDevice => Some(Special::Node(Kind::BlockDevice, None)),
            // Folders of a cloud are folders.
            Reparse::Elsewhere(_) if node.is_folder => None,
            Reparse::Elsewhere(what) => Some(Special::Elsewhere(what)),
            Reparse::Other => None,
        });
    }
    let data = attributes.find(DATA, "");
    let is_small = |data: &&Attribute| (8..=LINK_BYTES_MAX).contains(&data.bytes()) && !data.is_encrypted();
    let Some(data) = data.filter(is_small).filter(|_| flags(attributes) & SYSTEM != 0) else {
        return Ok(None);
    };
    let bytes =
        Stream::new(&table.chunks, table.cluster_bytes, attributes, data)?.read_all(LINK_BYTES_MAX)?;
    Ok(interix(&bytes))
}

fn interix(bytes: &[u8]) -> Option<Special> {
    let (mark, rest) = bytes.split_first_chunk::<8>()?;
    let device = || Some((u32::try_from(le_u64(rest, 0)?).ok()?, u32::try_from(le_u64(rest, 8)?).ok()?));
    match mark {
        INTERIX_LINK => Some(Special::Link(utf16(rest).into_bytes())),
        INTERIX_CHARACTER => device().map(|device| Special::Node(Kind::CharDevice, Some(device))),
        INTERIX_BLOCK => device().map(|device| Special::Node(Kind::BlockDevice, Some(device))),
        _ => None,
    }
}

fn flags(attributes: &Attributes) -> u32 {
    let standard = attributes.find(STANDARD_INFORMATION, "").and_then(Attribute::resident);
    standard.and_then(|bytes| le_u32(bytes, 32)).unwrap_or(0)
}

/// Tells what is known of a node.
pub(crate) fn describe(table: &Table, node: &Loaded, number: u64) -> Result<Node, FsError> {
    let attributes = &node.attributes;
    let standard = attributes.find(STANDARD_INFORMATION, "").and_then(Attribute::resident);
    let standard = standard.ok_or_else(|| damaged(format!("record {number} has no times")))?;
    let time =
        |at| le_u64(standard, at).map(unix).ok_or_else(|| damaged(format!("record {number} has no times")));
    let data_bytes = attributes.find(DATA, "").map_or(0, Attribute::bytes);
    let (kind, bytes, device) = match special(table, node)? {
        Some(Special::Link(target)) => (Kind::Link, target.len() as u64, None),
        Some(Special::Node(kind, device)) => (kind, 0, device),
        None if node.is_folder => (Kind::Folder, folder_bytes(attributes), None),
        Some(Special::Elsewhere(_)) | None => (Kind::File, data_bytes, None),
    };
    let is_read_only = kind == Kind::File && flags(attributes) & READ_ONLY != 0;
    Ok(Node {
        kind,
        mode: if is_read_only { 0o555 } else { 0o755 },
        uid: 0,
        gid: 0,
        bytes,
        nlink: name_count(attributes).max(1),
        modified: time(8)?,
        changed: time(16)?,
        accessed: time(24)?,
        born: Some(time(0)?),
        device,
    })
}

/// Opens the content of a plain file; an empty one may have none at all.
pub(crate) fn open<'a>(table: &'a Table, node: &Loaded) -> Result<Box<dyn OpenFile + 'a>, FsError> {
    match special(table, node)? {
        Some(Special::Elsewhere(what)) => return Err(crate::error::unsupported(what)),
        Some(_) => return Err(FsError::WrongKind("a file")),
        None if node.is_folder => return Err(FsError::WrongKind("a file")),
        None => {}
    }
    let data = node.attributes.find(DATA, "").ok_or_else(|| damaged("a file has no content"))?;
    let stream = Stream::new(table.chunks.source(), table.cluster_bytes, &node.attributes, data)?;
    Ok(Box::new(stream))
}
