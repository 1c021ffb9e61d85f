//! One entry of a folder, of 32 bytes (specification, section "FAT Directory Structure").

use amint_fs::{Kind, Node};

use crate::bytes::{array, le_u16, le_u32};
use crate::codepage::decode;
use crate::time::seconds;

/// Bits of the attributes.
const READ_ONLY: u8 = 0x01;
const VOLUME_LABEL: u8 = 0x08;
const FOLDER: u8 = 0x10;
/// Attributes of an entry that holds a part of a long name.
const LONG_NAME: u8 = 0x0f;
const LONG_NAME_MASK: u8 = 0x3f;
/// First bytes of names.
const DELETED: u8 = 0xe5;
const STANDS_FOR_E5: u8 = 0x05;
/// Bits by which Windows NT keeps a short name in lower case.
const LOWER_BASE: u8 = 0x08;
const LOWER_EXTENSION: u8 = 0x10;

/// What an entry is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    /// Nothing, and nothing follows.
    End,
    /// Nothing.
    Free,
    /// A part of a long name.
    Long(LongPart),
    /// The label of the whole file system.
    Label([u8; 11]),
    /// A file or a folder.
    Short(ShortEntry),
}

/// A part of a long name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LongPart {
    /// Counts down to 1; the first part on the disk has bit 6 too.
    pub(crate) order: u8,
    pub(crate) checksum: u8,
    pub(crate) units: [u16; 13],
}

/// A file or a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ShortEntry {
    name: [u8; 11],
    attributes: u8,
    case: u8,
    created: (u8, u16, u16),
    accessed: u16,
    modified: (u16, u16),
    first_high: u16,
    first_low: u16,
    pub(crate) bytes: u32,
}

impl Slot {
    pub(crate) fn parse(bytes: &[u8; 32]) -> Self {
        Self::parse_fields(bytes).unwrap_or(Self::Free)
    }

    fn parse_fields(bytes: &[u8; 32]) -> Option<Self> {
        let name: [u8; 11] = array(bytes, 0)?;
        let [attributes, case, tenths] = array(bytes, 11)?;
        let [first, ..] = name;
        Some(match first {
            0 => Self::End,
            DELETED => Self::Free,
            order if attributes & LONG_NAME_MASK == LONG_NAME => {
                let mut units = [0; 13];
                let places = (1..11).step_by(2).chain((14..26).step_by(2)).chain((28..32).step_by(2));
                for (unit, at) in units.iter_mut().zip(places) {
                    *unit = le_u16(bytes, at)?;
                }
                Self::Long(LongPart { order, checksum: tenths, units })
            }
            _ if attributes & VOLUME_LABEL != 0 => Self::Label(name),
            _ => Self::Short(ShortEntry {
                name,
                attributes,
                case,
                created: (tenths, le_u16(bytes, 14)?, le_u16(bytes, 16)?),
                accessed: le_u16(bytes, 18)?,
                modified: (le_u16(bytes, 22)?, le_u16(bytes, 24)?),
                first_high: le_u16(bytes, 20)?,
                first_low: le_u16(bytes, 26)?,
                bytes: le_u32(bytes, 28)?,
            }),
        })
    }
}

impl ShortEntry {
    pub(crate) fn is_folder(&self) -> bool {
        self.attributes & FOLDER != 0
    }

    /// Returns the first cluster; 0 where there is none. Only FAT32 uses the upper half.
    pub(crate) fn first_cluster(&self, is_32: bool) -> u32 {
        let high = if is_32 { u32::from(self.first_high) << 16 } else { 0 };
        high | u32::from(self.first_low)
    }

    /// Tells whether it is `.` or `..`.
    pub(crate) fn is_dot(&self) -> bool {
        matches!(&self.name, b".          " | b"..         ")
    }

    /// Returns the checksum that ties long names to it.
    pub(crate) fn checksum(&self) -> u8 {
        self.name.iter().fold(0_u8, |sum, byte| sum.rotate_right(1).wrapping_add(*byte))
    }

    /// Returns the short name as text.
    pub(crate) fn short_name(&self) -> String {
        let mut name = self.name;
        if let Some(first) = name.first_mut().filter(|first| **first == STANDS_FOR_E5) {
            *first = DELETED;
        }
        let (base, extension) = name.split_at(8);
        let part = |bytes: &[u8], is_lower: bool| {
            let text = decode(bytes.trim_ascii_end());
            if is_lower { text.to_lowercase() } else { text }
        };
        let base = part(base, self.case & LOWER_BASE != 0);
        let extension = part(extension, self.case & LOWER_EXTENSION != 0);
        if extension.is_empty() { base } else { format!("{base}.{extension}") }
    }

    /// Returns what is known of the node; `folder_bytes` is the size of a folder, which the entry does not tell.
    pub(crate) fn node(&self, folder_bytes: u64) -> Node {
        let modified = (seconds(self.modified.1, self.modified.0), 0);
        let (tenths, time, date) = self.created;
        // Hundredths count up to two seconds.
        let born = (seconds(date, time) + i64::from(tenths / 100), u32::from(tenths % 100) * 10_000_000);
        Node {
            kind: if self.is_folder() { Kind::Folder } else { Kind::File },
            mode: if self.attributes & READ_ONLY == 0 { 0o755 } else { 0o555 },
            uid: 0,
            gid: 0,
            bytes: if self.is_folder() { folder_bytes } else { self.bytes.into() },
            nlink: if self.is_folder() { 2 } else { 1 },
            modified,
            changed: modified,
            accessed: if self.accessed == 0 { modified } else { (seconds(self.accessed, 0), 0) },
            born: (date != 0).then_some(born),
            device: None,
        }
    }
}
