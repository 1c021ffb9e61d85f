//! `VMware` disks, stream optimised (`VMware`, "Virtual Disk Format 1.1", section "Stream-Optimized Compressed
//! Sparse Extents").
//!
//! The file is written from its beginning to its end: header, descriptor, compressed grains of 64 KiB each with
//! a marker, a grain table behind each 32 MiB of disk that has any, the grain directory, a footer that tells
//! where it is, and the end marker.

use std::fs::File;

use amint_types::{BLOCK_BYTES, BlockSource, Cancel, GIB};
use flate2::{Compress, Compression, FlushCompress, Status};

use super::error::WriterError;
use super::identity::Identity;
use super::output::Output;
use super::write::SECTOR_BYTES;
use crate::raw::{CopyError, block_buffer, is_zero, read_block};

/// Largest disk: places in the file are 32-bit numbers of sectors, and what cannot be compressed grows a little.
pub(super) const DISK_BYTES_MAX: u64 = 2000 * GIB;

const GRAIN_SECTORS: u64 = 128;
const GRAIN_BYTES: usize = 64 * 1024;
/// Grains of one grain table.
const TABLE_ENTRIES: u64 = 512;
/// Bytes of disk that one grain table maps: 32 MiB.
const TABLE_SPAN_BYTES: u64 = TABLE_ENTRIES * GRAIN_BYTES as u64;
/// Sectors of the descriptor.
const DESCRIPTOR_SECTORS: u64 = 20;
/// Place of the grain directory in the header: see the footer.
const DIRECTORY_AT_END: u64 = u64::MAX;
/// Valid new-line test, compressed grains, markers.
const FLAGS: u32 = 1 | 1 << 16 | 1 << 17;
const MARKER_TABLE: u32 = 1;
const MARKER_DIRECTORY: u32 = 2;
const MARKER_FOOTER: u32 = 3;
/// How hard to compress: level 3 makes system disks a tenth smaller and takes three times as long.
const LEVEL: u32 = 1;
/// Blocks read before they are compressed together.
const BATCH_BLOCKS: u64 = 32;

/// Writes a disk.
pub(super) fn write(
    source: &dyn BlockSource,
    target: &File,
    progress: &(dyn Fn(u64, u64) + Sync),
    cancel: &Cancel,
) -> Result<(), WriterError> {
    let disk_bytes = source.disk_bytes();
    let mut writer = Writer::new(target, disk_bytes)?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut index = 0;
    while index < source.block_count() {
        cancel.check().map_err(CopyError::from)?;
        let end = source.block_count().min(index + BATCH_BLOCKS);
        let mut batch = Vec::new();
        for block in index..end {
            let mut buffer = block_buffer();
            if let Some(length) = read_block(source, block, &mut buffer)? {
                buffer.truncate(length);
                batch.push((block, buffer));
            }
        }
        for (block, content) in &batch {
            writer.identity.block(*block, content);
        }
        for (block, grains) in compress_batch(&batch, threads)? {
            writer.block(block, &grains)?;
        }
        progress(disk_bytes.min(end * BLOCK_BYTES), disk_bytes);
        index = end;
    }
    writer.finish(disk_bytes)
}

/// A grain as it stands in the file: its number within its block, and marker, data and padding.
type Grain = (u64, Vec<u8>);

/// Compresses blocks in several threads; the results keep their order.
fn compress_batch(batch: &[(u64, Vec<u8>)], threads: usize) -> Result<Vec<(u64, Vec<Grain>)>, WriterError> {
    let share = batch.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let compress = |part: &[(u64, Vec<u8>)]| -> Result<Vec<_>, WriterError> {
            let mut engine = Compress::new(Compression::new(LEVEL), true);
            part.iter()
                .map(|(block, bytes)| Ok((*block, compress_block(&mut engine, *block, bytes)?)))
                .collect()
        };
        let workers: Vec<_> = batch.chunks(share).map(|part| scope.spawn(move || compress(part))).collect();
        let mut grains = Vec::with_capacity(batch.len());
        for worker in workers {
            grains.extend(worker.join().expect("compressing does not panic")?);
        }
        Ok(grains)
    })
}

/// Compresses the grains of a block that are not zero.
fn compress_block(engine: &mut Compress, block: u64, bytes: &[u8]) -> Result<Vec<Grain>, WriterError> {
    let mut grains = Vec::new();
    let mut padded = vec![0; GRAIN_BYTES];
    for (number, mut grain) in (0..).zip(bytes.chunks(GRAIN_BYTES)) {
        if is_zero(grain) {
            continue;
        }
        if grain.len() < GRAIN_BYTES {
            padded[..grain.len()].copy_from_slice(grain);
            grain = &padded;
        }
        let sector = block * (BLOCK_BYTES / SECTOR_BYTES) + number * GRAIN_SECTORS;
        grains.push((number, compress_grain(engine, sector, grain)?));
    }
    Ok(grains)
}

/// Compresses one grain and puts its marker before it.
fn compress_grain(engine: &mut Compress, sector: u64, grain: &[u8]) -> Result<Vec<u8>, WriterError> {
    const MARKER_BYTES: usize = 12;
    let failed = |error: std::io::Error| WriterError::Structure("a compressed grain", error);
    engine.reset();
    let mut data = Vec::with_capacity(MARKER_BYTES + GRAIN_BYTES + 1024);
    data.resize(MARKER_BYTES, 0);
    loop {
        let taken = usize::try_from(engine.total_in()).expect("a grain is small");
        let status = engine
            .compress_vec(&grain[taken..], &mut data, FlushCompress::Finish)
            .map_err(|error| failed(error.into()))?;
        if status == Status::StreamEnd {
            break;
        }
        data.reserve(GRAIN_BYTES);
    }
    let length = u32::try_from(data.len() - MARKER_BYTES).expect("a grain is small");
    data[..8].copy_from_slice(&sector.to_le_bytes());
    data[8..MARKER_BYTES].copy_from_slice(&length.to_le_bytes());
    data.resize(data.len().next_multiple_of(512), 0);
    Ok(data)
}

/// A disk being written.
struct Writer<'a> {
    output: Output<'a>,
    identity: Identity,
    directory: Vec<u32>,
    /// The grain table being filled, and its place in the directory.
    table: Vec<u32>,
    table_index: usize,
}

impl<'a> Writer<'a> {
    fn new(target: &'a File, disk_bytes: u64) -> Result<Self, WriterError> {
        let mut output = Output::new(target);
        output.append("the header", &header(disk_bytes, DIRECTORY_AT_END))?;
        output.skip(DESCRIPTOR_SECTORS * SECTOR_BYTES);
        output.align(GRAIN_SECTORS * SECTOR_BYTES);
        let tables = disk_bytes.div_ceil(TABLE_SPAN_BYTES);
        Ok(Self {
            output,
            identity: Identity::new(disk_bytes),
            directory: vec![0; usize::try_from(tables).expect("2000 GiB have 64000 tables")],
            table: Vec::new(),
            table_index: 0,
        })
    }

    /// Writes the grains of a block.
    fn block(&mut self, block: u64, grains: &[Grain]) -> Result<(), WriterError> {
        let disk_offset = block * BLOCK_BYTES;
        let table_index = usize::try_from(disk_offset / TABLE_SPAN_BYTES).expect("within the directory");
        if table_index != self.table_index {
            self.finish_table()?;
            self.table_index = table_index;
        }
        for (number, bytes) in grains {
            if self.table.is_empty() {
                self.table = vec![0; usize::try_from(TABLE_ENTRIES).expect("512")];
            }
            let entry = (disk_offset / GRAIN_BYTES as u64 + number) % TABLE_ENTRIES;
            let place = self.output.append("disk content", bytes)?;
            self.table[usize::try_from(entry).expect("below 512")] = sector_of(place);
        }
        Ok(())
    }

    /// Writes the grain table, if it maps anything.
    fn finish_table(&mut self) -> Result<(), WriterError> {
        if !self.table.is_empty() {
            self.directory[self.table_index] = append_table(&mut self.output, &self.table, MARKER_TABLE)?;
            self.table.clear();
        }
        Ok(())
    }

    /// Writes the directory, the footer and the descriptor.
    fn finish(mut self, disk_bytes: u64) -> Result<(), WriterError> {
        self.finish_table()?;
        let directory = append_table(&mut self.output, &self.directory, MARKER_DIRECTORY)?;
        self.output.append("the footer", &marker(1, MARKER_FOOTER))?;
        self.output.append("the footer", &header(disk_bytes, directory.into()))?;
        self.output.append("the footer", &marker(0, 0))?;
        let descriptor = descriptor(disk_bytes, self.identity.number());
        debug_assert!(descriptor.len() as u64 <= DESCRIPTOR_SECTORS * SECTOR_BYTES);
        self.output.patch("the descriptor", SECTOR_BYTES, descriptor.as_bytes())?;
        self.output.finish()
    }
}

/// Returns the sector at a place in the file.
fn sector_of(place: u64) -> u32 {
    u32::try_from(place / SECTOR_BYTES).expect("files of disks up to 2000 GiB stay below 2 TiB")
}

/// Writes a marker and a table behind it, and returns the sector of the table.
fn append_table(output: &mut Output<'_>, entries: &[u32], kind: u32) -> Result<u32, WriterError> {
    let mut bytes: Vec<u8> = entries.iter().flat_map(|entry| entry.to_le_bytes()).collect();
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    output.append("a table", &marker(bytes.len() as u64 / SECTOR_BYTES, kind))?;
    Ok(sector_of(output.append("a table", &bytes)?))
}

/// Returns the sector that announces `sectors` of metadata.
fn marker(sectors: u64, kind: u32) -> Vec<u8> {
    let mut bytes = sectors.to_le_bytes().to_vec();
    bytes.extend([0; 4]);
    bytes.extend(kind.to_le_bytes());
    bytes.resize(512, 0);
    bytes
}

/// Returns the header, which is the footer too.
fn header(disk_bytes: u64, directory_sector: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(512);
    bytes.extend(b"KDMV");
    bytes.extend(3_u32.to_le_bytes()); // version
    bytes.extend(FLAGS.to_le_bytes());
    bytes.extend((disk_bytes / SECTOR_BYTES).to_le_bytes()); // capacity
    bytes.extend(GRAIN_SECTORS.to_le_bytes());
    bytes.extend(1_u64.to_le_bytes()); // sector of the descriptor
    bytes.extend(DESCRIPTOR_SECTORS.to_le_bytes());
    bytes.extend(u32::try_from(TABLE_ENTRIES).expect("512").to_le_bytes());
    bytes.extend(0_u64.to_le_bytes()); // no redundant directory
    bytes.extend(directory_sector.to_le_bytes());
    bytes.extend(GRAIN_SECTORS.to_le_bytes()); // sectors of all metadata at the beginning
    bytes.push(0); // shut down cleanly
    bytes.extend(b"\n \r\n"); // tells whether the file was mangled as text
    bytes.extend(1_u16.to_le_bytes()); // DEFLATE
    bytes.resize(512, 0);
    bytes
}

/// Returns the descriptor.
fn descriptor(disk_bytes: u64, id: u32) -> String {
    // `ffffffff` stands for "no parent" and `fffffffe` for "not set": neither may be an id.
    let id = id & 0x7fff_ffff;
    let sectors = disk_bytes / SECTOR_BYTES;
    let cylinders = (sectors / (255 * 63)).clamp(1, 65535);
    format!(
        "# Disk DescriptorFile\n\
         version=1\n\
         CID={id:08x}\n\
         parentCID=ffffffff\n\
         createType=\"streamOptimized\"\n\
         \n\
         # Extent description\n\
         RDONLY {sectors} SPARSE \"disk.vmdk\"\n\
         \n\
         # The Disk Data Base\n\
         #DDB\n\
         \n\
         ddb.adapterType = \"lsilogic\"\n\
         ddb.geometry.cylinders = \"{cylinders}\"\n\
         ddb.geometry.heads = \"255\"\n\
         ddb.geometry.sectors = \"63\"\n\
         ddb.virtualHWVersion = \"4\"\n"
    )
}
