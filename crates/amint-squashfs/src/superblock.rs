//! The superblock: 96 bytes at the start.

use amint_fs::FsError;
use amint_types::ReadAt;

use crate::bytes::{u16_at, u32_at, u64_at};
use crate::compression::Compression;
use crate::error::{KIND, damaged, unsupported};

const SUPERBLOCK_BYTES: usize = 96;
const MAGIC: &[u8; 4] = b"hsqs";
/// What the first versions wrote on machines of the other byte order.
const MAGIC_SWAPPED: &[u8; 4] = b"sqsh";
/// The position of a table that is not there.
const NONE: u64 = u64::MAX;

/// What the superblock says.
#[derive(Clone, Debug)]
pub(crate) struct Superblock {
    pub(crate) block_bytes: u32,
    pub(crate) fragment_count: u32,
    pub(crate) compression: Compression,
    pub(crate) id_count: u16,
    /// Where the inode of the topmost folder is.
    pub(crate) root: u64,
    pub(crate) used_bytes: u64,
    pub(crate) id_table: u64,
    pub(crate) xattr_table: Option<u64>,
    pub(crate) inode_table: u64,
    pub(crate) directory_table: u64,
    pub(crate) fragment_table: Option<u64>,
}

/// Tells whether a squashfs of any version is there.
pub(crate) fn is_there(source: &dyn ReadAt) -> bool {
    let mut magic = [0; 4];
    source.read_exact_at(0, &mut magic).is_ok() && (magic == *MAGIC || magic == *MAGIC_SWAPPED)
}

impl Superblock {
    /// Reads and checks the superblock.
    pub(crate) fn read(source: &dyn ReadAt) -> Result<Self, FsError> {
        let mut bytes = [0; SUPERBLOCK_BYTES];
        if source.size_bytes() < SUPERBLOCK_BYTES as u64 {
            return Err(FsError::NotThis(KIND));
        }
        source.read_exact_at(0, &mut bytes)?;
        if bytes.starts_with(MAGIC_SWAPPED) {
            return Err(unsupported("big-endian numbers, as only old versions do"));
        }
        if !bytes.starts_with(MAGIC) {
            return Err(FsError::NotThis(KIND));
        }
        let short = |at| u16_at(&bytes, at).unwrap_or(0);
        let word = |at| u32_at(&bytes, at).unwrap_or(0);
        let long = |at| u64_at(&bytes, at).unwrap_or(0);
        let optional = |at| Some(long(at)).filter(|place| *place != NONE);
        if (short(28), short(30)) != (4, 0) {
            return Err(unsupported(format!("version {}.{}", short(28), short(30))));
        }
        let compression = Compression::from_number(short(20))
            .ok_or_else(|| unsupported(format!("compression of kind {}", short(20))))?;
        let block_bytes = word(12);
        let is_sound = (12..=20).contains(&short(22)) && block_bytes == 1 << short(22);
        if !is_sound {
            return Err(damaged(format!("blocks of {block_bytes} bytes")));
        }
        Ok(Self {
            block_bytes,
            fragment_count: word(16),
            compression,
            id_count: short(26),
            root: long(32),
            used_bytes: long(40),
            id_table: long(48),
            xattr_table: optional(56),
            inode_table: long(64),
            directory_table: long(72),
            fragment_table: optional(80).filter(|_| word(16) > 0),
        })
    }
}
