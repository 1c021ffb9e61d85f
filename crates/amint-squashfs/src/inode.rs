//! Inodes: seven kinds, each in a basic and an extended form.

use amint_fs::{FsError, Kind, Node};

use crate::error::damaged;
use crate::image::{Image, long, short, word};
use crate::metadata::Reader;

/// The number of a fragment or of attributes that says: none.
const NONE: u32 = u32::MAX;
/// The longest target of a symbolic link, in bytes: what Linux allows.
const LINK_BYTES_MAX: u32 = 4096;
/// Types of inodes from here on are extended ones.
const EXTENDED: u16 = 7;
/// The bits of the permissions.
const MODE_BITS: u32 = 0o7777;

/// An inode.
#[derive(Clone, Debug)]
pub(crate) struct Inode {
    pub(crate) node: Node,
    /// Which entry of the table of attributes is its own.
    pub(crate) xattrs: Option<u32>,
    pub(crate) detail: Detail,
}

/// What only some kinds have.
#[derive(Clone, Debug)]
pub(crate) enum Detail {
    Nothing,
    Folder(Listing),
    File(Layout),
    Link(Vec<u8>),
}

/// Where the names of a folder are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listing {
    pub(crate) block: u32,
    pub(crate) offset: u16,
    pub(crate) bytes: u32,
}

/// Where the content of a file is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    /// Where its first block is.
    pub(crate) start: u64,
    /// The fragment that holds its tail, and where in it.
    pub(crate) fragment: Option<(u32, u32)>,
}

/// Returns the kind by the number of a basic type, as names of folders have it.
pub(crate) fn kind_of(basic_type: u16) -> Option<Kind> {
    match basic_type {
        1 => Some(Kind::Folder),
        2 => Some(Kind::File),
        3 => Some(Kind::Link),
        4 => Some(Kind::BlockDevice),
        5 => Some(Kind::CharDevice),
        6 => Some(Kind::Pipe),
        7 => Some(Kind::Socket),
        _ => None,
    }
}

/// Splits a device number as the kernel packs it into 32 bits.
fn device(number: u32) -> (u32, u32) {
    ((number >> 8) & 0xfff, (number & 0xff) | ((number >> 12) & 0xf_ff00))
}

/// What differs between kinds.
struct Body {
    nlink: u32,
    bytes: u64,
    xattrs: u32,
    device: Option<(u32, u32)>,
    detail: Detail,
}

impl Inode {
    /// Reads the inode at a reference, and returns what follows it: the lengths of a file's blocks.
    pub(crate) fn read(image: &Image, reference: u64) -> Result<(Self, Reader<'_>), FsError> {
        let mut reader = Reader::at_reference(image, image.superblock().inode_table, reference)?;
        let head: [u8; 16] = reader.array()?;
        let inode_type = short(&head, 0);
        let is_extended = inode_type > EXTENDED;
        let kind = kind_of(if is_extended { inode_type - EXTENDED } else { inode_type })
            .ok_or_else(|| damaged(format!("an inode of type {inode_type}")))?;
        let body = match kind {
            Kind::Folder => read_folder(&mut reader, is_extended)?,
            Kind::File => read_file(&mut reader, is_extended)?,
            Kind::Link => read_link(&mut reader, is_extended)?,
            Kind::BlockDevice | Kind::CharDevice => read_special(&mut reader, is_extended, true)?,
            Kind::Pipe | Kind::Socket => read_special(&mut reader, is_extended, false)?,
        };
        let modified = (i64::from(word(&head, 8)), 0);
        let node = Node {
            kind,
            mode: u32::from(short(&head, 2)) & MODE_BITS,
            uid: image.id(short(&head, 4))?,
            gid: image.id(short(&head, 6))?,
            bytes: body.bytes,
            nlink: u64::from(body.nlink),
            // There is one time only.
            modified,
            changed: modified,
            accessed: modified,
            born: None,
            device: body.device,
        };
        let xattrs = Some(body.xattrs).filter(|index| *index != NONE);
        Ok((Self { node, xattrs, detail: body.detail }, reader))
    }
}

fn read_folder(reader: &mut Reader<'_>, is_extended: bool) -> Result<Body, FsError> {
    let (nlink, bytes, block, offset, xattrs) = if is_extended {
        let body: [u8; 24] = reader.array()?;
        (word(&body, 0), word(&body, 4), word(&body, 8), short(&body, 18), word(&body, 20))
    } else {
        let body: [u8; 16] = reader.array()?;
        (word(&body, 4), u32::from(short(&body, 8)), word(&body, 0), short(&body, 10), NONE)
    };
    let detail = Detail::Folder(Listing { block, offset, bytes });
    Ok(Body { nlink, bytes: u64::from(bytes), xattrs, device: None, detail })
}

fn read_file(reader: &mut Reader<'_>, is_extended: bool) -> Result<Body, FsError> {
    let (start, fragment, offset, bytes, nlink, xattrs) = if is_extended {
        let body: [u8; 40] = reader.array()?;
        let at = |at| word(&body, at);
        (long(&body, 0), at(28), at(32), long(&body, 8), at(24), at(36))
    } else {
        let body: [u8; 16] = reader.array()?;
        let at = |at| word(&body, at);
        (u64::from(at(0)), at(4), at(8), u64::from(at(12)), 1, NONE)
    };
    let fragment = Some((fragment, offset)).filter(|_| fragment != NONE);
    Ok(Body { nlink, bytes, xattrs, device: None, detail: Detail::File(Layout { start, fragment }) })
}

fn read_link(reader: &mut Reader<'_>, is_extended: bool) -> Result<Body, FsError> {
    let body: [u8; 8] = reader.array()?;
    let bytes = word(&body, 4);
    if bytes > LINK_BYTES_MAX {
        return Err(damaged(format!("a symbolic link of {bytes} bytes")));
    }
    let target = reader.vec(usize::try_from(bytes).unwrap_or(0))?;
    let xattrs = if is_extended { u32::from_le_bytes(reader.array()?) } else { NONE };
    let (nlink, bytes) = (word(&body, 0), u64::from(bytes));
    Ok(Body { nlink, bytes, xattrs, device: None, detail: Detail::Link(target) })
}

fn read_special(reader: &mut Reader<'_>, is_extended: bool, is_device: bool) -> Result<Body, FsError> {
    let nlink = u32::from_le_bytes(reader.array()?);
    let device = if is_device { Some(device(u32::from_le_bytes(reader.array()?))) } else { None };
    let xattrs = if is_extended { u32::from_le_bytes(reader.array()?) } else { NONE };
    Ok(Body { nlink, bytes: 0, xattrs, device, detail: Detail::Nothing })
}
