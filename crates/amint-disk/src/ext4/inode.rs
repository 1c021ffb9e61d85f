//! One inode of 256 bytes.

use super::attributes::INLINE_BYTES;
use super::bytes::{high_u16, high_u32, low_u16, low_u32, put_u16, put_u32};
use super::checksum;

/// The blocks are an extent tree.
pub(super) const FLAG_EXTENTS: u32 = 0x8_0000;
/// The directory is a hash tree.
pub(super) const FLAG_INDEX: u32 = 0x1000;
/// Bytes of the fields behind the first 128 that we fill.
const EXTRA_BYTES: u16 = 32;
const CHECKSUM_LOW_AT: usize = 124;
const CHECKSUM_HIGH_AT: usize = 130;
const ATTRIBUTES_AT: usize = 160;
/// 34 bits of seconds, of which the lower 32 are signed.
const SECONDS_MIN: i64 = -(1 << 31);
const SECONDS_MAX: i64 = (1 << 34) - (1 << 31) - 1;

/// What an inode says.
#[derive(Clone, Debug)]
pub(super) struct InodeRecord {
    pub(super) mode: u16,
    pub(super) owner: u32,
    pub(super) group: u32,
    pub(super) bytes: u64,
    pub(super) links: u16,
    /// Blocks of 4 KiB in use.
    pub(super) blocks: u64,
    pub(super) flags: u32,
    /// Extent tree, block pointers, device number or target of a short symbolic link.
    pub(super) body: [u8; 60],
    pub(super) attribute_block: u64,
    pub(super) attributes: [u8; INLINE_BYTES],
    pub(super) mtime_seconds: i64,
    /// Every other time stamp.
    pub(super) epoch_seconds: i64,
}

impl InodeRecord {
    /// Builds the inode with its checksum.
    pub(super) fn encode(&self, inode_seed: u32) -> [u8; 256] {
        let mut record = [0; 256];
        let sectors = self.blocks * 8;
        put_u16(&mut record, 0, self.mode);
        put_u16(&mut record, 2, low_u16(self.owner));
        put_u32(&mut record, 4, low_u32(self.bytes));
        put_time(&mut record, 8, 140, self.epoch_seconds);
        put_time(&mut record, 12, 132, self.epoch_seconds);
        put_time(&mut record, 16, 136, self.mtime_seconds);
        put_time(&mut record, 144, 148, self.epoch_seconds);
        put_u16(&mut record, 24, low_u16(self.group));
        put_u16(&mut record, 26, self.links);
        put_u32(&mut record, 28, low_u32(sectors));
        put_u32(&mut record, 32, self.flags);
        record[40..100].copy_from_slice(&self.body);
        put_u32(&mut record, 104, low_u32(self.attribute_block));
        put_u32(&mut record, 108, high_u32(self.bytes));
        put_u16(&mut record, 116, low_u16(high_u32(sectors)));
        put_u16(&mut record, 118, low_u16(high_u32(self.attribute_block)));
        put_u16(&mut record, 120, high_u16(self.owner));
        put_u16(&mut record, 122, high_u16(self.group));
        put_u16(&mut record, 128, EXTRA_BYTES);
        record[ATTRIBUTES_AT..].copy_from_slice(&self.attributes);
        let sum = checksum::extend(inode_seed, &record);
        put_u16(&mut record, CHECKSUM_LOW_AT, low_u16(sum));
        put_u16(&mut record, CHECKSUM_HIGH_AT, high_u16(sum));
        record
    }
}

/// Stores whole seconds: 32 signed bits, and two more bits in the extra field for years from 2038 on.
fn put_time(record: &mut [u8], at: usize, extra_at: usize, seconds: i64) {
    let seconds = seconds.clamp(SECONDS_MIN, SECONDS_MAX);
    let low = low_u32(seconds.cast_unsigned());
    let era = (seconds - i64::from(low.cast_signed())) >> 32;
    put_u32(record, at, low);
    put_u32(record, extra_at, low_u32(era.cast_unsigned()) & 3);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_beyond_2038_take_the_extra_bits() {
        let stored = |seconds| {
            let mut record = [0; 8];
            put_time(&mut record, 0, 4, seconds);
            (u32::from_le_bytes(record[..4].try_into().unwrap()), record[4])
        };
        assert_eq!(stored(0), (0, 0));
        assert_eq!(stored(-1), (u32::MAX, 0));
        assert_eq!(stored(0x7fff_ffff), (0x7fff_ffff, 0));
        assert_eq!(stored(0x8000_0000), (0x8000_0000, 1));
        assert_eq!(stored(0x1_8000_0000), (0x8000_0000, 2));
        assert_eq!(stored(i64::MAX), (0x7fff_ffff, 3));
        assert_eq!(stored(i64::MIN), (0x8000_0000, 0));
    }
}
