//! Where the members of a tar archive lie (POSIX `pax`, with the long names and large sizes of GNU tar).

use amint_types::ReadAt;

use super::FORMAT;
use crate::FormatError;
use crate::bytes::{Part, SECTOR_BYTES, array, is_within};

/// Members of one archive at most.
const MEMBERS_MAX: usize = 4096;
/// Longest extended header: names, sizes, times.
const EXTENSION_BYTES_MAX: u64 = 64 << 10;

/// A regular file in the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) offset: u64,
    pub(super) bytes: u64,
}

/// What extended headers say of the next member.
#[derive(Debug, Default)]
struct Extension {
    name: Option<String>,
    bytes: Option<u64>,
}

/// Finds the regular files.
pub(super) fn members(archive: &dyn ReadAt) -> Result<Vec<Member>, FormatError> {
    let mut members = Vec::new();
    let mut extension = Extension::default();
    let mut at = 0;
    for _ in 0..MEMBERS_MAX {
        if at == archive.size_bytes() {
            return Ok(members);
        }
        let part = Part { format: FORMAT, what: "the header of a file", offset: at, bytes: SECTOR_BYTES };
        let header = part.read(archive)?;
        if header.iter().all(|byte| *byte == 0) {
            return Ok(members);
        }
        if !is_sum_right(&header) {
            return Err(
                FORMAT.damaged(format!("the header at byte {at} of the archive has a wrong checksum"))
            );
        }
        let size = header.get(124..136).and_then(number);
        let bytes = extension.bytes.take().or(size);
        let bytes = bytes.ok_or_else(|| FORMAT.damaged(format!("the header at byte {at} tells no size")))?;
        let offset = at + SECTOR_BYTES;
        if !is_within(archive, offset, bytes) {
            return Err(FORMAT.damaged(format!(
                "the file at byte {at} of the archive ({bytes} bytes) reaches beyond its end ({} bytes)",
                archive.size_bytes()
            )));
        }
        let kind = header.get(156).copied().unwrap_or_default();
        match kind {
            b'x' | b'L' => extension.read(archive, kind, offset, bytes)?,
            b'0' | b'7' | 0 => {
                let name = extension.name.take().unwrap_or_else(|| name(&header));
                let name = name.strip_prefix("./").map_or(name.clone(), str::to_owned);
                members.push(Member { name, offset, bytes });
            }
            b'S' => return Err(FORMAT.unsupported("files with holes in the archive")),
            // Folders, links and what concerns all members have no content to look at.
            _ => {
                if kind != b'g' {
                    extension = Extension::default();
                }
            }
        }
        // The last member may lack the bytes that fill its last sector.
        let end = (offset + bytes).checked_next_multiple_of(SECTOR_BYTES);
        at = end.map_or(archive.size_bytes(), |end| end.min(archive.size_bytes()));
    }
    Err(FORMAT.limit(format!("an archive of more than {MEMBERS_MAX} members")))
}

impl Extension {
    fn read(&mut self, archive: &dyn ReadAt, kind: u8, offset: u64, bytes: u64) -> Result<(), FormatError> {
        if bytes > EXTENSION_BYTES_MAX {
            return Err(
                FORMAT.limit(format!("an extended header of {bytes} bytes, more than {EXTENSION_BYTES_MAX}"))
            );
        }
        let content = Part { format: FORMAT, what: "an extended header", offset, bytes }.read(archive)?;
        if kind == b'L' {
            self.name = Some(text(&content));
            return Ok(());
        }
        let mut rest = content.as_slice();
        while let Some((record, later)) = record(rest) {
            match record.split_once('=') {
                Some(("path", name)) => self.name = Some(name.to_owned()),
                Some(("size", bytes)) => self.bytes = bytes.parse().ok(),
                _ => {}
            }
            rest = later;
        }
        Ok(())
    }
}

/// Takes a record off the content of an extended header: `30 path=a name\n`, where 30 counts all of it.
fn record(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let space = bytes.iter().position(|byte| *byte == b' ')?;
    let length: usize = std::str::from_utf8(bytes.get(..space)?).ok()?.parse().ok()?;
    let record = bytes.get(space + 1..length.checked_sub(1)?)?;
    Some((std::str::from_utf8(record).ok()?, bytes.get(length..)?))
}

/// Returns the text up to the first NUL.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned()
}

fn name(header: &[u8]) -> String {
    let name = text(header.get(..100).unwrap_or_default());
    let prefix = text(header.get(345..500).unwrap_or_default());
    // GNU tar has times where POSIX has the prefix.
    let is_posix = header.get(257..263).is_some_and(|magic| magic == b"ustar\0");
    if is_posix && !prefix.is_empty() { format!("{prefix}/{name}") } else { name }
}

/// Reads a number in octal digits, or in GNU's way for large ones: the highest bit, then big-endian.
fn number(field: &[u8]) -> Option<u64> {
    if field.first()? & 0x80 != 0 {
        let (high, low) = (field.get(..4)?, array::<8>(field, 4)?);
        return (high == [0x80, 0, 0, 0]).then_some(u64::from_be_bytes(low));
    }
    let digits = text(field);
    u64::from_str_radix(digits.trim(), 8).ok()
}

fn is_sum_right(header: &[u8]) -> bool {
    let stored = header.get(148..156).and_then(number);
    let sum: u64 = header
        .iter()
        .enumerate()
        .map(|(at, byte)| if (148..156).contains(&at) { u64::from(b' ') } else { u64::from(*byte) })
        .sum();
    stored == Some(sum)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_beyond_8_gib_are_read() {
        assert_eq!(number(b"00000001750\0"), Some(1000));
        assert_eq!(number(b"77777777777 "), Some((8 << 30) - 1));
        assert_eq!(number(&[0x80, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 1]), Some((5 << 32) + 1));
        assert_eq!(number(&[0xff; 12]), None);
        let mut extension = Extension::default();
        let records = b"18 size=123456789\n20 path=a long name\n".to_vec();
        extension.read(&records, b'x', 0, records.len() as u64).unwrap();
        assert_eq!((extension.bytes, extension.name.as_deref()), (Some(123_456_789), Some("a long name")));
    }

    proptest! {
        #[test]
        fn records_of_any_kind_do_no_harm(bytes in "[0-9]{0,3} ?[a-z=\n]{0,20}") {
            let mut rest = bytes.as_bytes();
            while let Some((_, later)) = record(rest) {
                prop_assert!(later.len() < rest.len());
                rest = later;
            }
        }
    }
}
