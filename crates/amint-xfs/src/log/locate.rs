//! Finds the end of the journal (head) and the oldest record that is still needed (tail).
//!
//! The journal is a ring. Every sector carries the number of the round in which it was written, so the head is where
//! that number falls by one. Writes are not in order: the last 2 MiB before that place may hold older sectors.

use super::record::{Log, Record};

/// Sectors that may be written out of order: eight buffers of 256 KiB.
const WINDOW_SECTORS: u64 = 4096;
/// How many of the last records may be torn: as many as there are buffers.
const BUFFERS: usize = 8;
/// Flag of an operation: the file system was unmounted.
const IS_UNMOUNT: u8 = 0x20;

/// The part of the journal to replay, in sectors: from the tail up to the head, going round at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) tail: u64,
    pub(super) head: u64,
}

/// What the journal says of the file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Everything is in its place.
    Clean,
    /// Some changes are only in the journal.
    Dirty(Extent),
}

/// Finds what is to be replayed.
pub(super) fn locate(log: &Log<'_>) -> Result<State, String> {
    let Some(mut head) = find_head(log)? else { return Ok(State::Clean) };
    let mut last = previous_header(log, head, log.sectors)?.ok_or("no record is there")?;
    // The very last record may have been cut off.
    if last.back != log.record_sectors(last.start)? {
        head = last.start;
        last = previous_header(log, head, log.sectors)?.ok_or("no whole record is there")?;
    }
    let mut record = log.record(last.start)?;
    if is_unmount(&record, last) {
        return Ok(State::Clean);
    }
    if let Some(torn) = first_torn(log, head)? {
        head = torn;
        last = previous_header(log, head, log.sectors)?.ok_or("no intact record is there")?;
        record = log.record(last.start)?;
    }
    if !record.is_intact {
        return Err("the checksum of its last record does not fit".to_owned());
    }
    if is_unmount(&record, last) {
        return Ok(State::Clean);
    }
    let tail = record.tail_lsn & u64::from(u32::MAX);
    if tail >= log.sectors {
        return Err("its last record points outside of it".to_owned());
    }
    let head = head % log.sectors;
    Ok(if tail == head { State::Clean } else { State::Dirty(Extent { tail, head }) })
}

/// Tells whether a record, the last one, says that the file system was unmounted.
fn is_unmount(record: &Record, found: Found) -> bool {
    record.is_intact
        && record.operation_count == 1
        && record.data.get(9).is_some_and(|flags| flags & IS_UNMOUNT != 0)
        && found.back == record.sectors
}

/// Returns the sector behind the last one that was written; None for a journal in which nothing ever was.
fn find_head(log: &Log<'_>) -> Result<Option<u64>, String> {
    let count = log.sectors;
    let (first, last) = (log.cycle(0)?, log.cycle(count - 1)?);
    if first == 0 {
        return Ok(None);
    }
    if last == 0 {
        let head = first_with(log, 0)?;
        return oldest_in_window(log, head, 0).map(Some);
    }
    let stale = if first == last { first.wrapping_sub(1) } else { last };
    let head = if first == last { count } else { first_with(log, last)? };
    if head < WINDOW_SECTORS.min(count) && first != last {
        // The window goes back over the end of the ring, where the round is one lower again.
        let from = count - (WINDOW_SECTORS.min(count) - head);
        for number in from..count {
            if log.cycle(number)? == last.wrapping_sub(1) {
                return Ok(Some(number));
            }
        }
    }
    oldest_in_window(log, head, stale).map(Some)
}

/// Finds by halving the first sector of a round, where all before it are of another.
fn first_with(log: &Log<'_>, cycle: u32) -> Result<u64, String> {
    let (mut low, mut high) = (0, log.sectors - 1);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if log.cycle(middle)? == cycle { high = middle } else { low = middle }
    }
    Ok(high)
}

/// Returns the first sector of the last ones before `head` that is of the older round, or `head`.
fn oldest_in_window(log: &Log<'_>, head: u64, stale: u32) -> Result<u64, String> {
    for number in head.saturating_sub(WINDOW_SECTORS)..head {
        if log.cycle(number)? == stale {
            return Ok(number);
        }
    }
    Ok(head)
}

/// Where a record begins, and how many sectors before the place from which it was looked for.
#[derive(Clone, Copy, Debug)]
struct Found {
    start: u64,
    back: u64,
}

/// Looks for the last header of a record before a sector, at most `count` sectors back.
fn previous_header(log: &Log<'_>, head: u64, count: u64) -> Result<Option<Found>, String> {
    for back in 1..=count {
        let start = (head + log.sectors - back) % log.sectors;
        if log.is_header(start)? {
            return Ok(Some(Found { start, back }));
        }
        if log.cycle(start)? == 0 {
            return Ok(None);
        }
    }
    Ok(None)
}

/// Looks for a torn record among the last ones and returns the first such.
fn first_torn(log: &Log<'_>, head: u64) -> Result<Option<u64>, String> {
    let mut torn = None;
    let mut place = head;
    let mut left = log.sectors;
    for _ in 0..BUFFERS {
        let Some(found) = previous_header(log, place, left)? else { break };
        // A record that does not end where the next begins is older than the round: it was overwritten in part.
        let Ok(record) = log.record(found.start) else { break };
        if record.sectors != found.back {
            break;
        }
        if !record.is_intact {
            torn = Some(found.start);
        }
        left = left.saturating_sub(found.back);
        place = found.start;
    }
    Ok(torn)
}
