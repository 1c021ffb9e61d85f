//! Little-endian fields at fixed places.

/// Bytes of one block of the file system.
pub(super) const BLOCK_BYTES: u64 = 4096;
/// Bytes of one block, as a length of memory.
pub(super) const BLOCK_LENGTH: usize = 4096;

/// Stores a 16-bit field.
pub(super) fn put_u16(record: &mut [u8], at: usize, value: u16) {
    record[at..at + 2].copy_from_slice(&value.to_le_bytes());
}

/// Stores a 32-bit field.
pub(super) fn put_u32(record: &mut [u8], at: usize, value: u32) {
    record[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

/// Returns bits 0 to 31.
pub(super) fn low_u32(value: u64) -> u32 {
    let [a, b, c, d, ..] = value.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// Returns bits 32 to 63.
pub(super) fn high_u32(value: u64) -> u32 {
    low_u32(value >> 32)
}

/// Returns bits 0 to 15.
pub(super) fn low_u16(value: u32) -> u16 {
    let [a, b, ..] = value.to_le_bytes();
    u16::from_le_bytes([a, b])
}

/// Returns bits 16 to 31.
pub(super) fn high_u16(value: u32) -> u16 {
    low_u16(value >> 16)
}

/// Turns a count that memory already bounds into a length.
pub(super) fn length(value: u64) -> usize {
    usize::try_from(value).expect("the host has 64-bit addresses")
}
