//! The superblock: where everything is, and which features are in use.

use amint_fs::FsError;

use crate::fields::{Fields, KIND, damaged};
use crate::header::checksum_fits;

/// `XFSB`.
pub(crate) const MAGIC: u32 = 0x5846_5342;
/// Bytes of the superblock that are read here.
pub(crate) const SUPERBLOCK_BYTES: usize = 264;
/// The largest sector, in bytes.
pub(crate) const SECTOR_BYTES_MAX: usize = 32 * 1024;
/// The largest block of a file system or of a folder, in bytes.
const BLOCK_BYTES_MAX: u32 = 64 * 1024;
/// Where the checksum is.
const CRC_OFFSET: usize = 224;

/// Bits of the version field.
const VERSION_MASK: u16 = 0x000f;
const HAS_DIRECTORIES_2: u16 = 0x2000;
const HAS_MORE_BITS: u16 = 0x8000;
/// Bit of the second feature field (version 4): entries of folders tell the kind.
const HAS_FILE_TYPES_4: u32 = 0x200;
/// Bits of the incompatible features (version 5).
const FILE_TYPES: u32 = 1;
const META_UUID: u32 = 1 << 2;
const NEEDS_REPAIR: u32 = 1 << 4;
/// File types, sparse inodes, meta UUID, big time, needs repair, 64-bit extent counts, exchange of ranges, and parent
/// pointers: all that this reader knows.
const INCOMPATIBLE_KNOWN: u32 = 0xff;
/// Bits of the log features: logged attribute changes.
const LOG_KNOWN: u32 = 1;

/// What the superblock says.
#[derive(Clone, Debug)]
pub(crate) struct Superblock {
    pub(crate) block_bytes: u32,
    pub(crate) block_log: u8,
    pub(crate) sector_bytes: u16,
    pub(crate) inode_bytes: u16,
    pub(crate) inodes_per_block_log: u8,
    pub(crate) blocks: u64,
    pub(crate) ag_blocks: u32,
    pub(crate) ag_count: u32,
    pub(crate) ag_blocks_log: u8,
    pub(crate) root: u64,
    /// First block of the journal; 0 for a journal on another device.
    pub(crate) log_start: u64,
    pub(crate) log_blocks: u32,
    /// The id that the user sees.
    pub(crate) uuid: [u8; 16],
    /// The id that blocks carry.
    pub(crate) meta_uuid: [u8; 16],
    pub(crate) label: Vec<u8>,
    /// Whether it is version 5, with checksums.
    pub(crate) has_checksums: bool,
    /// Whether names in folders tell the kind.
    pub(crate) has_file_types: bool,
    pub(crate) directory_block_bytes: u32,
    /// Whether a tool left word that the file system must be repaired.
    pub(crate) needs_repair: bool,
    /// Features of the journal that this reader does not know.
    pub(crate) log_unknown: u32,
}

impl Superblock {
    /// Reads the superblock from the first sector; `is_trusted` says that its checksum need not fit.
    pub(crate) fn parse(sector: &[u8], is_trusted: bool) -> Result<Self, FsError> {
        let fields = Fields(sector);
        if fields.u32(0).ok() != Some(MAGIC) {
            return Err(FsError::NotThis(KIND));
        }
        let version_bits = fields.u16(100)?;
        let version = version_bits & VERSION_MASK;
        if !matches!(version, 4 | 5) {
            return Err(unsupported(format!("version {version} of the format")));
        }
        let has_checksums = version == 5;
        let sector_bytes = fields.u16(102)?;
        if has_checksums && !is_trusted {
            let whole = fields.slice(0, usize::from(sector_bytes))?;
            if !checksum_fits(whole, CRC_OFFSET)? {
                return Err(damaged("the checksum of the superblock does not fit"));
            }
        }
        if has_checksums {
            refuse_unknown(fields.u32(216)?)?;
        } else if version_bits & HAS_DIRECTORIES_2 == 0 {
            return Err(unsupported("folders of version 1".to_owned()));
        }
        let features2 = if version_bits & HAS_MORE_BITS == 0 { 0 } else { fields.u32(200)? };
        let incompatible = if has_checksums { fields.u32(216)? } else { 0 };
        let uuid = fields.array(32)?;
        let block_bytes = fields.u32(4)?;
        let superblock = Self {
            block_bytes,
            block_log: fields.u8(120)?,
            sector_bytes,
            inode_bytes: fields.u16(104)?,
            inodes_per_block_log: fields.u8(123)?,
            blocks: fields.u64(8)?,
            ag_blocks: fields.u32(84)?,
            ag_count: fields.u32(88)?,
            ag_blocks_log: fields.u8(124)?,
            root: fields.u64(56)?,
            log_start: fields.u64(48)?,
            log_blocks: fields.u32(96)?,
            uuid,
            meta_uuid: if incompatible & META_UUID == 0 { uuid } else { fields.array(248)? },
            label: fields.slice(108, 12)?.iter().copied().take_while(|byte| *byte != 0).collect(),
            has_checksums,
            has_file_types: incompatible & FILE_TYPES != 0 || features2 & HAS_FILE_TYPES_4 != 0,
            directory_block_bytes: block_bytes.checked_shl(u32::from(fields.u8(192)?)).unwrap_or(0),
            needs_repair: incompatible & NEEDS_REPAIR != 0,
            log_unknown: if has_checksums { fields.u32(220)? & !LOG_KNOWN } else { 0 },
        };
        if fields.u8(126)? != 0 {
            return Err(damaged("it was never finished by mkfs"));
        }
        superblock.check()?;
        Ok(superblock)
    }

    /// Makes sure that the geometry holds together, so that later sums cannot overflow.
    fn check(&self) -> Result<(), FsError> {
        let is_power = |value: u64, log: u8| 1_u64.checked_shl(u32::from(log)) == Some(value);
        let block_bytes = u64::from(self.block_bytes);
        let ag_blocks = u64::from(self.ag_blocks);
        let all_but_last = u64::from(self.ag_count).saturating_sub(1).checked_mul(ag_blocks);
        let fits = (512..=BLOCK_BYTES_MAX).contains(&self.block_bytes)
            && is_power(block_bytes, self.block_log)
            && self.sector_bytes.is_power_of_two()
            && (512..=SECTOR_BYTES_MAX).contains(&usize::from(self.sector_bytes))
            && u32::from(self.sector_bytes) <= self.block_bytes
            && self.inode_bytes.is_power_of_two()
            && (256..=2048).contains(&self.inode_bytes)
            && is_power(block_bytes / u64::from(self.inode_bytes), self.inodes_per_block_log)
            && ag_blocks >= 64
            && self.ag_blocks_log <= 31
            && ag_blocks.next_power_of_two() == 1 << self.ag_blocks_log
            && all_but_last.is_some_and(|blocks| blocks < self.blocks && self.blocks - blocks <= ag_blocks)
            && self.blocks.checked_mul(block_bytes).is_some_and(|bytes| bytes <= i64::MAX.unsigned_abs())
            && self.directory_block_bytes >= self.block_bytes
            && self.directory_block_bytes <= BLOCK_BYTES_MAX;
        if fits { Ok(()) } else { Err(damaged("the sizes in the superblock contradict each other")) }
    }

    /// Returns the size of the file system in bytes.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.blocks.saturating_mul(u64::from(self.block_bytes))
    }

    /// Returns how many blocks an allocation group has.
    pub(crate) fn ag_length(&self, group: u32) -> u64 {
        let start = u64::from(group).saturating_mul(u64::from(self.ag_blocks));
        self.blocks.saturating_sub(start).min(u64::from(self.ag_blocks))
    }

    /// Returns where `count` blocks of an allocation group begin, in bytes.
    pub(crate) fn ag_block_offset(&self, group: u32, block: u64, count: u64) -> Result<u64, FsError> {
        let end = block.checked_add(count);
        if group >= self.ag_count || end.is_none_or(|end| end > self.ag_length(group)) {
            return Err(damaged(format!("block {block} of group {group} lies outside of it")));
        }
        let linear = u64::from(group).saturating_mul(u64::from(self.ag_blocks)).saturating_add(block);
        Ok(linear.saturating_mul(u64::from(self.block_bytes)))
    }

    /// Returns where `count` blocks begin, in bytes. Numbers of blocks hold the allocation group in their upper bits.
    pub(crate) fn block_offset(&self, block: u64, count: u64) -> Result<u64, FsError> {
        let group = u32::try_from(block >> self.ag_blocks_log)
            .map_err(|_| damaged(format!("block {block} lies outside of it")))?;
        self.ag_block_offset(group, block & ((1 << self.ag_blocks_log) - 1), count)
    }

    /// Returns where an inode is, in bytes.
    pub(crate) fn inode_offset(&self, number: u64) -> Result<u64, FsError> {
        let index = number & ((1 << self.inodes_per_block_log) - 1);
        let block = self.block_offset(number >> self.inodes_per_block_log, 1)?;
        Ok(block + index * u64::from(self.inode_bytes))
    }
}

/// Makes the error for what this reader does not know.
pub(crate) fn unsupported(feature: String) -> FsError {
    FsError::Unsupported { filesystem: KIND, feature }
}

/// Refuses features that change the format in ways unknown here.
fn refuse_unknown(incompatible: u32) -> Result<(), FsError> {
    match incompatible & !INCOMPATIBLE_KNOWN {
        0 => Ok(()),
        0x100 => Err(unsupported("a folder for metadata (metadir)".to_owned())),
        unknown => Err(unsupported(format!("incompatible features {unknown:#x}"))),
    }
}
