//! Entries of second-level tables.

use super::header::Header;
use crate::bytes::be_u64;

const COMPRESSED: u64 = 1 << 62;
/// Version 3: the cluster reads as zero.
const ZERO: u64 = 1;
/// Bits that tell where a cluster is.
const PLACE: u64 = 0x00ff_ffff_ffff_fe00;
/// Parts of a cluster that an extended entry knows.
pub(super) const SUBCLUSTERS: u64 = 32;

/// Where one unit of the disk (a cluster, or a subcluster of an extended table) comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Nothing is stored: the backing file has it, or it is zero.
    Missing,
    Zero,
    /// Stored at this byte.
    Stored(u64),
    Compressed,
}

/// A compressed cluster in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Compressed {
    pub(super) offset: u64,
    /// How many bytes it has at most: the format counts in sectors.
    pub(super) bytes: u64,
}

/// An entry as it stands in a table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    value: u64,
    /// Which subclusters are stored (low half) and zero (high half); none without subclusters.
    bitmap: Option<u64>,
}

impl Entry {
    /// Finds the entry of a cluster in the bytes of its table.
    pub(super) fn find(table: &[u8], header: &Header, cluster: usize) -> Option<Self> {
        if header.has_subclusters {
            let at = cluster.checked_mul(16)?;
            Some(Self { value: be_u64(table, at)?, bitmap: Some(be_u64(table, at + 8)?) })
        } else {
            Some(Self { value: be_u64(table, cluster.checked_mul(8)?)?, bitmap: None })
        }
    }

    /// Tells where a subcluster comes from; without subclusters, where the cluster does.
    ///
    /// Fails with what is wrong.
    pub(super) fn unit(self, header: &Header, subcluster: u64) -> Result<Unit, &'static str> {
        if self.value & COMPRESSED != 0 {
            return Ok(Unit::Compressed);
        }
        let place = self.value & PLACE;
        if !place.is_multiple_of(header.cluster_bytes()) {
            return Err("points amid a cluster");
        }
        let is_marked_zero = self.value & ZERO != 0;
        let Some(bitmap) = self.bitmap else {
            return match (is_marked_zero, place) {
                (true, _) if header.version < 3 => Err("says zero, which version 2 does not know"),
                (true, _) => Ok(Unit::Zero),
                (false, 0) => Ok(Unit::Missing),
                (false, place) => Ok(Unit::Stored(place)),
            };
        };
        let is_stored = bitmap >> subcluster & 1 != 0;
        let is_zero = bitmap >> (subcluster + SUBCLUSTERS) & 1 != 0;
        match (is_stored, is_zero) {
            _ if is_marked_zero => Err("says zero for the whole cluster in a table of subclusters"),
            (true, true) => Err("says that a subcluster is both stored and zero"),
            (true, false) if place == 0 => Err("says that a subcluster is stored, and not where"),
            (true, false) => Ok(Unit::Stored(place + subcluster * (header.cluster_bytes() / SUBCLUSTERS))),
            (false, true) => Ok(Unit::Zero),
            (false, false) => Ok(Unit::Missing),
        }
    }

    /// Tells where a compressed cluster is; none when it is not compressed.
    pub(super) fn compressed(self, header: &Header) -> Option<Compressed> {
        if self.value & COMPRESSED == 0 {
            return None;
        }
        let offset_bits = 62 - (header.cluster_bits - 8);
        let offset = self.value & ((1 << offset_bits) - 1);
        let sectors = ((self.value & (COMPRESSED - 1)) >> offset_bits) + 1;
        Some(Compressed { offset, bytes: sectors * 512 - offset % 512 })
    }
}
