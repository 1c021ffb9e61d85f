//! The image: reading and unpacking its blocks and tables.

use std::sync::Arc;

use amint_fs::FsError;
use amint_types::ReadAt;

use crate::bytes::{u16_at, u32_at, u64_at};
use crate::cache::Cache;
use crate::error::damaged;
use crate::superblock::Superblock;
use crate::table::Table;
use crate::xattr::XattrTables;

/// Bytes of an unpacked block of metadata; only the last of a table is shorter.
pub(crate) const METADATA_BYTES: usize = 8192;
/// Bit of a metadata block's length: it is not compressed.
const METADATA_PLAIN: u16 = 1 << 15;
/// Bit of a data block's length: it is not compressed.
const DATA_PLAIN: u32 = 1 << 24;
/// Blocks of metadata that are kept: 4 MiB.
const METADATA_KEPT: usize = 512;
/// Bytes of fragments that are kept.
const FRAGMENTS_KEPT_BYTES: usize = 8 << 20;
/// Bytes of an entry of the table of ids.
const ID_BYTES: usize = 4;
/// Bytes of an entry of the table of fragments.
const FRAGMENT_BYTES: usize = 16;

/// An unpacked block of metadata.
#[derive(Debug)]
pub(crate) struct MetadataBlock {
    pub(crate) bytes: Vec<u8>,
    /// Where the next block begins.
    pub(crate) next: u64,
}

/// Where a block of data is, and how long it is as stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) place: u64,
    /// The length with the bit for blocks that are not compressed.
    pub(crate) size: u32,
}

impl Stored {
    /// Returns how many bytes are stored: none for a hole.
    pub(crate) fn bytes(self) -> u32 {
        self.size & !DATA_PLAIN
    }
}

/// An image with what was unpacked of it last.
pub(crate) struct Image {
    source: Arc<dyn ReadAt>,
    superblock: Superblock,
    metadata: Cache<u64, MetadataBlock>,
    fragments: Cache<u32, Vec<u8>>,
    ids: Table<ID_BYTES>,
    fragment_table: Table<FRAGMENT_BYTES>,
    xattrs: Option<XattrTables>,
}

impl Image {
    /// Reads the superblock and the lists of tables.
    pub(crate) fn open(source: Arc<dyn ReadAt>) -> Result<Self, FsError> {
        let superblock = Superblock::read(source.as_ref())?;
        let block_bytes = usize::try_from(superblock.block_bytes).unwrap_or(usize::MAX);
        let fragment_table = match superblock.fragment_table {
            Some(place) => Table::read(source.as_ref(), place, superblock.fragment_count)?,
            None => Table::default(),
        };
        let xattrs =
            superblock.xattr_table.map(|place| XattrTables::read(source.as_ref(), place)).transpose()?;
        Ok(Self {
            ids: Table::read(source.as_ref(), superblock.id_table, u32::from(superblock.id_count))?,
            fragment_table,
            xattrs,
            source,
            metadata: Cache::new(METADATA_KEPT),
            fragments: Cache::new(FRAGMENTS_KEPT_BYTES / block_bytes),
            superblock,
        })
    }

    /// Returns what the superblock says.
    pub(crate) fn superblock(&self) -> &Superblock {
        &self.superblock
    }

    /// Returns bytes of an unpacked block of data.
    pub(crate) fn block_bytes(&self) -> usize {
        usize::try_from(self.superblock.block_bytes).unwrap_or(usize::MAX)
    }

    /// Fills `buffer` with what is stored.
    pub(crate) fn read(&self, place: u64, buffer: &mut [u8]) -> Result<(), FsError> {
        Ok(self.source.read_exact_at(place, buffer)?)
    }

    /// Returns the unpacked block of metadata that begins at `place`.
    pub(crate) fn metadata(&self, place: u64) -> Result<Arc<MetadataBlock>, FsError> {
        self.metadata.get(place, || {
            let wrong = || damaged(format!("the block of metadata at {place} cannot be unpacked"));
            let mut head = [0; 2];
            self.read(place, &mut head)?;
            let head = u16::from_le_bytes(head);
            let stored_bytes = usize::from(head & !METADATA_PLAIN);
            if stored_bytes == 0 || stored_bytes > METADATA_BYTES {
                return Err(damaged(format!("a block of metadata of {stored_bytes} bytes at {place}")));
            }
            let start = place.checked_add(2).ok_or_else(wrong)?;
            let next = start.checked_add(stored_bytes as u64).ok_or_else(wrong)?;
            let mut stored = vec![0; stored_bytes];
            self.read(start, &mut stored)?;
            let bytes = if head & METADATA_PLAIN == 0 {
                self.superblock.compression.unpack(&stored, METADATA_BYTES).ok_or_else(wrong)?
            } else {
                stored
            };
            Ok(MetadataBlock { bytes, next })
        })
    }

    /// Returns a user or group by its place in the table of ids.
    pub(crate) fn id(&self, index: u16) -> Result<u32, FsError> {
        self.ids.entry(self, u32::from(index)).map(u32::from_le_bytes)
    }

    /// Returns where a fragment is stored.
    pub(crate) fn fragment_place(&self, index: u32) -> Result<Stored, FsError> {
        let entry = self.fragment_table.entry(self, index)?;
        Ok(Stored { place: long(&entry, 0), size: word(&entry, 8) })
    }

    /// Returns the tables of extended attributes, where there are any.
    pub(crate) fn xattrs(&self) -> Option<&XattrTables> {
        self.xattrs.as_ref()
    }

    /// Returns an unpacked fragment.
    pub(crate) fn fragment(&self, index: u32) -> Result<Arc<Vec<u8>>, FsError> {
        self.fragments.get(index, || {
            let place = self.fragment_place(index)?;
            let mut stored = vec![0; self.stored_bytes(place)?];
            self.read(place.place, &mut stored)?;
            self.unpack(place, &stored)
        })
    }

    /// Returns how many bytes are stored for a block of data, if that makes sense.
    pub(crate) fn stored_bytes(&self, stored: Stored) -> Result<usize, FsError> {
        // Compressed blocks that come out larger are stored as they are, so none is larger than it unpacks to.
        if stored.bytes() > self.superblock.block_bytes {
            return Err(damaged(format!("a block of {} bytes at {}", stored.bytes(), stored.place)));
        }
        Ok(usize::try_from(stored.bytes()).unwrap_or(usize::MAX))
    }

    /// Unpacks a block of data.
    pub(crate) fn unpack(&self, place: Stored, stored: &[u8]) -> Result<Vec<u8>, FsError> {
        if place.size & DATA_PLAIN != 0 {
            return Ok(stored.to_vec());
        }
        let unpacked = self.superblock.compression.unpack(stored, self.block_bytes());
        unpacked.ok_or_else(|| damaged(format!("the block at {} cannot be unpacked", place.place)))
    }
}

/// Reads a number of 2 bytes that a caller has made sure of.
pub(crate) fn short(bytes: &[u8], at: usize) -> u16 {
    u16_at(bytes, at).unwrap_or(0)
}

/// Reads a number of 4 bytes that a caller has made sure of.
pub(crate) fn word(bytes: &[u8], at: usize) -> u32 {
    u32_at(bytes, at).unwrap_or(0)
}

/// Reads a number of 8 bytes that a caller has made sure of.
pub(crate) fn long(bytes: &[u8], at: usize) -> u64 {
    u64_at(bytes, at).unwrap_or(0)
}
