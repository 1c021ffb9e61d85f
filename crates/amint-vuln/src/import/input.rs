//! Where a source comes from, and what it is packed with.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;

use super::ImportError;

/// Most bytes of one source after unpacking.
const SOURCE_BYTES_MAX: u64 = 16 * 1024 * 1024 * 1024;
/// Most memory that a stream may ask its unpacker for.
const XZ_MEMORY_BYTES_MAX: u64 = 256 * 1024 * 1024;
const ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// A source: a stream, a file or a folder of files. Streams and files may be packed with gzip, zstd or xz.
pub enum Input<'a> {
    /// A stream.
    Reader(Box<dyn Read + 'a>),
    /// A file; zip archives must come as one.
    File(PathBuf),
    /// All files below a folder, in the order of their names. Links are not followed.
    Folder(PathBuf),
}

impl<'a> Input<'a> {
    /// Takes bytes.
    pub fn bytes(bytes: &'a [u8]) -> Self {
        Self::Reader(Box::new(bytes))
    }

    /// Returns the unpacked stream.
    pub(super) fn reader(self) -> Result<Box<dyn BufRead + 'a>, ImportError> {
        match self {
            Self::Reader(reader) => unpack(reader),
            Self::File(path) => unpack(Box::new(File::open(path)?)),
            Self::Folder(_) => Err(ImportError::Form("a folder cannot be in this form")),
        }
    }
}

/// Unpacks a stream by its first bytes.
pub(super) fn unpack<'a>(reader: Box<dyn Read + 'a>) -> Result<Box<dyn BufRead + 'a>, ImportError> {
    let mut reader = BufReader::with_capacity(64 * 1024, reader);
    // A reader may give less than asked at first; six bytes are in any first piece of a real file.
    let start = reader.fill_buf()?;
    let unpacked: Box<dyn Read + 'a> = if start.starts_with(&[0x1f, 0x8b]) {
        Box::new(flate2::bufread::MultiGzDecoder::new(reader))
    } else if start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        let mut decoder = zstd::Decoder::with_buffer(reader)?;
        decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
        Box::new(decoder)
    } else if start.starts_with(&[0xfd, b'7', b'z', b'X', b'Z', 0]) {
        let stream =
            liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY_BYTES_MAX, liblzma::stream::CONCATENATED)
                .map_err(io::Error::from)?;
        Box::new(liblzma::bufread::XzDecoder::new_stream(reader, stream))
    } else {
        return Ok(Box::new(BufReader::new(Limited { reader, left: SOURCE_BYTES_MAX })));
    };
    Ok(Box::new(BufReader::with_capacity(64 * 1024, Limited { reader: unpacked, left: SOURCE_BYTES_MAX })))
}

/// Fails instead of ending when there is more than the limit.
struct Limited<R> {
    reader: R,
    left: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.left = self
            .left
            .checked_sub(u64::try_from(count).unwrap_or(u64::MAX))
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "it has more than 16 GiB"))?;
        Ok(count)
    }
}
