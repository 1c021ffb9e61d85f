//! The blocks of a log: descriptors, commits, revocations.

use amint_fs::FsError;

use crate::bytes::Fields;
use crate::checksum;

use super::superblock::{Checksums, JournalSuperblock};

/// Bytes of the header of each block: magic, kind, sequence.
const HEADER_BYTES: usize = 12;
/// Bytes at the end of descriptors and revocations that hold their checksum.
const TAIL_BYTES: usize = 4;
/// Where a commit has its checksum.
const COMMIT_CHECKSUM_OFFSET: usize = 0x10;
/// Bytes of the id of a file system behind a tag that has its own.
const UUID_BYTES: usize = 16;

/// The first bytes of the block look like the journal's own and were replaced.
const FLAG_ESCAPED: u32 = 0x1;
/// No id follows.
const FLAG_SAME_UUID: u32 = 0x2;
/// The last tag of the descriptor.
const FLAG_LAST: u32 = 0x8;

/// What a descriptor says of one logged block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag {
    /// Where the block belongs.
    pub(super) block: u64,
    pub(super) is_escaped: bool,
    /// As far as the format keeps it.
    checksum: u32,
}

impl JournalSuperblock {
    /// Tells whether every block has a checksum.
    pub(super) fn has_block_checksums(&self) -> bool {
        matches!(self.checksums, Checksums::Version2 | Checksums::Version3)
    }

    /// Returns how many bytes one tag has, without an id.
    fn tag_bytes(&self) -> usize {
        match (self.checksums, self.is_64) {
            (Checksums::Version3, _) => 16,
            // Two bytes that nothing uses.
            (Checksums::Version2, true) => 14,
            (Checksums::Version2, false) => 10,
            (_, true) => 12,
            (_, false) => 8,
        }
    }

    /// Returns the tags of a descriptor, in order.
    pub(super) fn tags(&self, descriptor: &[u8]) -> Result<Vec<Tag>, FsError> {
        let fields = Fields::new(descriptor, "a descriptor of the journal");
        let end = descriptor.len() - if self.has_block_checksums() { TAIL_BYTES } else { 0 };
        let (tag_bytes, mut at) = (self.tag_bytes(), HEADER_BYTES);
        let mut tags = Vec::new();
        while at + tag_bytes <= end {
            let is_version_3 = self.checksums == Checksums::Version3;
            let flags = if is_version_3 { fields.u32_big(at + 4)? } else { fields.u16_big(at + 6)?.into() };
            let high = if self.is_64 { fields.u32_big(at + 8)? } else { 0 };
            let checksum =
                if is_version_3 { fields.u32_big(at + 12)? } else { fields.u16_big(at + 4)?.into() };
            tags.push(Tag {
                block: u64::from(fields.u32_big(at)?) | u64::from(high) << 32,
                is_escaped: flags & FLAG_ESCAPED != 0,
                checksum,
            });
            at += tag_bytes + if flags & FLAG_SAME_UUID == 0 { UUID_BYTES } else { 0 };
            if flags & FLAG_LAST != 0 {
                break;
            }
        }
        Ok(tags)
    }

    /// Tells whether a logged block is the one that its tag was written for.
    pub(super) fn tag_fits(&self, tag: Tag, sequence: u32, logged: &[u8]) -> bool {
        let sum = || checksum::extend(checksum::extend(self.seed, &sequence.to_be_bytes()), logged);
        match self.checksums {
            Checksums::Version3 => sum() == tag.checksum,
            Checksums::Version2 => sum() & 0xFFFF == tag.checksum,
            Checksums::None | Checksums::OfTransactions => true,
        }
    }

    /// Tells whether a descriptor or a revocation fits the checksum at its end.
    pub(super) fn tail_fits(&self, block: &[u8]) -> Result<bool, FsError> {
        if !self.has_block_checksums() {
            return Ok(true);
        }
        let place = block.len().saturating_sub(TAIL_BYTES);
        let kept = Fields::new(block, "a block of the journal").u32_big(place)?;
        Ok(checksum::extend_around(self.seed, block, place, TAIL_BYTES) == kept)
    }

    /// Tells whether a commit fits its own checksum; `blocks_sum` is the CRC-32 of the blocks of its transaction.
    pub(super) fn commit_fits(&self, commit: &[u8], blocks_sum: u32) -> Result<bool, FsError> {
        let fields = Fields::new(commit, "a commit of the journal");
        let kept = fields.u32_big(COMMIT_CHECKSUM_OFFSET)?;
        Ok(match self.checksums {
            Checksums::None => true,
            Checksums::OfTransactions => {
                let form = (fields.u8(0xC)?, fields.u8(0xD)?);
                form == (1, 4) && kept == blocks_sum || form == (0, 0) && kept == 0
            }
            Checksums::Version2 | Checksums::Version3 => {
                checksum::extend_around(self.seed, commit, COMMIT_CHECKSUM_OFFSET, 4) == kept
            }
        })
    }

    /// Returns the blocks that a revocation names.
    pub(super) fn revoked(&self, block: &[u8]) -> Result<Vec<u64>, FsError> {
        let fields = Fields::new(block, "a revocation of the journal");
        let end = usize::try_from(fields.u32_big(HEADER_BYTES)?).unwrap_or(usize::MAX);
        let record_bytes = if self.is_64 { 8 } else { 4 };
        // A count beyond the block is met by the end of the block.
        let records = fields.slice(0, end.min(block.len()))?.get(HEADER_BYTES + 4..).unwrap_or_default();
        records
            .chunks_exact(record_bytes)
            .map(|record| {
                let record = Fields::new(record, "a revocation of the journal");
                if self.is_64 { record.u64_big(0) } else { record.u32_big(0).map(u64::from) }
            })
            .collect()
    }
}

/// Returns when a transaction was committed: seconds since 1970.
pub(super) fn commit_time(commit: &[u8]) -> Result<u64, FsError> {
    Fields::new(commit, "a commit of the journal").u64_big(0x30)
}
