//! Writing in order, and going back to what could not be known before.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use amint_types::{Digest, DigestWriter};

use super::error::WriterError;
use crate::raw::next_data;

/// Bytes hashed at once.
const HASH_BYTES: usize = 256 * 1024;

/// A file that grows at its end.
pub(super) struct Output<'a> {
    file: &'a File,
    end: u64,
}

impl<'a> Output<'a> {
    /// Starts with an empty file.
    pub(super) fn new(file: &'a File) -> Self {
        Self { file, end: 0 }
    }

    /// Returns how long the file is.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Writes at the end and returns where that was.
    pub(super) fn append(&mut self, what: &'static str, bytes: &[u8]) -> Result<u64, WriterError> {
        let start = self.end;
        self.patch(what, start, bytes)?;
        self.end += bytes.len() as u64;
        Ok(start)
    }

    /// Leaves a hole at the end and returns where it begins.
    pub(super) fn skip(&mut self, bytes: u64) -> u64 {
        let start = self.end;
        self.end += bytes;
        start
    }

    /// Fills up to a multiple of `bytes` with a hole.
    pub(super) fn align(&mut self, bytes: u64) {
        self.end = self.end.next_multiple_of(bytes);
    }

    /// Writes what belongs further up.
    pub(super) fn patch(&self, what: &'static str, at: u64, bytes: &[u8]) -> Result<(), WriterError> {
        self.file.write_all_at(bytes, at).map_err(|error| WriterError::Structure(what, error))
    }

    /// Makes the file as long as it is said to be, if it ends with a hole.
    pub(super) fn finish(self) -> Result<(), WriterError> {
        self.file.set_len(self.end).map_err(|error| WriterError::Structure("the end", error))
    }
}

/// Computes length and digest of a file just written; holes are hashed but not read.
pub(super) fn digest_file(
    file: &File,
    check: impl Fn() -> Result<(), WriterError>,
) -> Result<(u64, Digest), WriterError> {
    let failed = |error: io::Error| WriterError::Structure("the digest", error);
    let bytes = file.metadata().map_err(failed)?.len();
    let mut hash = DigestWriter::new();
    let mut buffer = vec![0; HASH_BYTES];
    let mut offset = 0;
    while offset < bytes {
        check()?;
        let data = next_data(file, offset).map_err(failed)?.unwrap_or(bytes).min(bytes);
        hash_zeros(&mut hash, data - offset);
        offset = data;
        let length = usize::try_from(bytes - offset).unwrap_or(HASH_BYTES).min(HASH_BYTES);
        file.read_exact_at(&mut buffer[..length], offset).map_err(failed)?;
        hash.update(&buffer[..length]);
        offset += length as u64;
    }
    Ok((bytes, hash.finish()))
}

/// Hashes that many zeros.
pub(super) fn hash_zeros(hash: &mut DigestWriter, count: u64) {
    static ZEROS: [u8; 4096] = [0; 4096];
    let mut left = count;
    while left > 0 {
        let length = usize::try_from(left).unwrap_or(ZEROS.len()).min(ZEROS.len());
        hash.update(&ZEROS[..length]);
        left -= length as u64;
    }
}
