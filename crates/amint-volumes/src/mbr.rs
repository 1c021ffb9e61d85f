//! The table of the PC, with its chain of logical partitions.
//!
//! Numbers are those of Linux: 1 to 4 for the table's own entries, from 5 on along the chain. The extended partition
//! itself is no part: what its logical partitions leave free is a gap.

use std::collections::HashSet;

use amint_types::ReadAt;

use crate::bytes::{array, has, le_u32};
use crate::division::RawPart;

/// Bytes of the sector that holds the table, whatever the size of the disk's sectors.
pub(crate) const TABLE_BYTES: usize = 512;
/// Where the four entries begin.
const ENTRIES_AT: usize = 446;
const ENTRY_BYTES: usize = 16;
/// The disk's signature, from which ids of partitions are made.
const DISK_ID_AT: usize = 440;
/// Type of the entry that guards a GPT.
pub(crate) const PROTECTIVE: u8 = 0xee;
/// Types of extended partitions: CHS, LBA, Linux.
const EXTENDED: [u8; 3] = [0x05, 0x0f, 0x85];
/// How many logical partitions a chain may have.
const LOGICAL_MAX: u32 = 256;
/// The number of the first logical partition.
const LOGICAL_FIRST: u32 = 5;

/// An entry of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    flags: u8,
    pub(crate) kind: u8,
    start: u32,
    count: u32,
}

impl Entry {
    fn is_used(self) -> bool {
        self.kind != 0 && self.count != 0
    }

    fn is_extended(self) -> bool {
        EXTENDED.contains(&self.kind)
    }
}

/// The sector with the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mbr {
    disk_id: u32,
    pub(crate) entries: [Entry; 4],
}

impl Mbr {
    /// Reads a sector that ends with the signature `55 AA`.
    pub(crate) fn parse(sector: &[u8]) -> Option<Self> {
        let entries = parse_entries(sector)?;
        Some(Self { disk_id: le_u32(sector, DISK_ID_AT)?, entries })
    }

    /// Tells whether the entries can be a table, rather than the code of a boot sector: flags are right, none begins in
    /// the table's own sector, and some entry is used.
    pub(crate) fn is_plausible(&self, disk_bytes: u64) -> bool {
        let is_right = |entry: &Entry| {
            matches!(entry.flags, 0 | 0x80)
                && (!entry.is_used()
                    || (entry.start > 0 && u64::from(entry.start) * TABLE_BYTES as u64 <= disk_bytes))
        };
        self.entries.iter().all(is_right) && self.entries.iter().any(|entry| entry.is_used())
    }

    /// Tells whether no entry is used.
    pub(crate) fn is_empty(&self) -> bool {
        !self.entries.iter().any(|entry| entry.is_used())
    }

    /// Tells whether an entry guards a GPT.
    pub(crate) fn is_protective(&self) -> bool {
        self.entries.iter().any(|entry| entry.kind == PROTECTIVE)
    }

    /// Tells whether a table that guards a GPT has partitions of its own too.
    pub(crate) fn is_hybrid(&self) -> bool {
        self.is_protective() && self.entries.iter().any(|entry| entry.is_used() && entry.kind != PROTECTIVE)
    }

    /// Returns the partitions, logical ones included, and what a person should know.
    pub(crate) fn parts(&self, disk: &dyn ReadAt, sector_bytes: u64) -> (Vec<RawPart>, Vec<String>) {
        let mut chain =
            Chain { disk, sector_bytes, disk_id: self.disk_id, found: Vec::new(), notes: Vec::new() };
        for (number, entry) in (1..).zip(self.entries) {
            if entry.is_used() && !entry.is_extended() {
                chain.add(number, u64::from(entry.start), entry);
            }
        }
        let mut next = LOGICAL_FIRST;
        for entry in self.entries {
            if entry.is_used() && entry.is_extended() {
                chain.follow(u64::from(entry.start), &mut next);
            }
        }
        (chain.found, chain.notes)
    }
}

fn parse_entries(sector: &[u8]) -> Option<[Entry; 4]> {
    if !has(sector, TABLE_BYTES - 2, &[0x55, 0xaa]) {
        return None;
    }
    let entry = |number: usize| {
        let bytes: [u8; ENTRY_BYTES] = array(sector, ENTRIES_AT + number * ENTRY_BYTES)?;
        let [flags, _, _, _, kind, ..] = bytes;
        Some(Entry { flags, kind, start: le_u32(&bytes, 8)?, count: le_u32(&bytes, 12)? })
    };
    Some([entry(0)?, entry(1)?, entry(2)?, entry(3)?])
}

/// Partitions being collected.
struct Chain<'a> {
    disk: &'a dyn ReadAt,
    sector_bytes: u64,
    disk_id: u32,
    found: Vec<RawPart>,
    notes: Vec<String>,
}

impl Chain<'_> {
    fn add(&mut self, number: u32, start: u64, entry: Entry) {
        // 2^33 sectors of 4096 bytes at most: no overflow.
        self.found.push(RawPart {
            number,
            name: String::new(),
            type_id: format!("{:02x}", entry.kind),
            uuid: format!("{:08x}-{number:02x}", self.disk_id),
            start_bytes: start * self.sector_bytes,
            bytes: u64::from(entry.count) * self.sector_bytes,
        });
    }

    /// Follows the chain of an extended partition that begins in sector `base`.
    fn follow(&mut self, base: u64, next: &mut u32) {
        let mut seen = HashSet::new();
        let mut here = base;
        loop {
            if !seen.insert(here) {
                self.notes.push("the chain of logical partitions is a circle".to_owned());
                return;
            }
            let mut sector = vec![0; TABLE_BYTES];
            if let Err(error) = self.disk.read_exact_at(here * self.sector_bytes, &mut sector) {
                self.notes
                    .push(format!("the chain of logical partitions could not be read further: {error}"));
                return;
            }
            let Some(entries) = parse_entries(&sector) else {
                self.notes.push("the chain of logical partitions breaks off".to_owned());
                return;
            };
            for entry in entries.into_iter().filter(|entry| entry.is_used() && !entry.is_extended()) {
                if *next >= LOGICAL_FIRST + LOGICAL_MAX {
                    self.notes.push(format!("only the first {LOGICAL_MAX} logical partitions were read"));
                    return;
                }
                self.add(*next, here + u64::from(entry.start), entry);
                *next += 1;
            }
            match entries.into_iter().find(|entry| entry.is_used() && entry.is_extended()) {
                Some(link) => here = base + u64::from(link.start),
                None => return,
            }
            if seen.len() > 4 * LOGICAL_MAX as usize {
                self.notes.push("the chain of logical partitions is too long".to_owned());
                return;
            }
        }
    }
}
