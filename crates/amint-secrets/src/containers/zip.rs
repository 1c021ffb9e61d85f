//! Zip archives, by their central directory (APPNOTE.TXT, sections 4.3 and 4.4).

use std::io::{self, BufReader, Read};

use amint_types::ReadAt;

use crate::source::Cursor;

/// The end record and the longest comment.
const TAIL_BYTES: u64 = 22 + 65_535;
const DIRECTORY_BUFFER_BYTES: usize = 32 << 10;
const SATURATED: u64 = 0xFFFF_FFFF;
/// Stored as it is.
pub(crate) const STORED: u16 = 0;
/// RFC 1951.
pub(crate) const DEFLATED: u16 = 8;
/// RFC 8878.
pub(crate) const ZSTD: u16 = 93;

/// The central directory, read entry by entry.
pub(crate) struct Directory<'a> {
    source: &'a dyn ReadAt,
    entries: BufReader<Cursor<'a>>,
    /// Bytes before the archive, which its offsets do not count.
    shift: u64,
}

/// An entry of the directory.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) method: u16,
    pub(crate) is_encrypted: bool,
    pub(crate) packed_bytes: u64,
    header_at: u64,
}

impl<'a> Directory<'a> {
    /// Finds the directory; none when the source has no end record.
    pub(crate) fn open(source: &'a dyn ReadAt) -> io::Result<Option<Self>> {
        let size = source.size_bytes();
        let tail_at = size.saturating_sub(TAIL_BYTES);
        let mut tail = vec![0; usize::try_from(size - tail_at).unwrap_or(0)];
        source.read_exact_at(tail_at, &mut tail)?;
        let Some(end_at) = memchr::memmem::rfind(&tail, b"PK\x05\x06").filter(|at| at + 22 <= tail.len())
        else {
            return Ok(None);
        };
        let end = tail.get(end_at..).unwrap_or_default();
        let (mut bytes, mut start) = (u64::from(number4(end, 12)), u64::from(number4(end, 16)));
        let mut directory_end = tail_at + end_at as u64;
        if let Some(large) = large_end(source, directory_end)? {
            (bytes, start, directory_end) = large;
        }
        let Some(actual) = directory_end.checked_sub(bytes) else { return Ok(None) };
        let Some(shift) = actual.checked_sub(start) else { return Ok(None) };
        let entries =
            BufReader::with_capacity(DIRECTORY_BUFFER_BYTES, Cursor::new(source, actual, directory_end));
        Ok(Some(Self { source, entries, shift }))
    }

    /// Reads the next entry.
    pub(crate) fn next(&mut self) -> io::Result<Option<Entry>> {
        let mut head = [0; 46];
        match self.entries.read_exact(&mut head) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            other => other?,
        }
        if head[..4] != *b"PK\x01\x02" {
            return Ok(None);
        }
        let mut rest = vec![
            0;
            usize::from(number2(&head, 28))
                + usize::from(number2(&head, 30))
                + usize::from(number2(&head, 32))
        ];
        self.entries.read_exact(&mut rest)?;
        let (name, rest) = rest.split_at(usize::from(number2(&head, 28)).min(rest.len()));
        let extra = rest.get(..usize::from(number2(&head, 30))).unwrap_or_default();
        let mut entry = Entry {
            name: String::from_utf8_lossy(name).into_owned(),
            method: number2(&head, 10),
            is_encrypted: number2(&head, 8) & 1 == 1,
            packed_bytes: u64::from(number4(&head, 20)),
            header_at: u64::from(number4(&head, 42)),
        };
        widen(&mut entry, u64::from(number4(&head, 24)), extra);
        Ok(Some(entry))
    }

    /// Returns the packed content of an entry.
    pub(crate) fn content(&self, entry: &Entry) -> io::Result<Cursor<'a>> {
        let mut head = [0; 30];
        let at = entry.header_at.checked_add(self.shift).ok_or(io::ErrorKind::UnexpectedEof)?;
        self.source.read_exact_at(at, &mut head)?;
        if head[..4] != *b"PK\x03\x04" {
            return Err(io::Error::other("no header where the directory says"));
        }
        let start = at.saturating_add(30 + u64::from(number2(&head, 26)) + u64::from(number2(&head, 28)));
        Ok(Cursor::new(self.source, start, start.saturating_add(entry.packed_bytes)))
    }
}

/// Reads the 64-bit end record; returns the directory's bytes, its offset and where it ends.
fn large_end(source: &dyn ReadAt, end_at: u64) -> io::Result<Option<(u64, u64, u64)>> {
    let Some(locator_at) = end_at.checked_sub(20) else { return Ok(None) };
    let mut locator = [0; 20];
    source.read_exact_at(locator_at, &mut locator)?;
    if locator[..4] != *b"PK\x06\x07" {
        return Ok(None);
    }
    let record_at = number8(&locator, 8);
    let mut record = [0; 56];
    if source.read_exact_at(record_at, &mut record).is_err() || record[..4] != *b"PK\x06\x06" {
        return Ok(None);
    }
    Ok(Some((number8(&record, 40), number8(&record, 48), record_at)))
}

/// Takes what does not fit in 32 bits from the extra field 1.
fn widen(entry: &mut Entry, plain_bytes: u64, mut extra: &[u8]) {
    while extra.len() >= 4 {
        let end = 4 + usize::from(number2(extra, 2));
        let Some(field) = extra.get(4..end) else { return };
        if number2(extra, 0) == 1 {
            let mut at = if plain_bytes == SATURATED { 8 } else { 0 };
            if entry.packed_bytes == SATURATED {
                entry.packed_bytes = number8(field, at);
                at += 8;
            }
            if entry.header_at == SATURATED {
                entry.header_at = number8(field, at);
            }
            return;
        }
        extra = extra.get(end..).unwrap_or_default();
    }
}

fn number2(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |two| u16::from_le_bytes(*two))
}

fn number4(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |four| u32::from_le_bytes(*four))
}

fn number8(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |eight| u64::from_le_bytes(*eight))
}
