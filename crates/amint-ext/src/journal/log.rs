//! Going through a log as the kernel's recovery does: find its end, gather what was revoked, take what remains.

use std::collections::HashMap;

use amint_fs::FsError;

use crate::bytes::{Fields, index};
use crate::checksum;
use crate::error::{bad_checksum, damaged, over_limit};
use crate::mapping::Mapping;
use crate::volume::{Logged, Overlay, Volume};

use super::records::commit_time;
use super::superblock::{Checksums, JournalSuperblock, MAGIC};

const DESCRIPTOR: u32 = 1;
const COMMIT: u32 = 2;
const REVOCATION: u32 = 5;
/// How many blocks a log may replace or revoke: 16 GiB in blocks of 4 KiB, sixteen times the largest usual journal.
const BLOCKS_MAX: usize = 4 << 20;
/// The length of a journal.
const JOURNAL_BLOCKS_MAX: u64 = 10_240_000;
/// What the area of fast commits begins with, when it holds any.
const FAST_COMMIT_HEAD: u16 = 9;

/// What a log holds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Summary {
    /// Blocks that are read from the journal.
    pub(super) blocks: usize,
    /// Complete transactions.
    pub(super) transactions: u32,
    /// Whether fast commits follow the last transaction.
    pub(super) has_fast_commits: bool,
}

/// A journal being read.
pub(super) struct Log<'a> {
    volume: &'a Volume,
    mapping: Mapping<'a>,
    superblock: JournalSuperblock,
}

/// A place in the log.
#[derive(Clone, Copy, Debug)]
struct Cursor {
    block: u32,
    sequence: u32,
    /// Blocks before the log would begin anew.
    left: u32,
}

impl<'a> Log<'a> {
    /// Reads the superblock of a journal of `size_bytes`.
    pub(super) fn open(
        volume: &'a Volume,
        mut mapping: Mapping<'a>,
        size_bytes: u64,
    ) -> Result<Self, FsError> {
        let block_bytes = volume.superblock.block_bytes;
        let mut first = vec![0; index(block_bytes)?];
        let place = device_block(&mut mapping, 0)?;
        volume.read(place * block_bytes, &mut first)?;
        // No honest journal has more blocks than its file system, or than `mke2fs` allows.
        let block_count =
            (size_bytes / block_bytes).min(volume.superblock.block_count).min(JOURNAL_BLOCKS_MAX);
        let superblock = JournalSuperblock::parse(&first, block_count)?;
        Ok(Self { volume, mapping, superblock })
    }

    /// Finds which blocks are to be read from the journal.
    ///
    /// # Errors
    /// [`FsError::Damaged`] where a complete transaction does not fit its checksums: the kernel mounts no such thing.
    pub(super) fn replay(&mut self) -> Result<(Overlay, Summary), FsError> {
        if self.superblock.start == 0 {
            return Ok((Overlay::new(), Summary::default()));
        }
        let end = self.find_end()?;
        let revoked = self.revocations(end)?;
        let overlay = self.writes(end, &revoked)?;
        let summary = Summary {
            blocks: overlay.len(),
            transactions: end.wrapping_sub(self.superblock.sequence),
            has_fast_commits: self.has_fast_commits(end)?,
        };
        Ok((overlay, summary))
    }

    fn begin(&self) -> Cursor {
        let JournalSuperblock { first, end, start, sequence, .. } = self.superblock;
        Cursor { block: start, sequence, left: end - first }
    }

    /// Goes on by `count` blocks, around the end of the log.
    fn advance(&self, cursor: &mut Cursor, count: usize) -> Result<(), FsError> {
        let too_long = || damaged("the journal has a transaction that is longer than its log");
        let count = u32::try_from(count).map_err(|_| too_long())?;
        cursor.left = cursor.left.checked_sub(count).ok_or_else(too_long)?;
        cursor.block = self.wrapped(cursor.block, count);
        Ok(())
    }

    /// Returns the block `count` blocks behind one, where `count` is at most the length of the log.
    fn wrapped(&self, block: u32, count: u32) -> u32 {
        let (first, end) = (u64::from(self.superblock.first), u64::from(self.superblock.end));
        let block = u64::from(block) + u64::from(count);
        let block = if block >= end { first + (block - end) % (end - first) } else { block };
        u32::try_from(block).unwrap_or(self.superblock.first)
    }

    /// Reads a block of the journal.
    fn read(&mut self, block: u32) -> Result<Vec<u8>, FsError> {
        let block_bytes = self.volume.superblock.block_bytes;
        let place = device_block(&mut self.mapping, block.into())?;
        let mut bytes = vec![0; index(block_bytes)?];
        self.volume.read(place * block_bytes, &mut bytes)?;
        Ok(bytes)
    }

    /// Reads the next block of the log itself and its kind; none at the end.
    fn next(&mut self, cursor: &mut Cursor) -> Result<Option<(u32, Vec<u8>)>, FsError> {
        if cursor.left == 0 {
            return Ok(None);
        }
        let bytes = self.read(cursor.block)?;
        let fields = Fields::new(&bytes, "a block of the journal");
        let (magic, kind, sequence) = (fields.u32_big(0)?, fields.u32_big(4)?, fields.u32_big(8)?);
        if magic != MAGIC || sequence != cursor.sequence || !matches!(kind, DESCRIPTOR | COMMIT | REVOCATION)
        {
            return Ok(None);
        }
        self.advance(cursor, 1)?;
        Ok(Some((kind, bytes)))
    }

    /// Returns the number of the first transaction that is not complete.
    fn find_end(&mut self) -> Result<u32, FsError> {
        let mut cursor = self.begin();
        let (mut sum, mut last_time) = (!0, 0);
        // A block that does not fit may be left from an earlier round of the log; the time of its commit tells.
        let mut is_doubtful = false;
        while let Some((kind, bytes)) = self.next(&mut cursor)? {
            match kind {
                DESCRIPTOR => {
                    is_doubtful |= !self.superblock.tail_fits(&bytes)?;
                    let count = self.superblock.tags(&bytes)?.len();
                    let mut at = cursor;
                    // What leads behind the whole log cannot be complete.
                    if self.advance(&mut cursor, count).is_err() {
                        break;
                    }
                    if self.superblock.checksums == Checksums::OfTransactions {
                        sum = checksum::extend_32_big(sum, &bytes);
                        for _ in 0..count {
                            sum = checksum::extend_32_big(sum, &self.read(at.block)?);
                            self.advance(&mut at, 1)?;
                        }
                    }
                }
                COMMIT => {
                    let time = commit_time(&bytes)?;
                    if is_doubtful || !self.superblock.commit_fits(&bytes, sum)? {
                        if time < last_time || self.superblock.is_asynchronous && !is_doubtful {
                            break;
                        }
                        return Err(bad_checksum(format!("transaction {} of the journal", cursor.sequence)));
                    }
                    (sum, last_time) = (!0, time);
                    cursor.sequence = cursor.sequence.wrapping_add(1);
                }
                _ => is_doubtful |= !self.superblock.tail_fits(&bytes)?,
            }
        }
        Ok(cursor.sequence)
    }

    /// Gathers for each revoked block the last transaction that revoked it, as a distance from the first.
    fn revocations(&mut self, end: u32) -> Result<HashMap<u64, u32>, FsError> {
        let mut revoked = HashMap::new();
        let mut cursor = self.begin();
        while cursor.sequence != end {
            let Some((kind, bytes)) = self.next(&mut cursor)? else { return Err(changed()) };
            match kind {
                DESCRIPTOR => {
                    let count = self.superblock.tags(&bytes)?.len();
                    self.advance(&mut cursor, count)?;
                }
                COMMIT => cursor.sequence = cursor.sequence.wrapping_add(1),
                _ => {
                    let age = cursor.sequence.wrapping_sub(self.superblock.sequence);
                    for block in self.superblock.revoked(&bytes)? {
                        revoked.insert(block, age);
                    }
                }
            }
            if revoked.len() > BLOCKS_MAX {
                return Err(over_limit("a journal that revokes more blocks than any has"));
            }
        }
        Ok(revoked)
    }

    /// Gathers the last form of each block that was not revoked in the same transaction or later.
    fn writes(&mut self, end: u32, revoked: &HashMap<u64, u32>) -> Result<Overlay, FsError> {
        let mut overlay = Overlay::new();
        let mut cursor = self.begin();
        while cursor.sequence != end {
            let Some((kind, bytes)) = self.next(&mut cursor)? else { return Err(changed()) };
            if kind == COMMIT {
                cursor.sequence = cursor.sequence.wrapping_add(1);
            }
            if kind != DESCRIPTOR {
                continue;
            }
            let age = cursor.sequence.wrapping_sub(self.superblock.sequence);
            for tag in self.superblock.tags(&bytes)? {
                let place = cursor.block;
                self.advance(&mut cursor, 1)?;
                if revoked.get(&tag.block).is_some_and(|last| *last >= age) {
                    continue;
                }
                let is_checked = self.superblock.has_block_checksums();
                let logged = if is_checked { self.read(place)? } else { Vec::new() };
                if !self.superblock.tag_fits(tag, cursor.sequence, &logged) {
                    return Err(bad_checksum(format!("block {} in the journal", tag.block)));
                }
                self.volume.superblock.check_blocks(tag.block, 1)?;
                let block = device_block(&mut self.mapping, place.into())?;
                overlay.insert(tag.block, Logged { block, is_escaped: tag.is_escaped });
            }
            if overlay.len() > BLOCKS_MAX {
                return Err(over_limit("a journal that holds more blocks than any has"));
            }
        }
        Ok(overlay)
    }

    /// Tells whether fast commits follow transaction `end - 1`.
    fn has_fast_commits(&mut self, end: u32) -> Result<bool, FsError> {
        if self.superblock.fast_blocks < 2 {
            return Ok(false);
        }
        let bytes = self.read(self.superblock.end + 1)?;
        let fields = Fields::new(&bytes, "a fast commit");
        Ok(fields.u16(0)? == FAST_COMMIT_HEAD && fields.u32(8)? == end)
    }
}

/// Returns the block of the device that holds a block of the journal.
fn device_block(mapping: &mut Mapping<'_>, block: u64) -> Result<u64, FsError> {
    mapping.run_at(block)?.device.ok_or_else(|| damaged(format!("the journal has a hole at block {block}")))
}

/// The log reads otherwise than a moment ago.
fn changed() -> FsError {
    damaged("the journal changed while it was read")
}
