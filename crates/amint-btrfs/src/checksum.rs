//! The four kinds of checksums.

use blake2::digest::consts::U32;
use blake2::{Blake2b, Digest as _};
use sha2::Sha256;
use twox_hash::XxHash64;

/// Bytes that every checksum has room for in blocks of metadata.
pub(crate) const CHECKSUM_BYTES_MAX: usize = 32;

/// Which checksum a file system uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Checksum {
    Crc32c,
    Xxhash,
    Sha256,
    Blake2b,
}

impl Checksum {
    /// Reads the number of the superblock.
    pub(crate) fn from_number(number: u16) -> Option<Self> {
        match number {
            0 => Some(Self::Crc32c),
            1 => Some(Self::Xxhash),
            2 => Some(Self::Sha256),
            3 => Some(Self::Blake2b),
            _ => None,
        }
    }

    /// Returns how many bytes it has.
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::Crc32c => 4,
            Self::Xxhash => 8,
            Self::Sha256 | Self::Blake2b => 32,
        }
    }

    /// Computes it over `data`; bytes behind [`Checksum::bytes`] are zero.
    pub(crate) fn of(self, data: &[u8]) -> [u8; CHECKSUM_BYTES_MAX] {
        let mut sum = [0; CHECKSUM_BYTES_MAX];
        match self {
            Self::Crc32c => sum[..4].copy_from_slice(&crc32c::crc32c(data).to_le_bytes()),
            Self::Xxhash => sum[..8].copy_from_slice(&XxHash64::oneshot(0, data).to_le_bytes()),
            Self::Sha256 => sum.copy_from_slice(&Sha256::digest(data)),
            Self::Blake2b => sum.copy_from_slice(&Blake2b::<U32>::digest(data)),
        }
        sum
    }

    /// Tells whether `expected`, as it stands on the disk, is the checksum of `data`.
    pub(crate) fn fits(self, data: &[u8], expected: &[u8]) -> bool {
        expected.get(..self.bytes()) == Some(&self.of(data)[..self.bytes()])
    }
}

/// Returns the hash that names of a folder and of attributes are found by.
pub(crate) fn name_hash(name: &[u8]) -> u32 {
    // The kernel's function begins with `!1` and leaves out the usual inversion at both ends.
    !crc32c::crc32c_append(1, name)
}
