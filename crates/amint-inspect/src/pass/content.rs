//! The content of one file, for analyzers that choose their places.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use amint_fs::{FsError, OpenFile};
use amint_types::ReadAt;

/// How much of a file is kept from one reading to the next.
const WINDOW_BYTES: usize = 128 * 1024;

/// The content of one file: whole in memory where it is small, else read where it is asked for.
pub struct Content<'a> {
    bytes: u64,
    whole: Option<&'a [u8]>,
    reader: Mutex<Reader<'a>>,
}

struct Reader<'a> {
    file: Option<Box<dyn OpenFile + 'a>>,
    window: Vec<u8>,
    window_start: u64,
    read_bytes: u64,
}

impl<'a> Content<'a> {
    pub(crate) fn whole(bytes: &'a [u8]) -> Self {
        let reader = Reader { file: None, window: Vec::new(), window_start: 0, read_bytes: 0 };
        Self { bytes: bytes.len() as u64, whole: Some(bytes), reader: Mutex::new(reader) }
    }

    pub(crate) fn of(file: Box<dyn OpenFile + 'a>) -> Self {
        let bytes = file.size_bytes();
        let reader = Reader { file: Some(file), window: Vec::new(), window_start: 0, read_bytes: 0 };
        Self { bytes, whole: None, reader: Mutex::new(reader) }
    }

    /// Returns how many bytes were read from the disk.
    pub(crate) fn read_bytes(&self) -> u64 {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner).read_bytes
    }

    /// Returns all of it, if it is no larger than `limit_bytes`; none beyond.
    ///
    /// # Errors
    /// Fails when it cannot be read.
    pub fn all(&self, limit_bytes: u64) -> io::Result<Option<std::borrow::Cow<'_, [u8]>>> {
        if self.bytes > limit_bytes {
            return Ok(None);
        }
        if let Some(whole) = self.whole {
            return Ok(Some(whole.into()));
        }
        let mut bytes = vec![0; usize::try_from(self.bytes).map_err(io::Error::other)?];
        self.read_exact_at(0, &mut bytes)?;
        Ok(Some(bytes.into()))
    }
}

impl ReadAt for Content<'_> {
    fn size_bytes(&self) -> u64 {
        self.bytes
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        if let Some(whole) = self.whole {
            return whole.read_exact_at(offset, buffer);
        }
        let end = offset.checked_add(buffer.len() as u64).ok_or(io::ErrorKind::UnexpectedEof)?;
        if end > self.bytes {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.reader.lock().unwrap_or_else(PoisonError::into_inner).read(offset, buffer)
    }
}

impl Reader<'_> {
    fn read(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        if buffer.len() >= WINDOW_BYTES {
            return self.fill(offset, buffer);
        }
        let is_inside = |reader: &Self| {
            let end = reader.window_start + reader.window.len() as u64;
            offset >= reader.window_start && offset + buffer.len() as u64 <= end
        };
        if !is_inside(self) {
            let file = self.file.as_ref().map_or(0, |file| file.size_bytes());
            let left = usize::try_from(file.saturating_sub(offset)).unwrap_or(WINDOW_BYTES);
            let mut window = std::mem::take(&mut self.window);
            window.resize(left.min(WINDOW_BYTES), 0);
            self.fill(offset, &mut window)?;
            self.window = window;
            self.window_start = offset;
        }
        let start = usize::try_from(offset - self.window_start).unwrap_or(usize::MAX);
        let bytes = start.checked_add(buffer.len()).and_then(|end| self.window.get(start..end));
        buffer.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn fill(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let file = self.file.as_mut().ok_or(io::ErrorKind::UnexpectedEof)?;
        let mut done = 0;
        while done < buffer.len() {
            match file.read_at(offset + done as u64, &mut buffer[done..]).map_err(into_io)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => done += count,
            }
        }
        self.read_bytes += done as u64;
        Ok(())
    }
}

/// Says an error of a file system as one of reading.
pub(crate) fn into_io(error: FsError) -> io::Error {
    match error {
        FsError::Io(source) => io::Error::new(source.kind(), Arc::clone(&source)),
        other => io::Error::new(io::ErrorKind::InvalidData, other),
    }
}
