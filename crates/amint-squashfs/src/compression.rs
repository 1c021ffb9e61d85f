//! The compressions that a squashfs may use, one for all of it.

use liblzma::stream::{Action, Status, Stream};

/// Memory that unpacking xz and lzma may take: dictionaries are no larger than blocks, which have 1 MiB at most.
const LZMA_MEMORY_BYTES_MAX: u64 = 64 << 20;

/// How a squashfs is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    Gzip,
    Lzma,
    Lzo,
    Xz,
    Lz4,
    Zstd,
}

impl Compression {
    /// Reads the number of the superblock.
    pub(crate) fn from_number(number: u16) -> Option<Self> {
        match number {
            1 => Some(Self::Gzip),
            2 => Some(Self::Lzma),
            3 => Some(Self::Lzo),
            4 => Some(Self::Xz),
            5 => Some(Self::Lz4),
            6 => Some(Self::Zstd),
            _ => None,
        }
    }

    /// Unpacks a block of at most `bytes_max`; `None` where that cannot be done.
    pub(crate) fn unpack(self, packed: &[u8], bytes_max: usize) -> Option<Vec<u8>> {
        let mut target = vec![0; bytes_max];
        let count = match self {
            Self::Gzip => unpack_zlib(packed, &mut target)?,
            Self::Lzma => {
                unpack_lzma(Stream::new_lzma_decoder(LZMA_MEMORY_BYTES_MAX).ok()?, packed, &mut target)?
            }
            Self::Xz => {
                unpack_lzma(Stream::new_stream_decoder(LZMA_MEMORY_BYTES_MAX, 0).ok()?, packed, &mut target)?
            }
            Self::Lzo => lzokay::decompress::decompress(packed, &mut target).ok()?,
            Self::Lz4 => lz4_flex::block::decompress_into(packed, &mut target).ok()?,
            Self::Zstd => zstd::bulk::decompress_to_buffer(packed, &mut target[..]).ok()?,
        };
        target.truncate(count);
        Some(target)
    }
}

fn unpack_zlib(packed: &[u8], target: &mut [u8]) -> Option<usize> {
    let mut decoder = flate2::Decompress::new(true);
    let status = decoder.decompress(packed, target, flate2::FlushDecompress::Finish).ok()?;
    let count = usize::try_from(decoder.total_out()).ok()?;
    (status == flate2::Status::StreamEnd).then_some(count)
}

fn unpack_lzma(mut decoder: Stream, packed: &[u8], target: &mut [u8]) -> Option<usize> {
    let mut done = 0;
    loop {
        let taken = usize::try_from(decoder.total_in()).ok()?;
        let rest = target.get_mut(done..)?;
        let status = decoder.process(packed.get(taken..)?, rest, Action::Finish).ok()?;
        let count = usize::try_from(decoder.total_out()).ok()?;
        match status {
            Status::StreamEnd => return Some(count),
            // Without an end mark, lzma ends where the block is full.
            _ if count == target.len() => return Some(count),
            _ if count == done => return None,
            _ => done = count,
        }
    }
}
