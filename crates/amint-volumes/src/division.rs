//! What a disk is divided into.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use amint_types::ReadAt;

use crate::Content;

/// Which kind of table divides a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Table {
    /// The table of UEFI.
    Gpt,
    /// The table of the PC, with up to four primary partitions and a chain of logical ones.
    Mbr,
    /// None: the whole disk is one part.
    None,
}

/// A disk and what it is divided into.
#[derive(Clone, Debug)]
pub struct Division {
    /// The table that divides it.
    pub table: Table,
    /// Bytes of one sector, in which the table counts: 512 or 4096.
    pub sector_bytes: u64,
    /// The partitions in the order of their numbers; without a table the whole disk as one part.
    pub parts: Vec<Part>,
    /// What no part covers, in order, merged: the table itself, slack before, between and behind partitions.
    pub gaps: Vec<Range<u64>>,
    /// The logical volumes of LVM2, by group and name, those that cannot be read too.
    pub logical_volumes: Vec<LogicalVolume>,
    /// What LVM2 has not given to any volume, as ranges of the disk, in order, merged: old content may lie there.
    pub unallocated: Vec<Range<u64>>,
    /// What a person should know: a damaged backup table, overlapping partitions, a hibernated system.
    pub notes: Vec<String>,
}

/// One part of a disk.
#[derive(Clone)]
pub struct Part {
    /// Its number as Linux counts (`sda3` is 3); none for a whole disk.
    pub number: Option<u32>,
    /// Its name in the GPT, else empty.
    pub name: String,
    /// What the table says it is: a GUID in lower case, the MBR's byte as two hexadecimal digits; empty for a whole disk.
    pub type_id: String,
    /// Its id in the form of `PARTUUID`, in lower case; empty for a whole disk.
    pub uuid: String,
    /// Where it begins on the disk.
    pub start_bytes: u64,
    /// Its size, as the table says.
    pub bytes: u64,
    /// What lies in it.
    pub content: Content,
    /// Its bytes.
    pub source: Arc<dyn ReadAt>,
}

/// A logical volume of LVM2.
#[derive(Clone)]
pub struct LogicalVolume {
    /// The volume group.
    pub group: String,
    /// Its name in the group.
    pub name: String,
    /// Its id in LVM's own form.
    pub uuid: String,
    /// Its size.
    pub bytes: u64,
    /// What lies in it; [`Content::Unknown`] where it cannot be read.
    pub content: Content,
    /// Its bytes, or why they cannot be read: `a thin volume`, `a physical volume is missing`.
    pub source: Result<Arc<dyn ReadAt>, String>,
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part")
            .field("number", &self.number)
            .field("name", &self.name)
            .field("type_id", &self.type_id)
            .field("uuid", &self.uuid)
            .field("start_bytes", &self.start_bytes)
            .field("bytes", &self.bytes)
            .field("content", &self.content)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for LogicalVolume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogicalVolume")
            .field("group", &self.group)
            .field("name", &self.name)
            .field("uuid", &self.uuid)
            .field("bytes", &self.bytes)
            .field("content", &self.content)
            .field("problem", &self.source.as_ref().err())
            .finish()
    }
}

/// A partition as a table tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawPart {
    pub(crate) number: u32,
    pub(crate) name: String,
    pub(crate) type_id: String,
    pub(crate) uuid: String,
    pub(crate) start_bytes: u64,
    pub(crate) bytes: u64,
}

impl RawPart {
    /// Returns the range of the disk that it covers.
    pub(crate) fn range(&self) -> Range<u64> {
        self.start_bytes..self.start_bytes.saturating_add(self.bytes)
    }
}
