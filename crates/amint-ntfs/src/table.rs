//! The master file table: records by number, and all attributes of a node.

use std::collections::BTreeSet;

use amint_fs::FsError;
use amint_types::ReadAt;

use crate::attribute::{ATTRIBUTE_LIST, Attribute, Attributes, DATA};
use crate::boot::Boot;
use crate::bytes::{index_u16, le_u32, le_u64};
use crate::error::{damaged, limit};
use crate::record::{REFERENCE_NUMBER, Record};
use crate::runs::Run;
use crate::stream::Stream;
use amint_fs::Chunks;

/// The table's own record.
const TABLE: u64 = 0;
/// Records that one node may have beside its own.
const RECORDS_MAX: usize = 16_384;
/// The largest list of attributes; Windows allows 256 KiB.
const LIST_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Bytes of an entry of that list without a name.
const LIST_ENTRY_BYTES: usize = 26;

/// The table.
pub(crate) struct Table {
    pub(crate) chunks: Chunks,
    pub(crate) cluster_bytes: u64,
    record_bytes: usize,
    runs: Vec<Run>,
    bytes: u64,
}

/// A node: its own record's flags and the attributes of all of its records.
pub(crate) struct Loaded {
    pub(crate) is_folder: bool,
    pub(crate) attributes: Attributes,
}

impl Table {
    /// Finds the table, which describes itself.
    pub(crate) fn open(boot: &Boot, chunks: Chunks) -> Result<Self, FsError> {
        let mut bytes = vec![0; boot.record_bytes];
        chunks.read_exact_at(boot.table_start, &mut bytes)?;
        let record = Record::parse(bytes, TABLE)?;
        let own = Attribute::parse_all(record.attributes(), TABLE)?;
        let list = own.iter().find(|attribute| attribute.kind == ATTRIBUTE_LIST).cloned();
        let attributes = Attributes::new(own);
        let missing = || damaged("the master file table has no content");
        let data = attributes.find(DATA, "").ok_or_else(missing)?;
        let mut table = Self {
            chunks,
            cluster_bytes: boot.cluster_bytes,
            record_bytes: boot.record_bytes,
            runs: attributes.runs(data)?,
            bytes: data.bytes(),
        };
        if let Some(list) = list {
            table.complete(&attributes, &list)?;
        }
        let covered = table.runs.last().map_or(0, Run::end).checked_mul(table.cluster_bytes);
        if covered.is_none_or(|covered| covered < table.bytes) {
            return Err(damaged("the master file table is longer than its clusters"));
        }
        Ok(table)
    }

    /// Finds the table's other parts; each is described in a record that lies in an earlier part.
    fn complete(&mut self, own: &Attributes, list: &Attribute) -> Result<(), FsError> {
        let mut all: Vec<Attribute> =
            own.of_kind(DATA).filter(|data| data.name.is_empty()).cloned().collect();
        let mut others: Vec<(u64, u64)> = self
            .list_entries(own, list)?
            .into_iter()
            .filter(|entry| entry.kind == DATA && entry.record != TABLE)
            .map(|entry| (entry.first, entry.record))
            .collect();
        others.sort_unstable();
        for (_, number) in others {
            let record = self.record(number)?;
            let parts = Attribute::parse_all(record.attributes(), number)?;
            all.extend(parts.into_iter().filter(|part| part.kind == DATA && part.name.is_empty()));
            let attributes = Attributes::new(all.clone());
            if let Some(data) = attributes.find(DATA, "") {
                self.runs = attributes.runs(data)?;
            }
        }
        Ok(())
    }

    /// Reads a record.
    ///
    /// # Errors
    /// [`FsError::NotFound`] for one that does not exist or is not in use.
    pub(crate) fn record(&self, number: u64) -> Result<Record, FsError> {
        let record_bytes = self.record_bytes as u64;
        let at = number.checked_mul(record_bytes).filter(|at| *at <= self.bytes.saturating_sub(record_bytes));
        let mut at = at.ok_or(FsError::NotFound)?;
        let mut bytes = vec![0; self.record_bytes];
        let mut rest = bytes.as_mut_slice();
        while !rest.is_empty() {
            let cluster = at / self.cluster_bytes;
            let next = self.runs.partition_point(|run| run.start <= cluster);
            let run = next.checked_sub(1).and_then(|index| self.runs.get(index));
            let place = run.filter(|run| cluster < run.end()).and_then(|run| {
                let disk = run.place?.checked_add(cluster - run.start)?.checked_mul(self.cluster_bytes)?;
                disk.checked_add(at % self.cluster_bytes)
            });
            let place = place.ok_or_else(|| damaged(format!("record {number} lies nowhere")))?;
            let left = usize::try_from(self.cluster_bytes - at % self.cluster_bytes).unwrap_or(usize::MAX);
            let count = left.min(rest.len());
            let (now, later) = rest.split_at_mut(count);
            self.chunks.read_exact_at(place, now)?;
            at += count as u64;
            rest = later;
        }
        Record::parse(bytes, number)
    }

    /// Loads a node.
    ///
    /// # Errors
    /// [`FsError::NotFound`] for what is no node.
    pub(crate) fn load(&self, number: u64) -> Result<Loaded, FsError> {
        let record = self.record(number)?;
        if record.base.is_some() {
            return Err(FsError::NotFound);
        }
        let mut all = Attribute::parse_all(record.attributes(), number)?;
        if let Some(list) = all.iter().find(|attribute| attribute.kind == ATTRIBUTE_LIST) {
            let entries = self.list_entries(&Attributes::new(all.clone()), list)?;
            let others: BTreeSet<u64> = entries.into_iter().map(|entry| entry.record).collect();
            if others.len() > RECORDS_MAX {
                return Err(limit(format!("a file with more than {RECORDS_MAX} records")));
            }
            for other in others.into_iter().filter(|other| *other != number) {
                let missing = |error| match error {
                    FsError::NotFound => {
                        damaged(format!("record {other}, a part of {number}, is not in use"))
                    }
                    error => error,
                };
                let part = self.record(other).map_err(missing)?;
                if part.base != Some(number) {
                    return Err(damaged(format!("record {other} is no part of {number}")));
                }
                all.extend(Attribute::parse_all(part.attributes(), other)?);
            }
        }
        Ok(Loaded { is_folder: record.is_folder, attributes: Attributes::new(all) })
    }

    fn list_entries(&self, attributes: &Attributes, list: &Attribute) -> Result<Vec<ListEntry>, FsError> {
        let mut stream = Stream::new(&self.chunks, self.cluster_bytes, attributes, list)?;
        let bytes = stream.read_all(LIST_BYTES_MAX)?;
        let mut rest = bytes.as_slice();
        let mut entries = Vec::new();
        while rest.len() >= LIST_ENTRY_BYTES {
            let entry = || {
                let length = index_u16(rest, 4).filter(|length| *length >= LIST_ENTRY_BYTES)?;
                let entry = ListEntry {
                    kind: le_u32(rest, 0)?,
                    first: le_u64(rest, 8)?,
                    record: le_u64(rest, 16)? & REFERENCE_NUMBER,
                };
                Some((entry, rest.get(length..).unwrap_or_default()))
            };
            // Windows leaves zeros behind the last entry at times.
            if le_u32(rest, 0) == Some(0) {
                break;
            }
            let (entry, behind) = entry().ok_or_else(|| damaged("a list of attributes makes no sense"))?;
            entries.push(entry);
            rest = behind;
        }
        Ok(entries)
    }
}

/// An entry of a list of attributes.
struct ListEntry {
    kind: u32,
    first: u64,
    record: u64,
}
