//! One header: an index of tags and the data that it points to.
//!
//! In a database it stands without the magic number that it has in a package file: the number of entries, the bytes
//! of data, then entries of 16 bytes (tag, type, offset, count), then the data; all numbers are big-endian. Its first
//! entry tells a region, which is what the package brought and signed; entries behind the region were added at
//! installation, and go before those of the region with the same tag, as in rpm itself.

use std::borrow::Cow;

use crate::bytes::{be_index, be_u32, slice, text};

/// Most entries of a header, rpm's own limit.
const ENTRIES_MAX: usize = 0xffff;
/// Bytes of an entry of the index, and of the trailer of a region.
const ENTRY_BYTES: usize = 16;
/// Bytes before the index.
const INTRO_BYTES: usize = 8;

/// Tags that are read here (rpm's `docs/manual/tags.md`).
pub mod tag {
    #![allow(missing_docs, reason = "each constant is a tag of rpm under its own name")]

    pub const REGION_FIRST: u32 = 61;
    pub const REGION_LAST: u32 = 63;
    pub const SIGPGP: u32 = 259;
    pub const SIGGPG: u32 = 262;
    pub const PUBKEYS: u32 = 266;
    pub const DSAHEADER: u32 = 267;
    pub const RSAHEADER: u32 = 268;
    pub const OPENPGP: u32 = 278;
    pub const NAME: u32 = 1000;
    pub const VERSION: u32 = 1001;
    pub const RELEASE: u32 = 1002;
    pub const EPOCH: u32 = 1003;
    pub const SUMMARY: u32 = 1004;
    pub const BUILDTIME: u32 = 1006;
    pub const INSTALLTIME: u32 = 1008;
    pub const SIZE: u32 = 1009;
    pub const DISTRIBUTION: u32 = 1010;
    pub const VENDOR: u32 = 1011;
    pub const LICENSE: u32 = 1014;
    pub const PACKAGER: u32 = 1015;
    pub const ARCH: u32 = 1022;
    pub const OLDFILENAMES: u32 = 1027;
    pub const FILESIZES: u32 = 1028;
    pub const FILESTATES: u32 = 1029;
    pub const FILEMODES: u32 = 1030;
    pub const FILEDIGESTS: u32 = 1035;
    pub const FILEFLAGS: u32 = 1037;
    pub const SOURCERPM: u32 = 1044;
    pub const DIRINDEXES: u32 = 1116;
    pub const BASENAMES: u32 = 1117;
    pub const DIRNAMES: u32 = 1118;
    pub const LONGFILESIZES: u32 = 5008;
    pub const LONGSIZE: u32 = 5009;
    pub const FILEDIGESTALGO: u32 = 5011;
    pub const MODULARITYLABEL: u32 = 5096;
}

/// Types of data.
mod kind {
    pub(super) const CHAR: u32 = 1;
    pub(super) const INT8: u32 = 2;
    pub(super) const INT16: u32 = 3;
    pub(super) const INT32: u32 = 4;
    pub(super) const INT64: u32 = 5;
    pub(super) const STRING: u32 = 6;
    pub(super) const BIN: u32 = 7;
    pub(super) const STRING_ARRAY: u32 = 8;
    pub(super) const I18N_STRING: u32 = 9;
}

/// Bytes are no header.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// There are fewer bytes than the header says it has.
    #[error("a header of {wanted} bytes has only {found}")]
    Short {
        /// How many it says.
        wanted: u64,
        /// How many there are.
        found: usize,
    },
    /// It has no entries, or more than rpm allows.
    #[error("a header has {0} entries")]
    Entries(u32),
}

/// A header whose index lies within its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Header<'a> {
    index: &'a [u8],
    data: &'a [u8],
    /// How many entries, from the first on, belong to the region.
    region_entries: usize,
}

/// One entry of the index.
#[derive(Clone, Copy)]
struct Entry {
    tag: u32,
    kind: u32,
    offset: usize,
    count: usize,
}

impl<'a> Header<'a> {
    /// Reads the index of a header as it stands in a database; bytes behind it are passed over.
    pub fn parse(blob: &'a [u8]) -> Result<Self, HeaderError> {
        let short = |wanted| HeaderError::Short { wanted, found: blob.len() };
        let intro = u64::try_from(INTRO_BYTES).unwrap_or(u64::MAX);
        let entry_count = be_u32(blob, 0).ok_or(short(intro))?;
        let data_bytes = be_u32(blob, 4).ok_or(short(intro))?;
        let entries = usize::try_from(entry_count).unwrap_or(usize::MAX);
        if entries == 0 || entries > ENTRIES_MAX {
            return Err(HeaderError::Entries(entry_count));
        }
        let wanted = intro + 16 * u64::from(entry_count) + u64::from(data_bytes);
        let index = slice(blob, INTRO_BYTES, entries * ENTRY_BYTES).ok_or(short(wanted))?;
        let data_start = INTRO_BYTES + entries * ENTRY_BYTES;
        let data = usize::try_from(data_bytes)
            .ok()
            .and_then(|length| slice(blob, data_start, length))
            .ok_or(short(wanted))?;
        let mut header = Self { index, data, region_entries: entries };
        header.region_entries = header.find_region().unwrap_or(entries).min(entries);
        Ok(header)
    }

    /// Returns how many entries the region has, by its trailer.
    fn find_region(&self) -> Option<usize> {
        let first = self.entries(0).next()?;
        if !(tag::REGION_FIRST..=tag::REGION_LAST).contains(&first.tag) || first.kind != kind::BIN {
            return None;
        }
        let trailer = slice(self.data, first.offset, ENTRY_BYTES)?;
        // The trailer tells how far before the data the region's index begins, as a negative number.
        let back_bytes = be_u32(trailer, 8)?.wrapping_neg();
        Some(usize::try_from(back_bytes).ok()? / ENTRY_BYTES)
    }

    fn entries(&self, start: usize) -> impl Iterator<Item = Entry> + use<'a> {
        let rest = self.index.get(start.saturating_mul(ENTRY_BYTES)..).unwrap_or_default();
        rest.chunks_exact(ENTRY_BYTES).filter_map(|entry| {
            Some(Entry {
                tag: be_u32(entry, 0)?,
                kind: be_u32(entry, 4)?,
                offset: be_index(entry, 8)?,
                count: be_index(entry, 12)?,
            })
        })
    }

    fn find(&self, tag: u32) -> Option<Entry> {
        let is_wanted = |entry: &Entry| entry.tag == tag && entry.offset <= self.data.len();
        self.entries(self.region_entries).find(is_wanted).or_else(|| self.entries(0).find(is_wanted))
    }

    /// Returns how many entries the index has.
    pub fn entry_count(&self) -> usize {
        self.index.len() / ENTRY_BYTES
    }

    /// Returns the text of a tag, the first if there are several: of translated text that is the one of the locale
    /// `C`.
    pub fn text(&self, tag: u32) -> Option<Cow<'a, str>> {
        self.texts(tag).next().map(text)
    }

    /// Returns all texts of a tag, as the bytes they are; none if it is missing or no text.
    ///
    /// Stops at the first that has no end within the data.
    pub fn texts(&self, tag: u32) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let found = self.find(tag).and_then(|entry| {
            let count = match entry.kind {
                kind::STRING => 1,
                kind::STRING_ARRAY | kind::I18N_STRING => entry.count,
                _ => return None,
            };
            Some((self.data.get(entry.offset..)?, count))
        });
        let (mut rest, mut count) = found.unwrap_or_default();
        std::iter::from_fn(move || {
            count = count.checked_sub(1)?;
            let end = rest.iter().position(|byte| *byte == 0)?;
            let one = rest.get(..end)?;
            rest = rest.get(end + 1..)?;
            Some(one)
        })
    }

    /// Returns all numbers of a tag, of whichever width; none if it is missing or no numbers.
    pub fn numbers(&self, tag: u32) -> impl Iterator<Item = u64> + use<'a> {
        let found = self.find(tag).and_then(|entry| {
            let width = match entry.kind {
                kind::CHAR | kind::INT8 => 1,
                kind::INT16 => 2,
                kind::INT32 => 4,
                kind::INT64 => 8,
                _ => return None,
            };
            Some((slice(self.data, entry.offset, entry.count.checked_mul(width)?)?, width))
        });
        let (bytes, width) = found.unwrap_or((&[], 1));
        bytes
            .chunks_exact(width)
            .map(|number| number.iter().fold(0, |number, byte| (number << 8) | u64::from(*byte)))
    }

    /// Returns the first number of a tag.
    pub fn number(&self, tag: u32) -> Option<u64> {
        self.numbers(tag).next()
    }

    /// Returns the bytes of a tag; none if it is missing or not binary.
    pub fn bytes(&self, tag: u32) -> Option<&'a [u8]> {
        let entry = self.find(tag)?;
        matches!(entry.kind, kind::BIN | kind::CHAR | kind::INT8)
            .then(|| slice(self.data, entry.offset, entry.count))
            .flatten()
    }
}

#[cfg(test)]
pub(super) mod testing {
    //! Headers by hand.

    /// Makes a header of entries: tag, type, count and data.
    pub(in crate::rpm) fn header(entries: &[(u32, u32, u32, &[u8])]) -> Vec<u8> {
        let (mut index, mut data) = (Vec::new(), Vec::<u8>::new());
        for (tag, kind, count, bytes) in entries {
            for number in [*tag, *kind, u32::try_from(data.len()).unwrap(), *count] {
                index.extend(number.to_be_bytes());
            }
            data.extend_from_slice(bytes);
        }
        let mut blob = u32::try_from(entries.len()).unwrap().to_be_bytes().to_vec();
        blob.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
        blob.extend(index);
        blob.extend(data);
        blob
    }
}

#[cfg(test)]
mod tests {
    use super::testing::header;
    use super::*;

    #[test]
    fn reads_text_numbers_and_bytes() {
        let blob = header(&[
            (tag::NAME, 6, 1, b"bash\0"),
            (tag::SUMMARY, 9, 2, b"C text\0German\0"),
            (tag::EPOCH, 4, 1, &[0, 0, 0, 7]),
            (tag::FILEMODES, 3, 2, &[0x81, 0xa4, 0x41, 0xed]),
            (tag::LONGSIZE, 5, 1, &[0, 0, 1, 0, 0, 0, 0, 0]),
            (tag::SIGGPG, 7, 3, &[1, 2, 3]),
        ]);
        let header = Header::parse(&blob).unwrap();
        assert_eq!(header.text(tag::NAME).as_deref(), Some("bash"));
        assert_eq!(header.text(tag::SUMMARY).as_deref(), Some("C text"));
        assert_eq!(header.number(tag::EPOCH), Some(7));
        assert_eq!(header.numbers(tag::FILEMODES).collect::<Vec<_>>(), [0o100_644, 0o040_755]);
        assert_eq!(header.number(tag::LONGSIZE), Some(1 << 40));
        assert_eq!(header.bytes(tag::SIGGPG), Some(&[1, 2, 3][..]));
        assert_eq!(header.text(tag::EPOCH), None);
        assert_eq!(header.number(tag::NAME), None);
        assert_eq!(header.text(tag::VENDOR), None);
    }

    #[test]
    fn what_was_added_at_installation_goes_before_the_region() {
        let mut trailer = Vec::new();
        for number in [63_u32, 7, 32_u32.wrapping_neg(), 16] {
            trailer.extend(number.to_be_bytes());
        }
        let blob =
            header(&[(63, 7, 16, &trailer), (tag::VENDOR, 6, 1, b"old\0"), (tag::VENDOR, 6, 1, b"new\0")]);
        assert_eq!(Header::parse(&blob).unwrap().text(tag::VENDOR).as_deref(), Some("new"));
    }

    #[test]
    fn refuses_what_is_cut_off_and_survives_wrong_offsets() {
        let blob = header(&[(tag::NAME, 6, 1, b"bash\0")]);
        for length in 0..blob.len() {
            assert!(Header::parse(&blob[..length]).is_err(), "{length}");
        }
        assert!(matches!(Header::parse(&[0; 64]), Err(HeaderError::Entries(0))));
        let mut wrong = blob.clone();
        wrong[16..20].copy_from_slice(&u32::MAX.to_be_bytes());
        assert_eq!(Header::parse(&wrong).unwrap().text(tag::NAME), None);
        let mut endless = blob;
        *endless.last_mut().unwrap() = b'!';
        assert_eq!(Header::parse(&endless).unwrap().text(tag::NAME), None);
    }
}
