//! The superblock of a journal: its first block, big-endian.

use amint_fs::FsError;

use crate::bytes::Fields;
use crate::checksum;
use crate::error::{bad_checksum, damaged, unsupported};

/// What every block of the journal itself begins with.
pub(super) const MAGIC: u32 = 0xC03B_3998;
/// The part of the block that the superblock takes.
const BYTES: usize = 1024;
const CHECKSUM_OFFSET: usize = 0xFC;
/// Blocks for fast commits when the superblock does not say.
const FAST_BLOCKS_DEFAULT: u32 = 256;
/// The smallest log beside fast commits.
const LOG_BLOCKS_MIN: u32 = 1024;
const COMPAT_CHECKSUM: u32 = 0x1;
const INCOMPAT_REVOKE: u32 = 0x1;
const INCOMPAT_64BIT: u32 = 0x2;
const INCOMPAT_ASYNC_COMMIT: u32 = 0x4;
const INCOMPAT_CSUM_V2: u32 = 0x8;
const INCOMPAT_CSUM_V3: u32 = 0x10;
const INCOMPAT_FAST_COMMIT: u32 = 0x20;
const INCOMPAT_KNOWN: u32 = INCOMPAT_REVOKE
    | INCOMPAT_64BIT
    | INCOMPAT_ASYNC_COMMIT
    | INCOMPAT_CSUM_V2
    | INCOMPAT_CSUM_V3
    | INCOMPAT_FAST_COMMIT;

/// Which checksums a journal has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Checksums {
    /// None.
    None,
    /// Each commit has a CRC-32 of all blocks of its transaction.
    OfTransactions,
    /// Every block has one; those of logged blocks are cut to 16 bits.
    Version2,
    /// Every block has one.
    Version3,
}

/// What the superblock of a journal says.
#[derive(Clone, Debug)]
pub(super) struct JournalSuperblock {
    /// The first block of the log.
    pub(super) first: u32,
    /// The block behind the log.
    pub(super) end: u32,
    /// Blocks behind the log that are for fast commits; the first of them stays unused.
    pub(super) fast_blocks: u32,
    /// The number of the first transaction that is to be replayed.
    pub(super) sequence: u32,
    /// The block where it begins; 0 when there is nothing to replay.
    pub(super) start: u32,
    pub(super) checksums: Checksums,
    pub(super) is_64: bool,
    /// Commits may be written before what they commit, so that one that does not fit is none.
    pub(super) is_asynchronous: bool,
    pub(super) seed: u32,
}

impl JournalSuperblock {
    /// Reads the superblock of a journal of `block_count` blocks.
    pub(super) fn parse(block: &[u8], block_count: u64) -> Result<Self, FsError> {
        let fields = Fields::new(block, "the superblock of the journal");
        let (magic, kind) = (fields.u32_big(0)?, fields.u32_big(0x4)?);
        if magic != MAGIC || !matches!(kind, 3 | 4) {
            return Err(damaged("the journal has no superblock"));
        }
        let feature = |at| if kind == 4 { fields.u32_big(at) } else { Ok(0) };
        let (compat, incompat) = (feature(0x24)?, feature(0x28)?);
        if incompat & !INCOMPAT_KNOWN != 0 {
            return Err(unsupported(format!("a journal with the feature {:#x}", incompat & !INCOMPAT_KNOWN)));
        }
        let checksums = if incompat & INCOMPAT_CSUM_V3 != 0 {
            Checksums::Version3
        } else if incompat & INCOMPAT_CSUM_V2 != 0 {
            Checksums::Version2
        } else if compat & COMPAT_CHECKSUM != 0 {
            Checksums::OfTransactions
        } else {
            Checksums::None
        };
        if matches!(checksums, Checksums::Version2 | Checksums::Version3) {
            verify(&fields)?;
        }
        if usize::try_from(fields.u32_big(0xC)?).ok() != Some(block.len()) {
            return Err(damaged("the journal has blocks of another size"));
        }
        let length = fields.u32_big(0x10)?;
        let fast_blocks = match incompat & INCOMPAT_FAST_COMMIT {
            0 => 0,
            _ => Some(fields.u32_big(0x54)?).filter(|count| *count > 0).unwrap_or(FAST_BLOCKS_DEFAULT),
        };
        // The kernel leaves the log at least so many blocks, or gives the other kind none.
        let fast_blocks = if length.saturating_sub(fast_blocks) < LOG_BLOCKS_MIN { 0 } else { fast_blocks };
        let superblock = Self {
            first: fields.u32_big(0x14)?,
            end: length.saturating_sub(fast_blocks),
            fast_blocks,
            sequence: fields.u32_big(0x18)?,
            start: fields.u32_big(0x1C)?,
            checksums,
            is_64: incompat & INCOMPAT_64BIT != 0,
            is_asynchronous: incompat & INCOMPAT_ASYNC_COMMIT != 0,
            seed: checksum::of(fields.slice(0x30, 16)?),
        };
        let log = superblock.first..superblock.end;
        if u64::from(length) > block_count
            || log.start == 0
            || log.is_empty()
            || superblock.start != 0 && !log.contains(&superblock.start)
        {
            return Err(damaged("the journal has a log that leaves it"));
        }
        Ok(superblock)
    }
}

/// Verifies the superblock's own checksum.
fn verify(fields: &Fields<'_>) -> Result<(), FsError> {
    let kind = fields.u8(0x50)?;
    if kind != 4 {
        return Err(unsupported(format!("a journal with checksums of kind {kind}")));
    }
    let sum = checksum::extend_around(!0, fields.slice(0, BYTES)?, CHECKSUM_OFFSET, 4);
    if sum != fields.u32_big(CHECKSUM_OFFSET)? {
        return Err(bad_checksum("the superblock of the journal"));
    }
    Ok(())
}
