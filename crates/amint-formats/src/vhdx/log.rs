//! The log: changes of metadata that may not have reached their place (`[MS-VHDX]` 2.3).

use std::collections::VecDeque;
use std::sync::Arc;

use amint_types::ReadAt;

use super::header::LogPlace;
use super::overlay::Overlay;
use super::{FORMAT, is_sum_right};
use crate::FormatError;
use crate::bytes::{Part, array, index, le_u32, le_u64};

/// Unit of everything in the log.
const SECTOR: usize = 4096;
/// Longest log that is played back: writers make logs of 1 MiB.
const LOG_BYTES_MAX: u64 = 16 << 20;
/// How often the length of the log is summed up in search of entries: an honest log needs it twice.
const SUM_ROUNDS_MAX: usize = 8;
const ENTRY_HEADER_BYTES: usize = 64;
const DESCRIPTOR_BYTES: usize = 32;
/// Longest file that a log may speak of: the largest disk, and its metadata.
const FILE_BYTES_MAX: u64 = 65 << 40;

/// An entry with a right checksum.
#[derive(Clone, Debug)]
struct Entry {
    /// Where it begins in the log.
    start: usize,
    bytes: Vec<u8>,
    tail: usize,
    sequence: u64,
    flushed_bytes: u64,
    last_bytes: u64,
}

/// The log as it lies in the file: a ring.
struct Log {
    place: LogPlace,
    bytes: Vec<u8>,
    /// Bytes that may yet be summed up.
    sums_left: usize,
}

/// Plays the log back over the file, in memory.
pub(super) fn replay(
    file: Arc<dyn ReadAt>,
    place: LogPlace,
    notes: &mut Vec<String>,
) -> Result<Arc<dyn ReadAt>, FormatError> {
    if place.bytes > LOG_BYTES_MAX {
        return Err(FORMAT.limit(format!("a log of {} bytes, more than {LOG_BYTES_MAX}", place.bytes)));
    }
    if place.bytes == 0 || !place.bytes.is_multiple_of(SECTOR as u64) {
        return Err(FORMAT.damaged(format!("the log has {} bytes, no whole number of sectors", place.bytes)));
    }
    let part = Part { format: FORMAT, what: "the log", offset: place.offset, bytes: place.bytes };
    let bytes = part.read(&*file)?;
    let sums_left = bytes.len().saturating_mul(SUM_ROUNDS_MAX);
    let entries = Log { place, bytes, sums_left }.newest_sequence()?;
    let Some(last) = entries.back() else {
        return Err(FORMAT.damaged(format!(
            "the log at byte {} is in use, and holds no whole sequence of entries",
            place.offset
        )));
    };
    if file.size_bytes() < last.flushed_bytes {
        return Err(FORMAT.damaged(format!(
            "the file has {} bytes; the log says that it had {} already",
            file.size_bytes(),
            last.flushed_bytes
        )));
    }
    if last.last_bytes > FILE_BYTES_MAX {
        return Err(FORMAT.limit(format!("a log that speaks of a file of {} bytes", last.last_bytes)));
    }
    let mut overlay = Overlay::new(file);
    overlay.extend_to(last.last_bytes);
    for entry in &entries {
        entry.apply(&mut overlay)?;
    }
    notes.push(format!(
        "the VHDX image was not closed; {} entries of its log were played back in memory",
        entries.len()
    ));
    Ok(Arc::new(overlay))
}

impl Log {
    /// Returns `length` bytes from `start` on, around the end.
    fn around(&self, start: usize, length: usize) -> Vec<u8> {
        let until_end = self.bytes.get(start..).unwrap_or_default();
        let until_end = until_end.get(..length).unwrap_or(until_end);
        let rest = self.bytes.get(..length - until_end.len()).unwrap_or_default();
        [until_end, rest].concat()
    }

    /// Returns the entry that begins at `start`, if one with a right checksum does.
    fn entry(&mut self, start: usize) -> Result<Option<Entry>, FormatError> {
        let head = self.bytes.get(start..).unwrap_or_default();
        let (Some(length), Some(tail), Some(sequence), Some(id), Some(flushed_bytes), Some(last_bytes)) = (
            le_u32(head, 8),
            le_u32(head, 12),
            le_u64(head, 16),
            array::<16>(head, 32),
            le_u64(head, 48),
            le_u64(head, 56),
        ) else {
            return Ok(None);
        };
        let (length, tail) = (index(length.into()), index(tail.into()));
        let is_possible = head.starts_with(b"loge")
            && id == self.place.id
            && length > 0
            && length.is_multiple_of(SECTOR)
            && length <= self.bytes.len()
            && tail < self.bytes.len()
            && tail.is_multiple_of(SECTOR);
        if !is_possible {
            return Ok(None);
        }
        self.sums_left = self.sums_left.checked_sub(length).ok_or_else(|| {
            FORMAT.damaged("the log holds entries over entries; no honest writer leaves such a log")
        })?;
        let bytes = self.around(start, length);
        let entry = Entry { start, bytes, tail, sequence, flushed_bytes, last_bytes };
        Ok(is_sum_right(&entry.bytes).then_some(entry))
    }

    /// Finds the entries to play back: the whole sequence with the highest number, oldest entry first.
    fn newest_sequence(&mut self) -> Result<VecDeque<Entry>, FormatError> {
        let mut newest: VecDeque<Entry> = VecDeque::new();
        let mut start = 0;
        while start < self.bytes.len() {
            let mut sequence = VecDeque::new();
            let mut next = start;
            let mut length = 0;
            while let Some(entry) = self.entry(next % self.bytes.len())? {
                let is_continued = sequence
                    .back()
                    .is_none_or(|last: &Entry| last.sequence.checked_add(1) == Some(entry.sequence));
                length += entry.bytes.len();
                if !is_continued || length > self.bytes.len() {
                    break;
                }
                next += entry.bytes.len();
                sequence.push_back(entry);
            }
            start = next.max(start + SECTOR);
            let Some(tail) = sequence.back().map(|last| last.tail) else { continue };
            let Some(first) = sequence.iter().position(|entry| entry.start == tail) else { continue };
            sequence.drain(..first);
            let number = |entries: &VecDeque<Entry>| entries.back().map(|entry| entry.sequence);
            if number(&sequence) > number(&newest) {
                newest = sequence;
            }
        }
        Ok(newest)
    }
}

impl Entry {
    fn broken(&self, what: &str) -> FormatError {
        FORMAT.damaged(format!("entry {} of the log {what}", self.sequence))
    }

    /// Lays the changes of the entry over the file.
    fn apply(&self, overlay: &mut Overlay) -> Result<(), FormatError> {
        let count = le_u32(&self.bytes, 24).map_or(usize::MAX, |count| index(count.into()));
        let descriptors_end =
            count.checked_mul(DESCRIPTOR_BYTES).and_then(|bytes| bytes.checked_add(ENTRY_HEADER_BYTES));
        let descriptors = descriptors_end.and_then(|end| self.bytes.get(ENTRY_HEADER_BYTES..end));
        let descriptors = descriptors.ok_or_else(|| self.broken("has more changes than fit into it"))?;
        let data_start = (ENTRY_HEADER_BYTES + descriptors.len()).next_multiple_of(SECTOR);
        let mut data = self.bytes.get(data_start..).unwrap_or_default().chunks_exact(SECTOR);
        for descriptor in descriptors.chunks_exact(DESCRIPTOR_BYTES) {
            let (Some(kind), Some(middle), Some(offset), Some(sequence)) = (
                array::<4>(descriptor, 0),
                le_u64(descriptor, 8),
                le_u64(descriptor, 16),
                le_u64(descriptor, 24),
            ) else {
                return Err(self.broken("is cut off"));
            };
            if sequence != self.sequence || !offset.is_multiple_of(SECTOR as u64) {
                return Err(self.broken("has a change that is not its own, or amid a sector"));
            }
            match &kind {
                b"zero" if middle.is_multiple_of(SECTOR as u64) => overlay.write_zeros(offset, middle),
                b"desc" => {
                    let sector = data.next().ok_or_else(|| self.broken("lacks the content of a change"))?;
                    let content = self.content(descriptor, sector);
                    overlay.write(
                        offset,
                        content.ok_or_else(|| self.broken("has content that is not its own"))?,
                    );
                }
                _ => return Err(self.broken("has a change of an unknown kind")),
            }
        }
        Ok(())
    }

    /// Puts a sector together: its first 8 and last 4 bytes are in the descriptor.
    fn content(&self, descriptor: &[u8], sector: &[u8]) -> Option<Arc<[u8]>> {
        let high = u64::from(le_u32(sector, 4)?);
        let low = u64::from(le_u32(sector, SECTOR - 4)?);
        if !sector.starts_with(b"data") || high << 32 | low != self.sequence {
            return None;
        }
        let middle = sector.get(8..SECTOR - 4)?;
        Some([descriptor.get(8..16)?, middle, descriptor.get(4..8)?].concat().into())
    }
}
