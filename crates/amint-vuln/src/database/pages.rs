//! Pages of sorted entries.

use sha2::{Digest as _, Sha256};

use super::DatabaseError;
use super::codec::{Decoder, Encoder};
use super::format::{KEY_BYTES_MAX, PAGE_BYTES, PAGE_BYTES_MAX, Table, ZSTD_LEVEL};

/// Makes a key: the table's letter, then the parts with a NUL between them.
pub(crate) fn key(table: Table, parts: &[&str]) -> Vec<u8> {
    let mut key = vec![table.letter()];
    key.extend(parts.join("\0").into_bytes());
    key
}

/// What the index knows of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PageEntry {
    pub(super) first_key: Vec<u8>,
    pub(super) offset: u64,
    pub(super) packed_bytes: usize,
    pub(super) bytes: usize,
    pub(super) sha256: [u8; 32],
}

/// Collects entries, sorted by key, into pages.
#[derive(Default)]
pub(super) struct PageWriter {
    page: Encoder,
    first_key: Vec<u8>,
    /// All pages that are done, one after the other.
    pub(super) packed: Vec<u8>,
    pub(super) entries: Vec<PageEntry>,
}

impl PageWriter {
    pub(super) fn add(&mut self, key: &[u8], value: &[u8]) -> Result<(), DatabaseError> {
        if key.len() > KEY_BYTES_MAX {
            return Err(DatabaseError::TooLarge("the name of a package is too long"));
        }
        if self.page.bytes.is_empty() {
            key.clone_into(&mut self.first_key);
        }
        self.page.blob(key);
        self.page.blob(value);
        if self.page.bytes.len() > PAGE_BYTES_MAX {
            return Err(DatabaseError::TooLarge("a package has too many advisories"));
        }
        if self.page.bytes.len() >= PAGE_BYTES { self.close() } else { Ok(()) }
    }

    pub(super) fn close(&mut self) -> Result<(), DatabaseError> {
        if self.page.bytes.is_empty() {
            return Ok(());
        }
        let page = std::mem::take(&mut self.page.bytes);
        let packed = zstd::bulk::compress(&page, ZSTD_LEVEL)?;
        self.entries.push(PageEntry {
            first_key: std::mem::take(&mut self.first_key),
            offset: 0,
            packed_bytes: packed.len(),
            bytes: page.len(),
            sha256: Sha256::digest(&packed).into(),
        });
        self.packed.extend(packed);
        Ok(())
    }
}

/// Unpacks a page or an index whose checksum is known.
pub(super) fn unpack(packed: &[u8], bytes: usize, sha256: &[u8; 32]) -> Result<Vec<u8>, DatabaseError> {
    if Sha256::digest(packed).as_slice() != sha256 {
        return Err(DatabaseError::Damaged("a checksum is wrong"));
    }
    let unpacked = zstd::bulk::decompress(packed, bytes)
        .map_err(|_| DatabaseError::Damaged("a page cannot be unpacked"))?;
    if unpacked.len() != bytes {
        return Err(DatabaseError::Damaged("a page has another size than the index says"));
    }
    Ok(unpacked)
}

/// Goes through the entries of a page.
pub(super) fn entries(page: &[u8]) -> impl Iterator<Item = Result<(&[u8], &[u8]), DatabaseError>> {
    let mut decoder = Decoder::new(page);
    let mut has_failed = false;
    std::iter::from_fn(move || {
        if decoder.is_empty() || has_failed {
            return None;
        }
        let entry = decoder.blob().and_then(|key| Ok((key, decoder.blob()?)));
        has_failed = entry.is_err();
        Some(entry)
    })
}
