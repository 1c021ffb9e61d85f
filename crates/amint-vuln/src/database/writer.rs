//! Collects rows in memory and writes them.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;

use amint_provenance::SigningKey;
use sha2::{Digest as _, Sha256};

use super::DatabaseError;
use super::codec::{Decoder, Encoder, damaged};
use super::format::{HEADER_BYTES, Header, INDEX_BYTES_MAX, SEAL_BYTES_MAX, SOURCES_MAX, ZSTD_LEVEL};
use super::pages::PageWriter;
use super::seal::seal;
use super::sources::{self, SourceInfo};

/// Most bytes of rows that are held: what all of Debian and OSV have is far below.
const ROW_BYTES_MAX: usize = 2 * 1024 * 1024 * 1024;

/// Rows by their keys, as they come.
#[derive(Default)]
pub(crate) struct Store {
    /// Values of one key lie one after the other, each with its source and length before it.
    values: HashMap<Box<[u8]>, Vec<u8>>,
    bytes: usize,
}

impl Store {
    /// Adds a row of the source with this number.
    pub(crate) fn add(&mut self, key: Vec<u8>, source: usize, row: &[u8]) -> Result<(), DatabaseError> {
        let mut encoder = Encoder::default();
        encoder.length(source);
        encoder.blob(row);
        self.bytes = self.bytes.saturating_add(encoder.bytes.len());
        if self.bytes > ROW_BYTES_MAX {
            return Err(DatabaseError::TooLarge("the advisories have more than 2 GiB"));
        }
        self.values.entry(key.into_boxed_slice()).or_default().extend(encoder.bytes);
        Ok(())
    }

    /// Writes the database. Sources have the numbers that rows were added with.
    pub(crate) fn write(
        self,
        sources: &[SourceInfo],
        out: &mut dyn Write,
        key: Option<&SigningKey>,
    ) -> Result<(), DatabaseError> {
        if sources.len() > SOURCES_MAX {
            return Err(DatabaseError::TooLarge("it has too many sources"));
        }
        // The order in which sources were added must not show.
        let sorted: BTreeMap<&str, usize> =
            sources.iter().enumerate().map(|(index, source)| (source.name.as_str(), index)).collect();
        let mut numbers = vec![0; sources.len()];
        for (number, index) in sorted.values().enumerate() {
            if let Some(slot) = numbers.get_mut(*index) {
                *slot = number;
            }
        }
        let sources: Vec<SourceInfo> =
            sorted.values().filter_map(|index| sources.get(*index)).cloned().collect();
        let mut values: Vec<(Box<[u8]>, Vec<u8>)> = self.values.into_iter().collect();
        values.sort_unstable_by(|left, right| left.0.cmp(&right.0));
        let mut pages = PageWriter::default();
        for (key, value) in values {
            pages.add(&key, &sort_rows(&value, &numbers)?)?;
        }
        pages.close()?;
        write_file(&sources, &pages, out, key)
    }
}

/// Renumbers the sources of rows, and puts rows into an order that does not tell how they came.
fn sort_rows(value: &[u8], numbers: &[usize]) -> Result<Vec<u8>, DatabaseError> {
    let mut rows = Vec::new();
    let mut decoder = Decoder::new(value);
    while !decoder.is_empty() {
        let source: usize = decoder.narrow()?;
        let source = numbers.get(source).ok_or_else(damaged)?;
        rows.push((*source, decoder.blob()?));
    }
    rows.sort_unstable();
    rows.dedup();
    let mut encoder = Encoder::default();
    encoder.length(rows.len());
    for (source, row) in rows {
        encoder.length(source);
        encoder.blob(row);
    }
    Ok(encoder.bytes)
}

fn write_file(
    sources: &[SourceInfo],
    pages: &PageWriter,
    out: &mut dyn Write,
    key: Option<&SigningKey>,
) -> Result<(), DatabaseError> {
    let mut index = Encoder::default();
    sources::encode(sources, &mut index);
    index.length(pages.entries.len());
    for page in &pages.entries {
        index.blob(&page.first_key);
        index.length(page.packed_bytes);
        index.length(page.bytes);
        index.bytes.extend(page.sha256);
    }
    if index.bytes.len() > INDEX_BYTES_MAX {
        return Err(DatabaseError::TooLarge("the index is too long"));
    }
    let packed = zstd::bulk::compress(&index.bytes, ZSTD_LEVEL)?;
    let too_large = |_| DatabaseError::TooLarge("the index is too long");
    let mut header = Header {
        index_packed_bytes: packed.len().try_into().map_err(too_large)?,
        index_bytes: index.bytes.len().try_into().map_err(too_large)?,
        seal_bytes: 0,
        index_offset: (HEADER_BYTES + pages.packed.len()).try_into().map_err(too_large)?,
        index_sha256: Sha256::digest(&packed).into(),
    };
    let seal = key.map(|key| seal(header, key)).transpose()?.unwrap_or_default();
    if seal.len() > SEAL_BYTES_MAX {
        return Err(DatabaseError::TooLarge("the signature is too long"));
    }
    header.seal_bytes = seal.len().try_into().map_err(too_large)?;
    for part in [header.to_bytes().as_slice(), &pages.packed, &packed, &seal] {
        out.write_all(part)?;
    }
    Ok(out.flush()?)
}
