//! Virtual PC disks (Microsoft, "Virtual Hard Disk Image Format Specification" 1.0).
//!
//! A fixed disk is the raw disk and a footer. A dynamic one begins with a copy of the footer, a header and the
//! block allocation table, followed by blocks of 2 MiB, each behind a bitmap of its sectors.

use std::fs::File;

use amint_types::{BLOCK_BYTES, BlockSource, Cancel, GIB};
use uuid::Uuid;

use super::error::WriterError;
use super::identity::Identity;
use super::output::Output;
use super::write::SECTOR_BYTES;
use crate::raw::for_each_block;

/// Largest disk that Hyper-V takes.
pub(super) const DISK_BYTES_MAX: u64 = 2040 * GIB;

const FOOTER_BYTES: u64 = 512;
const HEADER_BYTES: u64 = 1024;
const VHD_BLOCK_BYTES: u64 = 2 << 20;
/// One bit for each of the 4096 sectors of a block.
const BITMAP_BYTES: usize = 512;
/// Entry of the table: the block is not there and reads as zero.
const UNUSED: u32 = 0xffff_ffff;
/// Offset field: there is nothing more.
const NOWHERE: u64 = u64::MAX;
const TYPE_FIXED: u32 = 2;
const TYPE_DYNAMIC: u32 = 3;
/// The geometry that tells QEMU and others to look at the size instead.
const GEOMETRY_MAX: Geometry = Geometry { cylinders: 65535, heads: 16, sectors: 255 };

/// Writes a disk that takes room for its content only.
pub(super) fn write_dynamic(
    source: &dyn BlockSource,
    target: &File,
    progress: &(dyn Fn(u64, u64) + Sync),
    cancel: &Cancel,
) -> Result<(), WriterError> {
    let disk_bytes = source.disk_bytes();
    let entries = disk_bytes.div_ceil(VHD_BLOCK_BYTES);
    let mut table = vec![UNUSED; usize::try_from(entries).expect("2040 GiB have 1044480 blocks")];
    let mut identity = Identity::new(disk_bytes);
    let mut output = Output::new(target);
    output.skip(FOOTER_BYTES);
    let header_offset = output.skip(HEADER_BYTES);
    let table_offset = output.skip(entries * 4);
    output.align(SECTOR_BYTES);

    for_each_block(source, progress, cancel, |index, block| {
        let Some(block) = block else { return Ok(()) };
        identity.block(index, block);
        let disk_offset = index * BLOCK_BYTES;
        let entry = &mut table[usize::try_from(disk_offset / VHD_BLOCK_BYTES).expect("within the table")];
        if *entry == UNUSED {
            let place = output.append("disk content", &[0xff; BITMAP_BYTES])?;
            output.skip(VHD_BLOCK_BYTES);
            *entry = u32::try_from(place / SECTOR_BYTES).expect("2040 GiB and bitmaps have 2^32 sectors");
        }
        let data = u64::from(*entry) * SECTOR_BYTES + BITMAP_BYTES as u64;
        output.patch("disk content", data + disk_offset % VHD_BLOCK_BYTES, block)
    })?;

    let footer = footer(disk_bytes, TYPE_DYNAMIC, header_offset, identity.uuid());
    output.append("the footer", &footer)?;
    let table_bytes = table_bytes(&table);
    output.patch("the block table", table_offset, &table_bytes)?;
    output.patch("the header", header_offset, &dynamic_header(table_offset, table.len()))?;
    output.patch("the header", 0, &footer)?;
    output.finish()
}

/// Returns the footer that makes a raw disk a fixed one.
pub(super) fn fixed_footer(disk_bytes: u64, identity: Identity) -> Vec<u8> {
    footer(disk_bytes, TYPE_FIXED, NOWHERE, identity.uuid())
}

/// Returns the block table, filled up to whole sectors.
fn table_bytes(table: &[u32]) -> Vec<u8> {
    let mut bytes: Vec<u8> = table.iter().flat_map(|entry| entry.to_be_bytes()).collect();
    bytes.resize(bytes.len().next_multiple_of(512), 0xff);
    bytes
}

/// Cylinders, heads and sectors per track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Geometry {
    cylinders: u16,
    heads: u8,
    sectors: u8,
}

impl Geometry {
    /// Computes the geometry as the specification does (appendix "CHS calculation").
    fn of_specification(disk_sectors: u64) -> Self {
        let total = disk_sectors.min(65535 * 16 * 255);
        let (sectors, heads, tracks) = if total >= 65535 * 16 * 63 {
            (255, 16, total / 255)
        } else {
            let tracks = total / 17;
            let heads = tracks.div_ceil(1024).max(4);
            if tracks >= heads * 1024 || heads > 16 {
                let tracks = total / 31;
                if tracks >= 16 * 1024 { (63, 16, total / 63) } else { (31, 16, tracks) }
            } else {
                (17, heads, tracks)
            }
        };
        let small = |number: u64| u8::try_from(number).expect("heads and sectors fit a byte");
        Self {
            cylinders: u16::try_from(tracks / heads).expect("65535 cylinders at most"),
            heads: small(heads),
            sectors: small(sectors),
        }
    }

    /// Returns how many sectors it addresses.
    fn total(self) -> u64 {
        u64::from(self.cylinders) * u64::from(self.heads) * u64::from(self.sectors)
    }
}

/// Returns the geometry to write: that of the specification if it addresses the disk exactly.
///
/// Most sizes have no exact geometry, and some readers (QEMU, for creators it does not know) believe the
/// geometry more than the size: the end of the disk, with its backup partition table, would be missing. The
/// largest geometry makes them look at the size.
fn geometry(disk_bytes: u64) -> Geometry {
    let disk_sectors = disk_bytes / SECTOR_BYTES;
    let exact = Geometry::of_specification(disk_sectors);
    if exact.total() == disk_sectors { exact } else { GEOMETRY_MAX }
}

/// Returns the footer.
fn footer(disk_bytes: u64, kind: u32, data_offset: u64, id: Uuid) -> Vec<u8> {
    let geometry = geometry(disk_bytes);
    let mut bytes = Vec::with_capacity(512);
    bytes.extend(b"conectix");
    bytes.extend(2_u32.to_be_bytes()); // features: the reserved bit that is always set
    bytes.extend(0x0001_0000_u32.to_be_bytes()); // version of the format
    bytes.extend(data_offset.to_be_bytes());
    bytes.extend(0_u32.to_be_bytes()); // time: none, for the same bytes at any time
    bytes.extend(b"amnt"); // creator
    bytes.extend(0x0001_0000_u32.to_be_bytes()); // its version
    bytes.extend(b"Wi2k"); // its system: the specification knows Windows and Macintosh
    bytes.extend(disk_bytes.to_be_bytes()); // original size
    bytes.extend(disk_bytes.to_be_bytes()); // current size
    bytes.extend(geometry.cylinders.to_be_bytes());
    bytes.extend([geometry.heads, geometry.sectors]);
    bytes.extend(kind.to_be_bytes());
    let checksum_offset = bytes.len();
    bytes.extend([0; 4]);
    bytes.extend(id.as_bytes());
    with_checksum(bytes, checksum_offset, 512)
}

/// Returns the header of a dynamic disk.
fn dynamic_header(table_offset: u64, entries: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1024);
    bytes.extend(b"cxsparse");
    bytes.extend(NOWHERE.to_be_bytes());
    bytes.extend(table_offset.to_be_bytes());
    bytes.extend(0x0001_0000_u32.to_be_bytes()); // version of the header
    bytes.extend(u32::try_from(entries).expect("1044480 blocks at most").to_be_bytes());
    bytes.extend(u32::try_from(VHD_BLOCK_BYTES).expect("2 MiB").to_be_bytes());
    let checksum_offset = bytes.len();
    with_checksum(bytes, checksum_offset, 1024)
}

/// Fills up with zeros and enters the one's complement of the sum of all bytes.
fn with_checksum(mut bytes: Vec<u8>, offset: usize, length: usize) -> Vec<u8> {
    bytes.resize(length, 0);
    let sum: u32 = bytes.iter().map(|byte| u32::from(*byte)).sum();
    bytes[offset..offset + 4].copy_from_slice(&(!sum).to_be_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn computes_the_geometries_that_qemu_img_computes() {
        // Sizes and geometries in footers made by `qemu-img create -f vpc` of QEMU 7.2, which rounds the size
        // up to what the geometry addresses.
        let known = [
            (1088, (16, 4, 17)),
            (81_940, (964, 5, 17)),
            (409_696, (826, 16, 31)),
            (1_434_384, (1423, 16, 63)),
            (272_629_760, (65535, 16, 255)),
        ];
        for (disk_sectors, (cylinders, heads, sectors)) in known {
            assert_eq!(Geometry::of_specification(disk_sectors), Geometry { cylinders, heads, sectors });
        }
        for disk_sectors in (0..100_000_000).step_by(99_991) {
            assert!(Geometry::of_specification(disk_sectors).total() <= disk_sectors);
        }
    }

    #[test]
    fn uses_the_exact_geometry_where_there_is_one() {
        assert_eq!(geometry(81_940 * 512), Geometry { cylinders: 964, heads: 5, sectors: 17 });
        assert_eq!(geometry(GIB), GEOMETRY_MAX);
    }
}
