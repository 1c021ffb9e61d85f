//! QEMU copy-on-write, version 3 (QEMU `docs/interop/qcow2.txt`).
//!
//! Clusters of 64 KiB, no compression, 16-bit reference counts. The file is laid out as header, first-level
//! table, then data clusters with a second-level table behind each 512 MiB of disk that has any, and at the end
//! the reference counts: so it is written in one pass.

mod overlay;

use std::fs::File;

use amint_types::{BLOCK_BYTES, BlockSource, Cancel};

use super::error::WriterError;
use super::output::Output;
use crate::raw::{for_each_block, is_zero};

pub use overlay::create_overlay;

/// `QFI\xfb`.
const MAGIC: u32 = 0x5146_49fb;
const VERSION: u32 = 3;
/// Binary logarithm of the cluster size.
const CLUSTER_BITS: u32 = 16;
const CLUSTER_BYTES: u64 = 1 << CLUSTER_BITS;
/// Bytes of an entry of all tables but the reference count blocks.
const ENTRY_BYTES: u64 = 8;
/// Clusters that one second-level table maps.
const TABLE_ENTRIES: u64 = CLUSTER_BYTES / ENTRY_BYTES;
/// Bytes of disk that one second-level table maps: 512 MiB.
const TABLE_SPAN_BYTES: u64 = TABLE_ENTRIES * CLUSTER_BYTES;
/// Reference counts have 2^4 bits.
const REFCOUNT_ORDER: u32 = 4;
/// Reference counts in one block.
const REFCOUNTS_PER_BLOCK: u64 = CLUSTER_BYTES / 2;
/// Bit of an entry: the cluster has exactly one user and may be written in place.
const COPIED: u64 = 1 << 63;
/// Bytes of the header, of version 3 without optional fields.
const HEADER_BYTES: u32 = 104;

/// The fields of the header that vary.
#[derive(Debug)]
struct Header {
    backing_name: (u64, u32),
    disk_bytes: u64,
    l1_entries: u64,
    l1_offset: u64,
    refcount_table_offset: u64,
    refcount_table_clusters: u64,
}

impl Header {
    /// Writes the header as it stands in the file.
    fn to_bytes(&self) -> Vec<u8> {
        let count = |number: u64| u32::try_from(number).expect("disks of 64 TiB need few tables");
        let mut bytes = Vec::with_capacity(HEADER_BYTES as usize);
        bytes.extend(MAGIC.to_be_bytes());
        bytes.extend(VERSION.to_be_bytes());
        bytes.extend(self.backing_name.0.to_be_bytes());
        bytes.extend(self.backing_name.1.to_be_bytes());
        bytes.extend(CLUSTER_BITS.to_be_bytes());
        bytes.extend(self.disk_bytes.to_be_bytes());
        bytes.extend(0_u32.to_be_bytes()); // no encryption
        bytes.extend(count(self.l1_entries).to_be_bytes());
        bytes.extend(self.l1_offset.to_be_bytes());
        bytes.extend(self.refcount_table_offset.to_be_bytes());
        bytes.extend(count(self.refcount_table_clusters).to_be_bytes());
        bytes.extend([0; 4 + 8]); // no snapshots
        bytes.extend([0; 3 * 8]); // incompatible, compatible and autoclear features
        bytes.extend(REFCOUNT_ORDER.to_be_bytes());
        bytes.extend(HEADER_BYTES.to_be_bytes());
        debug_assert_eq!(bytes.len(), HEADER_BYTES as usize);
        bytes
    }
}

/// Turns entries of a table into bytes, filled up to a whole cluster.
fn table_bytes(entries: &[u64]) -> Vec<u8> {
    let mut bytes: Vec<u8> = entries.iter().flat_map(|entry| entry.to_be_bytes()).collect();
    let whole = bytes.len().next_multiple_of(usize::try_from(CLUSTER_BYTES).expect("64 KiB fit any usize"));
    bytes.resize(whole, 0);
    bytes
}

/// Returns how many entries the first-level table of a disk has.
fn l1_entries(disk_bytes: u64) -> u64 {
    disk_bytes.div_ceil(TABLE_SPAN_BYTES)
}

/// Writes a disk.
pub(super) fn write(
    source: &dyn BlockSource,
    target: &File,
    progress: &(dyn Fn(u64, u64) + Sync),
    cancel: &Cancel,
) -> Result<(), WriterError> {
    let disk_bytes = source.disk_bytes();
    let mut writer = Writer::new(target, disk_bytes);
    for_each_block(source, progress, cancel, |index, block| match block {
        Some(block) => writer.block(index * BLOCK_BYTES, block),
        None => Ok(()),
    })?;
    writer.finish(disk_bytes)
}

/// A disk being written.
struct Writer<'a> {
    output: Output<'a>,
    l1_offset: u64,
    l1: Vec<u64>,
    /// The second-level table being filled, and its place in the first-level table.
    l2: Vec<u64>,
    l2_index: usize,
    /// The clusters of a block that are not zero, next to each other.
    packed: Vec<u8>,
}

impl<'a> Writer<'a> {
    fn new(target: &'a File, disk_bytes: u64) -> Self {
        let mut output = Output::new(target);
        output.skip(CLUSTER_BYTES);
        let l1_entries = l1_entries(disk_bytes);
        let l1_offset = output.skip((l1_entries * ENTRY_BYTES).next_multiple_of(CLUSTER_BYTES));
        let l1 = vec![0; usize::try_from(l1_entries).expect("disks of 64 TiB have 131072 tables")];
        Self { output, l1_offset, l1, l2: Vec::new(), l2_index: 0, packed: Vec::new() }
    }

    /// Writes the clusters of a block that are not zero.
    fn block(&mut self, disk_offset: u64, block: &[u8]) -> Result<(), WriterError> {
        let l2_index = usize::try_from(disk_offset / TABLE_SPAN_BYTES).expect("within the first-level table");
        if l2_index != self.l2_index {
            self.finish_table()?;
            self.l2_index = l2_index;
        }
        self.packed.clear();
        let cluster_bytes = usize::try_from(CLUSTER_BYTES).expect("64 KiB fit any usize");
        for (number, cluster) in (0..).zip(block.chunks(cluster_bytes)) {
            if is_zero(cluster) {
                continue;
            }
            if self.l2.is_empty() {
                self.l2 = vec![0; usize::try_from(TABLE_ENTRIES).expect("8192")];
            }
            let entry = (disk_offset / CLUSTER_BYTES + number) % TABLE_ENTRIES;
            let place = self.output.end() + self.packed.len() as u64;
            self.l2[usize::try_from(entry).expect("below 8192")] = place | COPIED;
            self.packed.extend_from_slice(cluster);
            self.packed.resize(self.packed.len().next_multiple_of(cluster_bytes), 0);
        }
        self.output.append("disk content", &self.packed)?;
        Ok(())
    }

    /// Writes the second-level table, if it maps anything.
    fn finish_table(&mut self) -> Result<(), WriterError> {
        if !self.l2.is_empty() {
            let place = self.output.append("a table", &table_bytes(&self.l2))?;
            self.l1[self.l2_index] = place | COPIED;
            self.l2.clear();
        }
        Ok(())
    }

    /// Writes the reference counts, the first-level table and the header.
    fn finish(mut self, disk_bytes: u64) -> Result<(), WriterError> {
        self.finish_table()?;
        let refcounts = write_refcounts(&mut self.output)?;
        self.output.patch("a table", self.l1_offset, &table_bytes(&self.l1))?;
        let header = Header {
            backing_name: (0, 0),
            disk_bytes,
            l1_entries: self.l1.len() as u64,
            l1_offset: self.l1_offset,
            refcount_table_offset: refcounts.table_offset,
            refcount_table_clusters: refcounts.table_clusters,
        };
        self.output.patch("the header", 0, &header.to_bytes())?;
        self.output.finish()
    }
}

/// Where the reference counts are.
#[derive(Debug)]
struct Refcounts {
    table_offset: u64,
    table_clusters: u64,
}

/// Writes reference counts of one for every cluster of the file, their own included.
fn write_refcounts(output: &mut Output<'_>) -> Result<Refcounts, WriterError> {
    let used = output.end() / CLUSTER_BYTES;
    // Blocks and table count themselves: add until it fits.
    let (mut blocks, mut table_clusters) = (0, 0);
    loop {
        let all = used + blocks + table_clusters;
        let (needed_blocks, needed_table) =
            (all.div_ceil(REFCOUNTS_PER_BLOCK), (blocks * ENTRY_BYTES).div_ceil(CLUSTER_BYTES));
        if (needed_blocks, needed_table) == (blocks, table_clusters) {
            break;
        }
        (blocks, table_clusters) = (needed_blocks, needed_table);
    }
    let mut left = used + blocks + table_clusters;
    let mut table = Vec::new();
    for _ in 0..blocks {
        let count = left.min(REFCOUNTS_PER_BLOCK);
        left -= count;
        let mut block = 1_u16.to_be_bytes().repeat(usize::try_from(count).expect("32768 at most"));
        block.resize(usize::try_from(CLUSTER_BYTES).expect("64 KiB fit any usize"), 0);
        table.push(output.append("reference counts", &block)?);
    }
    let table_offset = output.append("reference counts", &table_bytes(&table))?;
    Ok(Refcounts { table_offset, table_clusters })
}
