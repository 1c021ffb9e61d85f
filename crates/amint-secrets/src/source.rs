//! One file from its source, and the free space of a file system.

use std::cell::RefCell;
use std::io::{self, Read};
use std::rc::Rc;

use amint_types::ReadAt;
use zeroize::Zeroize as _;

use crate::containers::Unpacker;
use crate::finding::{Looked, SecretError, SecretFinding};
use crate::limits::Limits;
use crate::scanner::{Memory, Run};

const READ_BYTES: usize = 256 << 10;
/// The head that tells a container.
const HEAD_BYTES: u64 = 512;

/// Looks for secrets in one file, and in what it contains.
///
/// `path` is the file's path in the image: names tell what some files hold. Findings come in the order of the content.
///
/// # Errors
/// Fails when the source cannot be read. Damaged containers are no error: they are told in [`Looked::gaps`].
pub fn scan_source(
    path: &str,
    source: &dyn ReadAt,
    limits: &Limits,
    sink: &mut dyn FnMut(SecretFinding),
) -> Result<Looked, SecretError> {
    let mut memory = Memory::new(limits);
    let size_bytes = source.size_bytes();
    let mut cursor = Cursor::new(source, 0, size_bytes);
    let mut head = Vec::new();
    let read = (&mut cursor).take(HEAD_BYTES).read_to_end(&mut head);
    read.map_err(|error| SecretError::Read { path: path.to_owned(), offset: 0, source: error })?;
    if Unpacker::wants(&head, limits) {
        let failure = Rc::default();
        let mut reader = Cursor { failure: Rc::clone(&failure), ..Cursor::new(source, 0, size_bytes) };
        let is_container =
            Unpacker::new(path, limits, &mut memory, &mut *sink).file(source, &head, &mut reader);
        if let Some((offset, error)) = failure.take() {
            return Err(SecretError::Read { path: path.to_owned(), offset, source: error });
        }
        if is_container {
            memory.looked.bytes_read = size_bytes;
            return Ok(memory.looked);
        }
    }
    scan_plain(path, source, &mut memory, sink)?;
    Ok(memory.looked)
}

/// Looks at the bytes as they are; holes are passed over.
fn scan_plain(
    path: &str,
    source: &dyn ReadAt,
    memory: &mut Memory,
    sink: &mut dyn FnMut(SecretFinding),
) -> Result<(), SecretError> {
    let size_bytes = source.size_bytes();
    let mut run = Run::file(path, "");
    let mut buffer = vec![0; usize::try_from(size_bytes).unwrap_or(READ_BYTES).min(READ_BYTES)];
    let mut offset = 0;
    while offset < size_bytes {
        let bytes = (size_bytes - offset).min(READ_BYTES as u64);
        let chunk = usize::try_from(bytes).ok().and_then(|bytes| buffer.get_mut(..bytes)).unwrap_or_default();
        if source.is_known_zero(offset, bytes) {
            run.skip(bytes, memory, sink);
        } else {
            let read = source.read_exact_at(offset, chunk);
            read.map_err(|error| SecretError::Read { path: path.to_owned(), offset, source: error })?;
            run.push(chunk, memory, sink);
            memory.looked.bytes_read += bytes;
        }
        offset += bytes;
    }
    run.finish(memory, sink);
    buffer.zeroize();
    Ok(())
}

/// A stretch of free space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Where it is on the disk, in bytes.
    pub offset: u64,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// Looks for secrets in free space, journals, swap and slack: the same engine without containers and names of files.
///
/// Blocks must come in ascending order; neighbours are joined, so that no border hides a secret. Offsets of findings are
/// those of the disk, their rule is `SEC-010`, and each value is told once. `name` is for errors.
///
/// # Errors
/// Fails with what reading a block met.
pub fn scan_blocks(
    name: &str,
    blocks: impl IntoIterator<Item = io::Result<Block>>,
    limits: &Limits,
    sink: &mut dyn FnMut(SecretFinding),
) -> Result<Looked, SecretError> {
    let mut memory = Memory::new(limits);
    let mut run = Run::free_space(name);
    let mut end = 0;
    for block in blocks {
        let block =
            block.map_err(|error| SecretError::Read { path: name.to_owned(), offset: end, source: error })?;
        run.jump(block.offset, &mut memory, sink);
        run.push(&block.bytes, &mut memory, sink);
        memory.looked.bytes_read += block.bytes.len() as u64;
        end = block.offset.saturating_add(block.bytes.len() as u64);
    }
    run.finish(&mut memory, sink);
    Ok(memory.looked)
}

/// Reads a range of a source from its beginning to its end.
pub(crate) struct Cursor<'a> {
    source: &'a dyn ReadAt,
    at: u64,
    end: u64,
    /// The first failure of the source, which decoders would hide.
    failure: Rc<RefCell<Option<(u64, io::Error)>>>,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(source: &'a dyn ReadAt, start: u64, end: u64) -> Self {
        Self { source, at: start, end: end.min(source.size_bytes()), failure: Rc::default() }
    }
}

impl Read for Cursor<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let Some(chunk) = buffer.get_mut(..buffer.len().min(left)) else { return Ok(0) };
        if let Err(error) = self.source.read_exact_at(self.at, chunk) {
            let told = io::Error::new(error.kind(), error.to_string());
            self.failure.borrow_mut().get_or_insert((self.at, error));
            return Err(told);
        }
        self.at += chunk.len() as u64;
        Ok(chunk.len())
    }
}
