//! Fields at fixed places; what is not there is damage.

use amint_fs::FsError;

use crate::error::{damaged, over_limit};

/// The bytes of one structure, and what it is called when it is too short.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a> {
    bytes: &'a [u8],
    what: &'static str,
}

impl<'a> Fields<'a> {
    /// Looks at `bytes` as `what`, with its article: `an inode`.
    pub(crate) fn new(bytes: &'a [u8], what: &'static str) -> Self {
        Self { bytes, what }
    }

    /// Returns `count` bytes from `at` on.
    pub(crate) fn slice(&self, at: usize, count: usize) -> Result<&'a [u8], FsError> {
        at.checked_add(count)
            .and_then(|end| self.bytes.get(at..end))
            .ok_or_else(|| damaged(format!("{} that is cut short", self.what)))
    }

    /// Returns `N` bytes from `at` on.
    pub(crate) fn array<const N: usize>(&self, at: usize) -> Result<[u8; N], FsError> {
        let mut array = [0; N];
        array.copy_from_slice(self.slice(at, N)?);
        Ok(array)
    }

    /// Returns one byte.
    pub(crate) fn u8(&self, at: usize) -> Result<u8, FsError> {
        self.array(at).map(u8::from_le_bytes)
    }

    /// Returns a little-endian number of 2 bytes.
    pub(crate) fn u16(&self, at: usize) -> Result<u16, FsError> {
        self.array(at).map(u16::from_le_bytes)
    }

    /// Returns a little-endian number of 4 bytes.
    pub(crate) fn u32(&self, at: usize) -> Result<u32, FsError> {
        self.array(at).map(u32::from_le_bytes)
    }

    /// Returns a big-endian number of 2 bytes, as journals have them.
    pub(crate) fn u16_big(&self, at: usize) -> Result<u16, FsError> {
        self.array(at).map(u16::from_be_bytes)
    }

    /// Returns a big-endian number of 4 bytes.
    pub(crate) fn u32_big(&self, at: usize) -> Result<u32, FsError> {
        self.array(at).map(u32::from_be_bytes)
    }

    /// Returns a big-endian number of 8 bytes.
    pub(crate) fn u64_big(&self, at: usize) -> Result<u64, FsError> {
        self.array(at).map(u64::from_be_bytes)
    }
}

/// Joins the two halves of a number.
pub(crate) fn join(low: u32, high: u32) -> u64 {
    u64::from(low) | u64::from(high) << 32
}

/// Joins the two halves of a number of 4 bytes.
pub(crate) fn join_small(low: u16, high: u16) -> u32 {
    u32::from(low) | u32::from(high) << 16
}

/// Turns a number into an index or a length in memory.
pub(crate) fn index(number: u64) -> Result<usize, FsError> {
    usize::try_from(number).map_err(|_| over_limit(format!("{number} bytes in one piece")))
}
