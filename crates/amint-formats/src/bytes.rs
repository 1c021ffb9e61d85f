//! Numbers out of bytes, and pieces out of files, with all bounds checked.

use amint_types::ReadAt;

use crate::{Format, FormatError};

/// Bytes of a sector, where a format counts in them.
pub(crate) const SECTOR_BYTES: u64 = 512;

/// Returns `N` bytes from `at` on, if they are there.
pub(crate) fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk::<N>().copied()
}

pub(crate) fn be_u32(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_be_bytes)
}

pub(crate) fn be_u64(bytes: &[u8], at: usize) -> Option<u64> {
    array(bytes, at).map(u64::from_be_bytes)
}

pub(crate) fn le_u16(bytes: &[u8], at: usize) -> Option<u16> {
    array(bytes, at).map(u16::from_le_bytes)
}

pub(crate) fn le_u32(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_le_bytes)
}

pub(crate) fn le_u64(bytes: &[u8], at: usize) -> Option<u64> {
    array(bytes, at).map(u64::from_le_bytes)
}

/// Returns a number as an index; one that no memory has is larger than any, so that `get` finds nothing.
pub(crate) fn index(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Tells whether `bytes` from `offset` on lie within the source.
pub(crate) fn is_within(source: &dyn ReadAt, offset: u64, bytes: u64) -> bool {
    offset.checked_add(bytes).is_some_and(|end| end <= source.size_bytes())
}

/// Returns a value that is there more than once.
pub(crate) fn repeated<T: Copy + Ord>(values: impl Iterator<Item = T>) -> Option<T> {
    let mut values: Vec<T> = values.collect();
    values.sort_unstable();
    values.array_windows().find(|[one, other]| one == other).map(|[one, _]| *one)
}

/// A part of a file to read: what it is called in errors, and where it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub(crate) format: Format,
    pub(crate) what: &'static str,
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
}

impl Part {
    /// Reads the part; the caller has bounded its length.
    pub(crate) fn read(self, source: &dyn ReadAt) -> Result<Vec<u8>, FormatError> {
        let Self { format, what, offset, bytes } = self;
        if !is_within(source, offset, bytes) {
            let size = source.size_bytes();
            return Err(format.damaged(format!(
                "{what} ({bytes} bytes at byte {offset}) reaches beyond the end of the file ({size} bytes)"
            )));
        }
        let mut buffer = vec![0; index(bytes)];
        source.read_exact_at(offset, &mut buffer).map_err(|source| FormatError::Read {
            what,
            offset,
            source,
        })?;
        Ok(buffer)
    }
}
