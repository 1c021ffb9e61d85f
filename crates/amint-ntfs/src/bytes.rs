//! Numbers and text out of bytes from outside: what lies beyond the end is `None`.

/// Returns `N` bytes from `at` on.
pub(crate) fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

/// Returns one byte.
pub(crate) fn byte(bytes: &[u8], at: usize) -> Option<u8> {
    bytes.get(at).copied()
}

/// Returns a little-endian number of 16 bits.
pub(crate) fn le_u16(bytes: &[u8], at: usize) -> Option<u16> {
    array(bytes, at).map(u16::from_le_bytes)
}

/// Returns a little-endian number of 16 bits as an index.
pub(crate) fn index_u16(bytes: &[u8], at: usize) -> Option<usize> {
    le_u16(bytes, at).map(usize::from)
}

/// Returns a little-endian number of 32 bits.
pub(crate) fn le_u32(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_le_bytes)
}

/// Returns a little-endian number of 32 bits as an index.
pub(crate) fn index_u32(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(le_u32(bytes, at)?).ok()
}

/// Returns a little-endian number of 64 bits.
pub(crate) fn le_u64(bytes: &[u8], at: usize) -> Option<u64> {
    array(bytes, at).map(u64::from_le_bytes)
}

/// Returns `length` bytes from `at` on.
pub(crate) fn slice(bytes: &[u8], at: usize, length: usize) -> Option<&[u8]> {
    bytes.get(at..at.checked_add(length)?)
}

/// Returns UTF-16 text, with what is none replaced.
pub(crate) fn utf16(bytes: &[u8]) -> String {
    let (units, _) = bytes.as_chunks::<2>();
    let units: Vec<u16> = units.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
    String::from_utf16_lossy(&units)
}
