//! Reads a database page by page.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use amint_types::ReadAt;

use super::codec::Decoder;
use super::file::FileSource;
use super::format::{
    HEADER_BYTES, Header, INDEX_BYTES_MAX, KEY_BYTES_MAX, PAGE_BYTES_MAX, SEAL_BYTES_MAX, Table,
};
use super::pages::{PageEntry, entries, key, unpack};
use super::seal::{self, Trust};
use super::sources::{self, SourceInfo};
use super::{DatabaseError, rows};
use crate::ecosystem::Ecosystem;
use crate::record::{Facts, Record, SupportNote};

/// How much unpacked pages may stay in memory.
const CACHE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Something of a database with the number of its source in [`Database::sources`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The index of its source.
    pub source: usize,
    /// What the source says.
    pub value: T,
}

/// An open database.
pub struct Database {
    file: Box<dyn ReadAt>,
    sources: Vec<SourceInfo>,
    signers: Vec<String>,
    pages: Vec<PageEntry>,
    cache: Mutex<Cache>,
}

#[derive(Default)]
struct Cache {
    pages: HashMap<usize, Arc<Vec<u8>>>,
    bytes: usize,
}

impl Database {
    /// Opens a file.
    pub fn open(path: &Path, trust: Trust<'_>) -> Result<Self, DatabaseError> {
        Self::from_source(Box::new(FileSource::open(path)?), trust)
    }

    /// Opens a source of bytes: checks the header, the signature and the index, and reads no page yet.
    pub fn from_source(file: Box<dyn ReadAt>, trust: Trust<'_>) -> Result<Self, DatabaseError> {
        if file.size_bytes() < HEADER_BYTES as u64 {
            return Err(DatabaseError::NotADatabase);
        }
        let mut bytes = [0; HEADER_BYTES];
        file.read_exact_at(0, &mut bytes)?;
        let header = Header::from_bytes(&bytes)?;
        let bounded = |bytes: u32, limit: usize, what| match usize::try_from(bytes) {
            Ok(bytes) if bytes <= limit => Ok(bytes),
            _ => Err(DatabaseError::TooLarge(what)),
        };
        let packed_bytes = bounded(header.index_packed_bytes, INDEX_BYTES_MAX, "the index is too long")?;
        let index_bytes = bounded(header.index_bytes, INDEX_BYTES_MAX, "the index is too long")?;
        let seal_bytes = bounded(header.seal_bytes, SEAL_BYTES_MAX, "the signature is too long")?;
        let seal_offset = header.index_offset.checked_add(u64::from(header.index_packed_bytes));
        let end = seal_offset.and_then(|offset| offset.checked_add(u64::from(header.seal_bytes)));
        if end != Some(file.size_bytes()) {
            return Err(DatabaseError::Damaged("it is not as long as it should be"));
        }
        let read = |offset: u64, bytes: usize| -> Result<Vec<u8>, DatabaseError> {
            let mut buffer = vec![0; bytes];
            file.read_exact_at(offset, &mut buffer)?;
            Ok(buffer)
        };
        let seal = read(seal_offset.unwrap_or(0), seal_bytes)?;
        let signers = seal::check(header, &seal, trust)?;
        let index = unpack(&read(header.index_offset, packed_bytes)?, index_bytes, &header.index_sha256)?;
        let mut decoder = Decoder::new(&index);
        let sources = sources::decode(&mut decoder)?;
        let pages = decode_pages(&mut decoder, header.index_offset)?;
        decoder.finish()?;
        Ok(Self { file, sources, signers, pages, cache: Mutex::default() })
    }

    /// Returns its sources, by name.
    pub fn sources(&self) -> &[SourceInfo] {
        &self.sources
    }

    /// Returns the ids of the trusted keys that signed it; none when none was asked for.
    pub fn signers(&self) -> &[String] {
        &self.signers
    }

    /// Returns what is recorded on a package.
    pub fn records(
        &self,
        ecosystem: &Ecosystem,
        package: &str,
    ) -> Result<Vec<Sourced<Record>>, DatabaseError> {
        let key = key(Table::Records, &[&ecosystem.to_string(), package]);
        self.rows(&key, |decoder| rows::decode_record(decoder, ecosystem, package))
    }

    /// Returns what is known of a vulnerability or an advisory.
    pub fn facts(&self, id: &str) -> Result<Vec<Sourced<Facts>>, DatabaseError> {
        self.rows(&key(Table::Facts, &[id]), rows::decode_facts)
    }

    /// Returns the newest version of a source package in a suite (`debian:12`, `bookworm-security`).
    pub fn newest(
        &self,
        ecosystem: &Ecosystem,
        suite: &str,
        source: &str,
    ) -> Result<Option<Sourced<String>>, DatabaseError> {
        let key = key(Table::Newest, &[&format!("{ecosystem}/{suite}"), source]);
        let versions = self.rows(&key, rows::decode_text)?;
        let scheme = ecosystem.scheme();
        Ok(versions
            .into_iter()
            .max_by(|left, right| crate::versions::compare(scheme, &left.value, &right.value)))
    }

    /// Returns the suites of a release whose newest versions are known.
    pub fn suites(&self, ecosystem: &Ecosystem) -> Result<Vec<String>, DatabaseError> {
        let mut suites = Vec::new();
        self.with_prefix(&key(Table::Suites, &[&format!("{ecosystem}/")]), |rest, _| {
            suites.push(String::from_utf8_lossy(rest).into_owned());
            Ok(())
        })?;
        Ok(suites)
    }

    /// Returns the notes on support of a release.
    pub fn support_notes(&self, ecosystem: &Ecosystem) -> Result<Vec<Sourced<SupportNote>>, DatabaseError> {
        let mut notes = Vec::new();
        self.with_prefix(&key(Table::Support, &[&ecosystem.to_string(), ""]), |_, value| {
            notes.extend(decode_rows(value, &self.sources, rows::decode_support)?);
            Ok(())
        })?;
        Ok(notes)
    }

    /// Reads every page and checks all of it.
    pub fn verify(&self) -> Result<(), DatabaseError> {
        let mut last: Vec<u8> = Vec::new();
        for index in 0..self.pages.len() {
            let page = self.page(index)?;
            for entry in entries(&page) {
                let (key, _) = entry?;
                if key <= last.as_slice() {
                    return Err(DatabaseError::Damaged("its entries are not in order"));
                }
                last = key.to_vec();
            }
        }
        Ok(())
    }

    fn rows<T>(
        &self,
        key: &[u8],
        decode: impl FnMut(&mut Decoder<'_>) -> Result<T, DatabaseError>,
    ) -> Result<Vec<Sourced<T>>, DatabaseError> {
        let after = self.pages.partition_point(|page| page.first_key.as_slice() <= key);
        let Some(index) = after.checked_sub(1) else { return Ok(Vec::new()) };
        let page = self.page(index)?;
        for entry in entries(&page) {
            let (found, value) = entry?;
            if found == key {
                return decode_rows(value, &self.sources, decode);
            }
            if found > key {
                break;
            }
        }
        Ok(Vec::new())
    }

    /// Visits all entries whose key begins with a prefix, with the rest of the key.
    fn with_prefix(
        &self,
        prefix: &[u8],
        mut visit: impl FnMut(&[u8], &[u8]) -> Result<(), DatabaseError>,
    ) -> Result<(), DatabaseError> {
        let first = self.pages.partition_point(|page| page.first_key.as_slice() <= prefix).saturating_sub(1);
        for index in first..self.pages.len() {
            let page = self.page(index)?;
            for entry in entries(&page) {
                let (found, value) = entry?;
                match found.strip_prefix(prefix) {
                    Some(rest) => visit(rest, value)?,
                    None if found > prefix => return Ok(()),
                    None => {}
                }
            }
        }
        Ok(())
    }

    fn page(&self, index: usize) -> Result<Arc<Vec<u8>>, DatabaseError> {
        let lock = || self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(page) = lock().pages.get(&index) {
            return Ok(page.clone());
        }
        let entry = self.pages.get(index).ok_or(DatabaseError::Damaged("a page is missing"))?;
        let mut packed = vec![0; entry.packed_bytes];
        self.file.read_exact_at(entry.offset, &mut packed)?;
        let page = Arc::new(unpack(&packed, entry.bytes, &entry.sha256)?);
        let mut cache = lock();
        if cache.bytes.saturating_add(page.len()) > CACHE_BYTES_MAX {
            *cache = Cache::default();
        }
        cache.bytes = cache.bytes.saturating_add(page.len());
        cache.pages.insert(index, page.clone());
        Ok(page)
    }
}

fn decode_rows<T>(
    value: &[u8],
    sources: &[SourceInfo],
    mut decode: impl FnMut(&mut Decoder<'_>) -> Result<T, DatabaseError>,
) -> Result<Vec<Sourced<T>>, DatabaseError> {
    let mut decoder = Decoder::new(value);
    let count = decoder.length()?;
    let mut rows = Vec::new();
    for _ in 0..count {
        let source: usize = decoder.narrow()?;
        if source >= sources.len() {
            return Err(DatabaseError::Damaged("a record has no source"));
        }
        let mut row = Decoder::new(decoder.blob()?);
        rows.push(Sourced { source, value: decode(&mut row)? });
        row.finish()?;
    }
    decoder.finish()?;
    Ok(rows)
}

/// Reads what the index knows of pages: they fill all between header and index.
fn decode_pages(decoder: &mut Decoder<'_>, end: u64) -> Result<Vec<PageEntry>, DatabaseError> {
    let damaged = DatabaseError::Damaged("its index makes no sense");
    let mut pages: Vec<PageEntry> = Vec::new();
    let mut offset = HEADER_BYTES as u64;
    for _ in 0..decoder.length()? {
        let first_key = decoder.blob()?.to_vec();
        let (packed_bytes, bytes): (usize, usize) = (decoder.narrow()?, decoder.narrow()?);
        let sha256 =
            decoder.take(32)?.try_into().map_err(|_| DatabaseError::Damaged("a checksum is short"))?;
        let is_sorted = pages.last().is_none_or(|page| page.first_key < first_key);
        let is_small = first_key.len() <= KEY_BYTES_MAX && bytes <= PAGE_BYTES_MAX;
        if !is_sorted || !is_small || packed_bytes > zstd::zstd_safe::compress_bound(PAGE_BYTES_MAX) {
            return Err(damaged);
        }
        pages.push(PageEntry { first_key, offset, packed_bytes, bytes, sha256 });
        offset = offset.saturating_add(packed_bytes as u64);
    }
    if offset == end { Ok(pages) } else { Err(damaged) }
}
