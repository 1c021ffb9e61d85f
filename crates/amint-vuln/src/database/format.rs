//! Numbers of the format: the header and the limits.

use super::DatabaseError;

/// The version of the format that is written and read.
pub const FORMAT_VERSION: u32 = 1;

pub(super) const MAGIC: &[u8; 8] = b"AMINTVUL";
pub(super) const HEADER_BYTES: usize = 64;
/// A page is closed when it holds this much; one long value may make it longer.
pub(super) const PAGE_BYTES: usize = 16 * 1024;
/// Longest page: the kernel's records of one release have some hundreds of KiB.
pub(super) const PAGE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Longest index: some 100 bytes for each page.
pub(super) const INDEX_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Longest seal.
pub(super) const SEAL_BYTES_MAX: usize = 1024 * 1024;
/// Longest key.
pub(super) const KEY_BYTES_MAX: usize = 2048;
/// Most sources.
pub(super) const SOURCES_MAX: usize = 4096;
/// How hard zstd tries: beyond this, size hardly changes.
pub(super) const ZSTD_LEVEL: i32 = 9;

/// A table, by the first letter of its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    /// Records by ecosystem and package.
    Records,
    /// Facts by id.
    Facts,
    /// Newest versions by suite and source package.
    Newest,
    /// Notes on support.
    Support,
    /// Suites whose versions are known.
    Suites,
}

impl Table {
    pub(crate) fn letter(self) -> u8 {
        match self {
            Self::Records => b'a',
            Self::Facts => b'f',
            Self::Newest => b'n',
            Self::Support => b's',
            Self::Suites => b'u',
        }
    }
}

/// The header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) index_packed_bytes: u32,
    pub(super) index_bytes: u32,
    pub(super) seal_bytes: u32,
    pub(super) index_offset: u64,
    pub(super) index_sha256: [u8; 32],
}

impl Header {
    pub(super) fn to_bytes(self) -> [u8; HEADER_BYTES] {
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        bytes.extend(MAGIC);
        bytes.extend(FORMAT_VERSION.to_le_bytes());
        bytes.extend(self.index_packed_bytes.to_le_bytes());
        bytes.extend(self.index_bytes.to_le_bytes());
        bytes.extend(self.seal_bytes.to_le_bytes());
        bytes.extend(self.index_offset.to_le_bytes());
        bytes.extend(self.index_sha256);
        let mut header = [0; HEADER_BYTES];
        header.copy_from_slice(&bytes);
        header
    }

    /// What is signed: the header without the size of the seal, which is not known before.
    pub(super) fn signed_bytes(self) -> [u8; HEADER_BYTES] {
        Self { seal_bytes: 0, ..self }.to_bytes()
    }

    pub(super) fn from_bytes(bytes: &[u8; HEADER_BYTES]) -> Result<Self, DatabaseError> {
        let (magic, rest) = bytes.split_at(8);
        if magic != MAGIC {
            return Err(DatabaseError::NotADatabase);
        }
        let number = |offset: usize| -> u32 {
            let field = rest.get(offset..offset + 4).and_then(|field| field.try_into().ok());
            u32::from_le_bytes(field.unwrap_or_default())
        };
        let version = number(0);
        if version != FORMAT_VERSION {
            return Err(DatabaseError::Version { found: version, known: FORMAT_VERSION });
        }
        let offset = rest.get(16..24).and_then(|field| field.try_into().ok()).unwrap_or_default();
        let index_sha256 = rest.get(24..56).and_then(|field| field.try_into().ok()).unwrap_or_default();
        Ok(Self {
            index_packed_bytes: number(4),
            index_bytes: number(8),
            seal_bytes: number(12),
            index_offset: u64::from_le_bytes(offset),
            index_sha256,
        })
    }
}
