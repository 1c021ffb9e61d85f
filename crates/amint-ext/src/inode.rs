//! Inodes (`Documentation/filesystems/ext4/inodes.rst`).

use amint_fs::{FsError, Kind, Node};

use crate::bytes::{Fields, join, join_small};
use crate::checksum;
use crate::error::{bad_checksum, damaged};
use crate::feature::incompatible;
use crate::group::Group;
use crate::volume::{Bytes, Volume};

/// The topmost folder.
pub(crate) const ROOT: u32 = 2;
/// The part that every inode has.
const OLD_BYTES: u64 = 128;
/// Where the block map is, and how long it is.
const MAP_OFFSET: usize = 0x28;
/// Bytes of the block map, or of what takes its place.
pub(crate) const MAP_BYTES: usize = 60;

/// Bits of `i_flags`.
pub(crate) mod flag {
    /// The content is encrypted, or the names.
    pub(crate) const ENCRYPT: u32 = 0x800;
    /// The folder has an index.
    pub(crate) const INDEX: u32 = 0x1000;
    /// The map is a tree of extents.
    pub(crate) const EXTENTS: u32 = 0x8_0000;
    /// The inode holds the value of an attribute.
    pub(crate) const EA_INODE: u32 = 0x20_0000;
    /// The content is in the inode itself.
    pub(crate) const INLINE: u32 = 0x1000_0000;
}

/// An inode, its checksum verified.
#[derive(Clone, Debug)]
pub(crate) struct Inode {
    pub(crate) number: u32,
    pub(crate) mode: u16,
    pub(crate) links: u16,
    pub(crate) flags: u32,
    pub(crate) size_bytes: u64,
    pub(crate) deleted_at: u32,
    /// The block with attributes, or 0.
    pub(crate) attribute_block: u64,
    /// The seed of the checksums of what belongs to it.
    pub(crate) seed: u32,
    /// How many bytes behind the old part are in use by fields.
    extra_bytes: u64,
    bytes: Bytes,
}

impl Inode {
    /// Reads an inode, in use or not.
    pub(crate) fn read(volume: &Volume, number: u32) -> Result<Self, FsError> {
        let superblock = &volume.superblock;
        let place = number.checked_sub(1).filter(|place| *place < superblock.inode_count);
        let place = place.ok_or_else(|| damaged(format!("inode {number}, which does not exist")))?;
        let group = Group::read(volume, u64::from(place / superblock.inodes_per_group))?;
        let within = u64::from(place % superblock.inodes_per_group) * superblock.inode_bytes;
        let block = group.inode_table.saturating_add(within / superblock.block_bytes);
        superblock.check_blocks(block, 1)?;
        let offset = block * superblock.block_bytes + within % superblock.block_bytes;
        Self::parse(volume, number, volume.metadata(offset, superblock.inode_bytes)?)
    }

    /// Reads an inode that is in use.
    pub(crate) fn read_used(volume: &Volume, number: u32) -> Result<Self, FsError> {
        let inode = Self::read(volume, number)?;
        if inode.mode == 0 || inode.links == 0 {
            return Err(damaged(format!("inode {number} is not in use")));
        }
        Ok(inode)
    }

    fn parse(volume: &Volume, number: u32, bytes: Bytes) -> Result<Self, FsError> {
        let superblock = &volume.superblock;
        let fields = Fields::new(&bytes, "an inode");
        let has_extra = superblock.inode_bytes > OLD_BYTES;
        let extra_bytes = if has_extra { u64::from(fields.u16(0x80)?) } else { 0 };
        if extra_bytes % 4 != 0 || OLD_BYTES + extra_bytes > superblock.inode_bytes {
            return Err(damaged(format!("inode {number} has {extra_bytes} bytes of further fields")));
        }
        let mode = fields.u16(0)?;
        let is_large =
            mode & 0xF000 == 0x8000 || superblock.features.has_incompatible(incompatible::LARGE_DIR);
        let size_bytes = join(fields.u32(0x4)?, if is_large { fields.u32(0x6C)? } else { 0 });
        let is_64 = superblock.features.has_incompatible(incompatible::BITS_64);
        let inode = Self {
            number,
            mode,
            links: fields.u16(0x1A)?,
            flags: fields.u32(0x20)?,
            size_bytes,
            deleted_at: fields.u32(0x14)?,
            attribute_block: join(fields.u32(0x68)?, if is_64 { u32::from(fields.u16(0x76)?) } else { 0 }),
            seed: superblock.inode_seed(number, fields.u32(0x64)?),
            extra_bytes,
            bytes,
        };
        if superblock.has_metadata_checksums() {
            inode.verify()?;
        }
        if i64::try_from(size_bytes).is_err() {
            return Err(damaged(format!("inode {number} has {size_bytes} bytes")));
        }
        Ok(inode)
    }

    /// Verifies the inode's own checksum.
    fn verify(&self) -> Result<(), FsError> {
        let fields = self.fields();
        let (low, high) =
            (fields.u16(0x7C)?, if self.has_extra(0x82, 2) { Some(fields.u16(0x82)?) } else { None });
        let old = fields.slice(0, 0x80)?;
        let mut sum = checksum::extend_around(self.seed, old, 0x7C, 2);
        if self.bytes.len() > 0x80 {
            let rest = fields.slice(0x80, self.bytes.len() - 0x80)?;
            sum = checksum::extend_around(sum, rest, 0x2, if high.is_some() { 2 } else { 0 });
        }
        if checksum::fits_halves(sum, low, high) {
            Ok(())
        } else {
            Err(bad_checksum(format!("inode {}", self.number)))
        }
    }

    /// Returns all bytes of the inode.
    pub(crate) fn fields(&self) -> Fields<'_> {
        Fields::new(&self.bytes, "an inode")
    }

    /// Returns the block map, or what takes its place.
    pub(crate) fn map(&self) -> Result<[u8; MAP_BYTES], FsError> {
        self.fields().array(MAP_OFFSET)
    }

    /// Returns what lies behind the fields: attributes.
    pub(crate) fn tail(&self) -> &[u8] {
        let start = usize::try_from(OLD_BYTES + self.extra_bytes).unwrap_or(usize::MAX);
        // Without room for further fields there is no room for attributes either.
        if self.bytes.len() as u64 <= OLD_BYTES || self.extra_bytes == 0 {
            return &[];
        }
        self.bytes.get(start..).unwrap_or_default()
    }

    /// Tells whether it has a flag.
    pub(crate) fn has(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    /// Tells whether a field behind the old part is in use.
    fn has_extra(&self, at: u64, bytes: u64) -> bool {
        self.bytes.len() as u64 > OLD_BYTES && at + bytes <= OLD_BYTES + self.extra_bytes
    }

    /// Returns what kind of thing it is.
    pub(crate) fn kind(&self) -> Result<Kind, FsError> {
        match self.mode >> 12 {
            0x1 => Ok(Kind::Pipe),
            0x2 => Ok(Kind::CharDevice),
            0x4 => Ok(Kind::Folder),
            0x6 => Ok(Kind::BlockDevice),
            0x8 => Ok(Kind::File),
            0xA => Ok(Kind::Link),
            0xC => Ok(Kind::Socket),
            other => Err(damaged(format!("inode {} is of the unknown kind {other}", self.number))),
        }
    }

    /// Refuses what is of another kind.
    pub(crate) fn require(&self, kind: Kind, name: &'static str) -> Result<(), FsError> {
        if self.kind()? == kind { Ok(()) } else { Err(FsError::WrongKind(name)) }
    }

    /// Reads a time: seconds at one place, two more bits and nanoseconds at another.
    fn time(&self, seconds_at: usize, extra_at: u16) -> Result<(i64, u32), FsError> {
        let fields = self.fields();
        let seconds = i64::from(i32::from_le_bytes(fields.array(seconds_at)?));
        if !self.has_extra(u64::from(extra_at), 4) {
            return Ok((seconds, 0));
        }
        let extra = fields.u32(usize::from(extra_at))?;
        Ok((seconds + (i64::from(extra & 0x3) << 32), extra >> 2))
    }

    /// Returns major and minor number: 8 bits each in the first field, or 12 and 20 bits in the second.
    fn device(&self) -> Result<(u32, u32), FsError> {
        let fields = self.fields();
        let old = fields.u32(MAP_OFFSET)?;
        if old != 0 {
            return Ok((old >> 8 & 0xFF, old & 0xFF));
        }
        let new = fields.u32(MAP_OFFSET + 4)?;
        Ok((new >> 8 & 0xFFF, new & 0xFF | new >> 12 & 0xF_FF00))
    }

    /// Returns what is known of it.
    pub(crate) fn node(&self) -> Result<Node, FsError> {
        let fields = self.fields();
        let kind = self.kind()?;
        let is_device = matches!(kind, Kind::CharDevice | Kind::BlockDevice);
        let born = self.has_extra(0x90, 4).then(|| self.time(0x90, 0x94)).transpose()?;
        Ok(Node {
            kind,
            mode: u32::from(self.mode & 0o7777),
            uid: join_small(fields.u16(0x2)?, fields.u16(0x78)?),
            gid: join_small(fields.u16(0x18)?, fields.u16(0x7A)?),
            bytes: self.size_bytes,
            nlink: u64::from(self.links),
            modified: self.time(0x10, 0x88)?,
            changed: self.time(0xC, 0x84)?,
            accessed: self.time(0x8, 0x8C)?,
            born,
            device: if is_device { Some(self.device()?) } else { None },
        })
    }
}
