//! Chunks: where a logical address is on the device (btrfs on-disk format, "Chunk tree").
//!
//! Only what one device can hold is mapped: single, DUP, and RAID0 of one stripe, which is the same as single.

use amint_fs::FsError;

use crate::bytes::{u16_at, u64_at};
use crate::error::{damaged, over_limit, short, unsupported};
use crate::key::{KEY_BYTES, Key, kind, object};

/// How many chunks a device may have: more than fit on 256 TiB of the usual 1 GiB.
const CHUNKS_MAX: usize = 1 << 18;
/// Copies on one device: DUP.
const COPIES_MAX: u16 = 2;
const STRIPES_AT: usize = 48;
const STRIPE_BYTES: usize = 32;
const RAID0: u64 = 1 << 3;
const DUP: u64 = 1 << 5;
/// Profiles by bit, for messages.
const PROFILES: [(u64, &str); 7] = [
    (RAID0, "RAID0 over several stripes"),
    (1 << 4, "RAID1"),
    (1 << 6, "RAID10"),
    (1 << 7, "RAID5"),
    (1 << 8, "RAID6"),
    (1 << 9, "RAID1C3"),
    (1 << 10, "RAID1C4"),
];

/// One chunk: a range of logical addresses and its copies on the device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    pub(crate) logical: u64,
    pub(crate) bytes: u64,
    /// Where each copy begins on the device.
    pub(crate) copies: Vec<u64>,
}

/// All chunks, by logical address.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chunks(Vec<Chunk>);

/// A run of bytes on the device.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run<'a> {
    chunk: &'a Chunk,
    offset: u64,
}

impl Run<'_> {
    /// Returns how many bytes follow in the same chunk.
    pub(crate) fn bytes(self) -> u64 {
        self.chunk.bytes - self.offset
    }

    /// Returns how many copies there are.
    pub(crate) fn copy_count(self) -> usize {
        self.chunk.copies.len()
    }

    /// Returns where a copy is on the device.
    pub(crate) fn physical(self, copy: usize) -> Option<u64> {
        self.chunk.copies.get(copy)?.checked_add(self.offset)
    }
}

impl Chunks {
    /// Reads the chunks that the superblock carries.
    pub(crate) fn from_superblock(bytes: &[u8], device_id: u64) -> Result<Self, FsError> {
        let mut chunks = Self::default();
        let mut at = 0;
        while at < bytes.len() {
            let key = Key::read(bytes, at).ok_or_else(|| short("a system chunk"))?;
            if key.kind != kind::CHUNK_ITEM || key.object != object::FIRST_CHUNK_TREE {
                return Err(damaged("something that is no chunk among the system chunks"));
            }
            at += KEY_BYTES;
            let item = bytes.get(at..).unwrap_or_default();
            let stripes = u16_at(item, 44).ok_or_else(|| short("a system chunk"))?;
            chunks.add(key.offset, item, device_id)?;
            at += STRIPES_AT + usize::from(stripes) * STRIPE_BYTES;
        }
        chunks.sort()?;
        Ok(chunks)
    }

    /// Adds the chunk of one item.
    pub(crate) fn add(&mut self, logical: u64, item: &[u8], device_id: u64) -> Result<(), FsError> {
        if self.0.len() >= CHUNKS_MAX {
            return Err(over_limit(format!("more than {CHUNKS_MAX} chunks")));
        }
        let missing = || short("a chunk");
        let bytes = u64_at(item, 0).ok_or_else(missing)?;
        let profile = u64_at(item, 24).ok_or_else(missing)?;
        let stripes = u16_at(item, 44).ok_or_else(missing)?;
        for (bit, name) in PROFILES {
            if profile & bit != 0 && !(bit == RAID0 && stripes == 1) {
                return Err(unsupported(format!("the profile {name}")));
            }
        }
        let expected = if profile & DUP == 0 { 1 } else { COPIES_MAX };
        if stripes != expected || bytes == 0 || logical.checked_add(bytes).is_none() {
            return Err(damaged(format!("a chunk at {logical} of {bytes} bytes in {stripes} stripes")));
        }
        let mut copies = Vec::with_capacity(usize::from(stripes));
        for stripe in 0..usize::from(stripes) {
            let at = STRIPES_AT + stripe * STRIPE_BYTES;
            let device = u64_at(item, at).ok_or_else(missing)?;
            let physical = u64_at(item, at + 8).ok_or_else(missing)?;
            if device != device_id || physical.checked_add(bytes).is_none() {
                return Err(damaged(format!("a chunk at {logical} on device {device}")));
            }
            copies.push(physical);
        }
        self.0.push(Chunk { logical, bytes, copies });
        Ok(())
    }

    /// Sorts after the last [`Chunks::add`] and refuses chunks that overlap.
    pub(crate) fn sort(&mut self) -> Result<(), FsError> {
        self.0.sort_by_key(|chunk| chunk.logical);
        self.0.dedup();
        for pair in self.0.windows(2) {
            if let [first, second] = pair
                && first.logical + first.bytes > second.logical
            {
                return Err(damaged(format!("chunks that overlap at {}", second.logical)));
            }
        }
        Ok(())
    }

    /// Finds where a logical address is.
    pub(crate) fn find(&self, logical: u64) -> Result<Run<'_>, FsError> {
        let index = self.0.partition_point(|chunk| chunk.logical <= logical);
        let chunk = index.checked_sub(1).and_then(|index| self.0.get(index));
        match chunk {
            Some(chunk) if logical - chunk.logical < chunk.bytes => {
                Ok(Run { chunk, offset: logical - chunk.logical })
            }
            _ => Err(damaged(format!("the address {logical}, which is in no chunk"))),
        }
    }

    /// Returns every copy of every chunk as (place on the device, chunk), in the order of the device.
    pub(crate) fn by_place(&self) -> Vec<(u64, &Chunk)> {
        let mut places: Vec<(u64, &Chunk)> = self
            .0
            .iter()
            .flat_map(|chunk| chunk.copies.iter().map(move |physical| (*physical, chunk)))
            .collect();
        places.sort_by_key(|(physical, _)| *physical);
        places
    }
}
