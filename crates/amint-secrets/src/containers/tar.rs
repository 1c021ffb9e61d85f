//! Tar archives (POSIX.1-2017 `pax`; GNU's long names and sizes in base 256), and `ar(5)`.

use std::io::{self, Read};

pub(crate) const BLOCK_BYTES: usize = 512;
/// A name that is longer is cut.
const NAME_BYTES_MAX: u64 = 64 << 10;

/// A file of an archive.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) bytes: u64,
    /// Bytes behind the content, up to the next entry.
    pub(crate) padding: u64,
    pub(crate) is_file: bool,
}

/// Tells whether the block is a header: its checksum is right.
pub(crate) fn is_header(block: &[u8]) -> bool {
    let Some(block) = block.first_chunk::<BLOCK_BYTES>() else { return false };
    if block[0] == 0 {
        return false;
    }
    let sum = block
        .iter()
        .enumerate()
        .map(|(at, byte)| u64::from(if (148..156).contains(&at) { b' ' } else { *byte }))
        .sum::<u64>();
    octal(&block[148..156]) == Some(sum)
}

/// Reads headers up to the next file; none at the end of the archive.
pub(crate) fn next(reader: &mut dyn Read) -> io::Result<Option<Entry>> {
    let mut long_name = None;
    let mut pax_bytes = None;
    loop {
        let mut block = [0; BLOCK_BYTES];
        if !fill(reader, &mut block)? || !is_header(&block) {
            return Ok(None);
        }
        let mut bytes =
            number(&block[124..136]).ok_or_else(|| io::Error::other("a size that makes no sense"))?;
        let kind = block[156];
        match kind {
            b'L' => {
                let name = take(reader, bytes)?;
                long_name = Some(text(&name));
                continue;
            }
            b'K' | b'g' => {
                take(reader, bytes)?;
                continue;
            }
            b'x' | b'X' => {
                let records = take(reader, bytes)?;
                for (key, value) in pax(&records) {
                    match key {
                        b"path" => long_name = Some(text(value)),
                        b"size" => {
                            pax_bytes = std::str::from_utf8(value).ok().and_then(|value| value.parse().ok());
                        }
                        _ => {}
                    }
                }
                continue;
            }
            _ => {}
        }
        if let Some(exact) = pax_bytes.take() {
            bytes = exact;
        }
        // Links and devices have no content, whatever their size says.
        if matches!(kind, b'1'..=b'6') {
            bytes = 0;
        }
        let name = long_name.take().unwrap_or_else(|| short_name(&block));
        let is_file = matches!(kind, 0 | b'0' | b'7' | b'S');
        return Ok(Some(Entry { name, bytes, padding: padding(bytes), is_file }));
    }
}

/// Reads the next header of an `ar` archive, behind its magic number.
pub(crate) fn next_ar(reader: &mut dyn Read) -> io::Result<Option<Entry>> {
    let mut header = [0; 60];
    if !fill(reader, &mut header)? || header[58..] != *b"`\n" {
        return Ok(None);
    }
    let name = text(header[..16].trim_ascii()).trim_end_matches('/').to_owned();
    let size =
        std::str::from_utf8(header[48..58].trim_ascii()).ok().and_then(|size| size.parse::<u64>().ok());
    let bytes = size.ok_or_else(|| io::Error::other("a size that makes no sense"))?;
    Ok(Some(Entry { name, bytes, padding: bytes % 2, is_file: true }))
}

fn padding(bytes: u64) -> u64 {
    (BLOCK_BYTES as u64 - bytes % BLOCK_BYTES as u64) % BLOCK_BYTES as u64
}

/// Fills the buffer; tells that it could not when the content ends before.
fn fill(reader: &mut dyn Read, mut buffer: &mut [u8]) -> io::Result<bool> {
    while !buffer.is_empty() {
        match reader.read(buffer) {
            Ok(0) => return Ok(false),
            Ok(count) => buffer = buffer.get_mut(count..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

/// Reads the content of a header of headers, and what fills it up to a block.
fn take(reader: &mut dyn Read, bytes: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    let rest = bytes.saturating_sub(NAME_BYTES_MAX).saturating_add(padding(bytes));
    (&mut *reader).take(bytes.min(NAME_BYTES_MAX)).read_to_end(&mut content)?;
    io::copy(&mut (&mut *reader).take(rest), &mut io::sink())?;
    Ok(content)
}

/// Splits records `length key=value\n`.
fn pax(mut records: &[u8]) -> Vec<(&[u8], &[u8])> {
    let mut found = Vec::new();
    while let Some(space) = records.iter().take(20).position(|byte| *byte == b' ') {
        let length =
            records.get(..space).and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<usize>().ok());
        let Some(length) = length.filter(|length| *length > space + 1) else { break };
        let Some(record) = records.get(space + 1..length) else { break };
        let record = record.strip_suffix(b"\n").unwrap_or(record);
        if let Some(equals) = record.iter().position(|byte| *byte == b'=') {
            found.push((&record[..equals], &record[equals + 1..]));
        }
        records = records.get(length..).unwrap_or_default();
    }
    found
}

fn short_name(block: &[u8; BLOCK_BYTES]) -> String {
    let name = text(&block[..100]);
    let prefix = text(&block[345..500]);
    if &block[257..263] == b"ustar\0" && !prefix.is_empty() { format!("{prefix}/{name}") } else { name }
}

fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

fn number(field: &[u8]) -> Option<u64> {
    match field.split_first()? {
        (first, rest) if first & 0x80 != 0 => rest.iter().try_fold(u64::from(first & 0x7F), |sum, byte| {
            sum.checked_mul(256)?.checked_add(u64::from(*byte))
        }),
        _ => octal(field),
    }
}

fn octal(field: &[u8]) -> Option<u64> {
    let digits =
        field.split(|byte| matches!(byte, 0 | b' ')).find(|part| !part.is_empty()).unwrap_or_default();
    digits.iter().try_fold(0_u64, |sum, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 8)?;
        sum.checked_mul(8)?.checked_add(u64::from(digit))
    })
}
