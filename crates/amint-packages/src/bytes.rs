//! Numbers and lines out of bytes that nobody vouches for.

use std::borrow::Cow;

/// Returns `length` bytes from `offset` on, if they are all there.
pub(crate) fn slice(bytes: &[u8], offset: usize, length: usize) -> Option<&[u8]> {
    bytes.get(offset..offset.checked_add(length)?)
}

fn array<const N: usize>(bytes: &[u8], offset: usize) -> Option<[u8; N]> {
    slice(bytes, offset, N)?.try_into().ok()
}

/// Reads a big-endian number.
pub(crate) fn be_u16(bytes: &[u8], offset: usize) -> Option<u16> {
    array(bytes, offset).map(u16::from_be_bytes)
}

/// Reads a big-endian number.
pub(crate) fn be_u32(bytes: &[u8], offset: usize) -> Option<u32> {
    array(bytes, offset).map(u32::from_be_bytes)
}

/// Reads a little-endian number.
pub(crate) fn le_u16(bytes: &[u8], offset: usize) -> Option<u16> {
    array(bytes, offset).map(u16::from_le_bytes)
}

/// Reads a little-endian number.
pub(crate) fn le_u32(bytes: &[u8], offset: usize) -> Option<u32> {
    array(bytes, offset).map(u32::from_le_bytes)
}

/// Reads a big-endian number and makes it an index.
pub(crate) fn be_index(bytes: &[u8], offset: usize) -> Option<usize> {
    be_u32(bytes, offset).and_then(|number| usize::try_from(number).ok())
}

/// Returns text, with what is no UTF-8 replaced.
pub(crate) fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// Returns the lines with their numbers from 1, without their ends.
pub(crate) fn lines(bytes: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let is_empty = bytes.is_empty();
    (1..)
        .zip(bytes.split(|byte| *byte == b'\n'))
        .take_while(move |_| !is_empty)
        .map(|(number, line)| (number, line.strip_suffix(b"\r").unwrap_or(line)))
}

/// Cuts text at a character boundary so that it has at most `limit_bytes`.
pub(crate) fn cut(text: &str, limit_bytes: usize) -> &str {
    let mut end = text.len().min(limit_bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
