//! How members of packages and indexes are compressed.

use std::io::{self, BufRead, Read};

/// Most memory that decompressing one xz file may take: `xz -9` needs 65 MiB.
const XZ_MEMORY_BYTES_MAX: u64 = 192 * 1024 * 1024;
/// Largest window of a Zstandard frame, as a power of two: `zstd --ultra -22` uses 27.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// A compression of `deb(5)` and of repository indexes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compression {
    /// Not compressed.
    None,
    /// `.gz`
    Gzip,
    /// `.xz`
    Xz,
    /// `.lzma`, of old packages.
    Lzma,
    /// `.zst`
    Zstd,
}

impl Compression {
    /// Tells the compression from a file name's extension: an empty text, or one with its dot.
    pub fn of_extension(extension: &str) -> Option<Self> {
        match extension {
            "" => Some(Self::None),
            ".gz" => Some(Self::Gzip),
            ".xz" => Some(Self::Xz),
            ".lzma" => Some(Self::Lzma),
            ".zst" => Some(Self::Zstd),
            _ => None,
        }
    }

    /// Returns a reader of the decompressed bytes. Frames and streams that follow each other are read on.
    pub fn reader<'a>(self, source: impl BufRead + Send + 'a) -> io::Result<Box<dyn Read + Send + 'a>> {
        Ok(match self {
            Self::None => Box::new(source),
            Self::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(source)),
            Self::Xz => {
                let flags = liblzma::stream::CONCATENATED;
                let stream = liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY_BYTES_MAX, flags)?;
                Box::new(liblzma::bufread::XzDecoder::new_stream(source, stream))
            }
            Self::Lzma => {
                let stream = liblzma::stream::Stream::new_lzma_decoder(XZ_MEMORY_BYTES_MAX)?;
                Box::new(liblzma::bufread::XzDecoder::new_stream(source, stream))
            }
            Self::Zstd => {
                let mut reader = zstd::stream::read::Decoder::with_buffer(source)?;
                reader.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
                Box::new(reader)
            }
        })
    }
}
