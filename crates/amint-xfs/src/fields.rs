//! Numbers inside blocks: big-endian on the disk, and in the journal in the order of the machine that wrote it.

use amint_fs::FsError;

/// The name of the file system in errors.
pub(crate) const KIND: &str = "xfs";

/// Makes the error that the file system contradicts itself.
pub(crate) fn damaged(what: impl Into<String>) -> FsError {
    FsError::Damaged { filesystem: KIND, what: what.into() }
}

/// Makes the error that a limit of the reader was met.
pub(crate) fn limit(what: impl Into<String>) -> FsError {
    FsError::Limit { filesystem: KIND, what: what.into() }
}

/// Bytes with numbers in them; reading beyond the end is damage.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl<'a> Fields<'a> {
    /// Returns `bytes` bytes from `offset` on.
    pub(crate) fn slice(self, offset: usize, bytes: usize) -> Result<&'a [u8], FsError> {
        offset
            .checked_add(bytes)
            .and_then(|end| self.0.get(offset..end))
            .ok_or_else(|| damaged(format!("a structure ends before its byte {offset}")))
    }

    /// Returns a fixed number of bytes.
    pub(crate) fn array<const BYTES: usize>(self, offset: usize) -> Result<[u8; BYTES], FsError> {
        let slice = self.slice(offset, BYTES)?;
        slice.try_into().map_err(|_| damaged("a structure is too short"))
    }

    pub(crate) fn u8(self, offset: usize) -> Result<u8, FsError> {
        Ok(u8::from_be_bytes(self.array(offset)?))
    }

    pub(crate) fn u16(self, offset: usize) -> Result<u16, FsError> {
        Ok(u16::from_be_bytes(self.array(offset)?))
    }

    pub(crate) fn u32(self, offset: usize) -> Result<u32, FsError> {
        Ok(u32::from_be_bytes(self.array(offset)?))
    }

    pub(crate) fn u64(self, offset: usize) -> Result<u64, FsError> {
        Ok(u64::from_be_bytes(self.array(offset)?))
    }

    /// A little-endian number: checksums, and what the journal holds.
    pub(crate) fn u16_le(self, offset: usize) -> Result<u16, FsError> {
        Ok(u16::from_le_bytes(self.array(offset)?))
    }

    /// A little-endian number.
    pub(crate) fn u32_le(self, offset: usize) -> Result<u32, FsError> {
        Ok(u32::from_le_bytes(self.array(offset)?))
    }

    /// A little-endian number.
    pub(crate) fn u64_le(self, offset: usize) -> Result<u64, FsError> {
        Ok(u64::from_le_bytes(self.array(offset)?))
    }
}
