//! Attributes of a node: everything that NTFS keeps of it.

use amint_fs::FsError;

use crate::bytes::{byte, index_u16, index_u32, le_u16, le_u32, le_u64, slice, utf16};
use crate::error::damaged;
use crate::runs::{Run, unpack};

/// Types of attributes.
pub(crate) const STANDARD_INFORMATION: u32 = 0x10;
pub(crate) const ATTRIBUTE_LIST: u32 = 0x20;
pub(crate) const FILE_NAME: u32 = 0x30;
pub(crate) const VOLUME_NAME: u32 = 0x60;
pub(crate) const VOLUME_INFORMATION: u32 = 0x70;
pub(crate) const DATA: u32 = 0x80;
pub(crate) const INDEX_ROOT: u32 = 0x90;
pub(crate) const INDEX_ALLOCATION: u32 = 0xa0;
pub(crate) const BITMAP: u32 = 0xb0;
pub(crate) const REPARSE_POINT: u32 = 0xc0;
/// Ends the list in a record.
const END: u32 = 0xffff_ffff;
/// Flags of an attribute.
const COMPRESSION: u16 = 0x00ff;
const LZNT1: u16 = 0x0001;
const ENCRYPTED: u16 = 0x4000;

/// One attribute, or one part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attribute {
    pub(crate) kind: u32,
    pub(crate) name: String,
    flags: u16,
    pub(crate) body: Body,
}

/// Where the content is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// In the record.
    Resident(Vec<u8>),
    /// In clusters.
    Outside(Outside),
}

/// Content in clusters, or the part of it that one record describes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outside {
    /// The first cluster's number in the attribute.
    pub(crate) first: u64,
    /// Packed runs.
    packed: Vec<u8>,
    /// Sizes, which only the first part has.
    pub(crate) bytes: u64,
    pub(crate) initialized: u64,
    /// Binary logarithm of the clusters that are compressed together; 0 where none are.
    pub(crate) unit_bits: u8,
}

impl Attribute {
    /// Parses the attributes of a record.
    pub(crate) fn parse_all(mut bytes: &[u8], number: u64) -> Result<Vec<Self>, FsError> {
        let wrong = || damaged(format!("an attribute of record {number} makes no sense"));
        let mut all = Vec::new();
        loop {
            let kind = le_u32(bytes, 0).ok_or_else(wrong)?;
            if kind == END {
                return Ok(all);
            }
            let length = index_u32(bytes, 4).filter(|length| *length >= 24).ok_or_else(wrong)?;
            let (attribute, rest) = bytes.split_at_checked(length).ok_or_else(wrong)?;
            all.push(Self::parse(kind, attribute).ok_or_else(wrong)?);
            bytes = rest;
        }
    }

    fn parse(kind: u32, bytes: &[u8]) -> Option<Self> {
        let name_length = usize::from(byte(bytes, 9)?) * 2;
        let name = utf16(slice(bytes, index_u16(bytes, 10)?, name_length)?);
        let flags = le_u16(bytes, 12)?;
        let body = if byte(bytes, 8)? == 0 {
            let length = index_u32(bytes, 16)?;
            Body::Resident(slice(bytes, index_u16(bytes, 20)?, length)?.to_vec())
        } else {
            Body::Outside(Outside {
                first: le_u64(bytes, 16)?,
                packed: bytes.get(index_u16(bytes, 32)?..)?.to_vec(),
                bytes: le_u64(bytes, 48)?,
                initialized: le_u64(bytes, 56)?,
                unit_bits: byte(bytes, 34)?,
            })
        };
        Some(Self { kind, name, flags, body })
    }

    pub(crate) fn is_encrypted(&self) -> bool {
        self.flags & ENCRYPTED != 0
    }

    /// Tells whether the content is compressed; none when in a way that is not known.
    pub(crate) fn is_compressed(&self) -> Option<bool> {
        match self.flags & COMPRESSION {
            0 => Some(false),
            LZNT1 => Some(true),
            _ => None,
        }
    }

    /// Returns the size of the content.
    pub(crate) fn bytes(&self) -> u64 {
        match &self.body {
            Body::Resident(content) => content.len() as u64,
            Body::Outside(outside) => outside.bytes,
        }
    }

    pub(crate) fn resident(&self) -> Option<&[u8]> {
        match &self.body {
            Body::Resident(content) => Some(content),
            Body::Outside(_) => None,
        }
    }
}

/// All attributes of a node, from all of its records.
#[derive(Clone, Debug)]
pub(crate) struct Attributes {
    all: Vec<Attribute>,
}

impl Attributes {
    /// Takes attributes in any order.
    pub(crate) fn new(mut all: Vec<Attribute>) -> Self {
        let first = |attribute: &Attribute| match &attribute.body {
            Body::Resident(_) => 0,
            Body::Outside(outside) => outside.first,
        };
        all.sort_by_key(first);
        Self { all }
    }

    /// Finds an attribute; of one in parts the first.
    pub(crate) fn find(&self, kind: u32, name: &str) -> Option<&Attribute> {
        self.all.iter().find(|attribute| attribute.kind == kind && attribute.name == name)
    }

    /// Returns the attributes of a type; those in parts come several times.
    pub(crate) fn of_kind(&self, kind: u32) -> impl Iterator<Item = &Attribute> {
        self.all.iter().filter(move |attribute| attribute.kind == kind)
    }

    /// Unpacks the runs of all parts of an attribute.
    pub(crate) fn runs(&self, attribute: &Attribute) -> Result<Vec<Run>, FsError> {
        let mut runs: Vec<Run> = Vec::new();
        let is_part = |other: &&Attribute| other.kind == attribute.kind && other.name == attribute.name;
        for part in self.all.iter().filter(is_part) {
            let Body::Outside(outside) = &part.body else {
                return Err(damaged("an attribute lies in its record and in clusters"));
            };
            if outside.first != runs.last().map_or(0, Run::end) {
                return Err(damaged("the parts of an attribute do not follow each other"));
            }
            unpack(&outside.packed, &mut runs)?;
        }
        Ok(runs)
    }
}
