//! Inodes: what is known of a node, and where its two forks (data and attributes) are.

use std::ops::Range;

use amint_fs::{FsError, Kind, Node};

use crate::fields::{Fields, damaged};
use crate::header::checksum_fits;
use crate::volume::Volume;

/// `IN`.
pub(crate) const MAGIC: u16 = 0x494e;
/// Where the checksum is (version 3).
pub(crate) const CRC_OFFSET: usize = 100;
/// Where the forks begin, in versions 1 and 2.
pub(crate) const CORE_BYTES_2: usize = 100;
/// Where the forks begin, in version 3.
pub(crate) const CORE_BYTES_3: usize = 176;
/// Bit of the flags: the content is on the realtime device.
const IS_REALTIME: u16 = 1;
/// Bits of the second flags.
pub(crate) const HAS_BIG_TIME: u64 = 1 << 3;
pub(crate) const HAS_BIG_COUNTS: u64 = 1 << 4;
/// Times count from here in the wide form: 2^31 seconds before 1970.
const BIG_TIME_START: i64 = -(1 << 31);
const NANOSECONDS: u64 = 1_000_000_000;

/// How a fork holds what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// The number of a device.
    Device,
    /// The bytes themselves.
    Local,
    /// A list of extents.
    Extents,
    /// The root of a tree of extents.
    Tree,
}

impl Format {
    fn new(code: u8) -> Result<Self, FsError> {
        match code {
            0 => Ok(Self::Device),
            1 => Ok(Self::Local),
            2 => Ok(Self::Extents),
            3 => Ok(Self::Tree),
            _ => Err(damaged(format!("an inode has a fork of the unknown format {code}"))),
        }
    }
}

/// One of the two forks.
#[derive(Clone, Debug)]
pub(crate) struct Fork {
    pub(crate) format: Format,
    pub(crate) extents: u64,
    range: Range<usize>,
}

/// An inode.
pub(crate) struct Inode {
    pub(crate) number: u64,
    pub(crate) node: Node,
    pub(crate) data: Fork,
    pub(crate) attributes: Option<Fork>,
    pub(crate) is_realtime: bool,
    raw: Vec<u8>,
}

impl Inode {
    /// Reads an inode that is in use.
    pub(crate) fn read(volume: &Volume, number: u64) -> Result<Self, FsError> {
        let superblock = &volume.superblock;
        let offset = superblock.inode_offset(number)?;
        let (raw, origin) = volume.metadata(offset, usize::from(superblock.inode_bytes), number)?;
        let fields = Fields(&raw);
        let version = fields.u8(4)?;
        if fields.u16(0)? != MAGIC || (version == 3) != superblock.has_checksums || version > 3 {
            return Err(damaged(format!("there is no inode {number}")));
        }
        if version == 3 {
            if !origin.is_replayed && !checksum_fits(&raw, CRC_OFFSET)? {
                return Err(damaged(format!("the checksum of inode {number} does not fit")));
            }
            if fields.u64(152)? != number || fields.array::<16>(160)? != superblock.meta_uuid {
                return Err(damaged(format!("another inode stands where inode {number} should be")));
            }
        }
        let flags2 = if version == 3 { fields.u64(120)? } else { 0 };
        let (data_extents, attribute_extents) = extent_counts(fields, flags2)?;
        let start = if version == 3 { CORE_BYTES_3 } else { CORE_BYTES_2 };
        let split = match usize::from(fields.u8(82)?) {
            0 => raw.len(),
            units => start + units * 8,
        };
        if split > raw.len() {
            return Err(damaged(format!("the attributes of inode {number} begin outside of it")));
        }
        let data = Fork { format: Format::new(fields.u8(5)?)?, extents: data_extents, range: start..split };
        let attributes = if split == raw.len() {
            None
        } else {
            let format = Format::new(fields.u8(83)?)?;
            Some(Fork { format, extents: attribute_extents, range: split..raw.len() })
        };
        let node = parse_node(fields, version, flags2, &data).map_err(|error| about(error, number))?;
        let is_realtime = fields.u16(90)? & IS_REALTIME != 0 && node.kind == Kind::File;
        Ok(Self { number, node, data, attributes, is_realtime, raw })
    }

    /// Returns the bytes of a fork.
    pub(crate) fn fork_bytes(&self, fork: &Fork) -> &[u8] {
        self.raw.get(fork.range.clone()).unwrap_or_default()
    }

    /// Returns the content of a fork that holds its bytes itself.
    pub(crate) fn local_bytes(&self) -> Result<&[u8], FsError> {
        usize::try_from(self.node.bytes)
            .ok()
            .and_then(|bytes| self.fork_bytes(&self.data).get(..bytes))
            .ok_or_else(|| damaged(format!("inode {} holds more than it has room for", self.number)))
    }
}

/// Puts the number of the inode into an error.
fn about(error: FsError, number: u64) -> FsError {
    match error {
        FsError::Damaged { what, .. } => damaged(format!("inode {number}: {what}")),
        other => other,
    }
}

/// Returns how many extents the two forks have.
fn extent_counts(fields: Fields<'_>, flags2: u64) -> Result<(u64, u64), FsError> {
    if flags2 & HAS_BIG_COUNTS == 0 {
        Ok((u64::from(fields.u32(76)?), u64::from(fields.u16(80)?)))
    } else {
        Ok((fields.u64(24)?, u64::from(fields.u32(76)?)))
    }
}

/// Reads what is known of the node.
fn parse_node(fields: Fields<'_>, version: u8, flags2: u64, data: &Fork) -> Result<Node, FsError> {
    let mode = fields.u16(2)?;
    let kind = kind_of(mode)?;
    let fits = match kind {
        Kind::File => matches!(data.format, Format::Extents | Format::Tree),
        Kind::Folder | Kind::Link => data.format != Format::Device,
        Kind::Pipe | Kind::Socket | Kind::CharDevice | Kind::BlockDevice => data.format == Format::Device,
    };
    if !fits {
        return Err(damaged("its kind and its format contradict each other"));
    }
    let has_device = matches!(kind, Kind::CharDevice | Kind::BlockDevice);
    let device = if has_device { Some(device_of(fields.u32(data.range.start)?)) } else { None };
    let bytes = fields.u64(56)?;
    if bytes > i64::MAX.unsigned_abs() {
        return Err(damaged("its size is beyond what any file has"));
    }
    Ok(Node {
        kind,
        mode: u32::from(mode & 0o7777),
        uid: fields.u32(8)?,
        gid: fields.u32(12)?,
        bytes,
        nlink: if version == 1 { u64::from(fields.u16(6)?) } else { u64::from(fields.u32(16)?) },
        modified: time_of(fields, 40, flags2)?,
        changed: time_of(fields, 48, flags2)?,
        accessed: time_of(fields, 32, flags2)?,
        born: if version == 3 { Some(time_of(fields, 144, flags2)?) } else { None },
        device,
    })
}

fn kind_of(mode: u16) -> Result<Kind, FsError> {
    match mode >> 12 {
        0o01 => Ok(Kind::Pipe),
        0o02 => Ok(Kind::CharDevice),
        0o04 => Ok(Kind::Folder),
        0o06 => Ok(Kind::BlockDevice),
        0o10 => Ok(Kind::File),
        0o12 => Ok(Kind::Link),
        0o14 => Ok(Kind::Socket),
        0 => Err(damaged("it is not in use")),
        other => Err(damaged(format!("it is of the unknown kind {other:o}"))),
    }
}

/// Splits the number of a device: 14 bits of major, 18 bits of minor.
fn device_of(number: u32) -> (u32, u32) {
    (number >> 18 & 0x3fff, number & 0x3_ffff)
}

/// Reads a time: two 32-bit numbers, or one wide number of nanoseconds.
fn time_of(fields: Fields<'_>, offset: usize, flags2: u64) -> Result<(i64, u32), FsError> {
    if flags2 & HAS_BIG_TIME == 0 {
        let seconds = i32::from_be_bytes(fields.array(offset)?);
        return Ok((i64::from(seconds), fields.u32(offset + 4)?));
    }
    let wide = fields.u64(offset)?;
    let seconds = i64::try_from(wide / NANOSECONDS).unwrap_or(0) + BIG_TIME_START;
    Ok((seconds, u32::try_from(wide % NANOSECONDS).unwrap_or(0)))
}
