//! Compressed extents: zlib, LZO in btrfs's own framing, zstd.

use std::io::Read as _;

use amint_fs::FsError;

use crate::bytes::u32_at;
use crate::error::damaged;

/// The largest extent before and after compression: the kernel makes none over 128 KiB.
pub(crate) const EXTENT_BYTES_MAX: u64 = 1 << 20;
/// Windows of zstd are as large as an extent at most.
const ZSTD_WINDOW_LOG_MAX: u32 = 20;
/// Bytes of the lengths in LZO's framing.
const LENGTH_BYTES: usize = 4;

/// How an extent is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Zlib,
    Lzo,
    Zstd,
}

/// Unpacks an extent to `bytes`. The stream may end up to one sector earlier: the kernel packs a last sector only as
/// far as the file goes, and the rest is zero.
pub(crate) fn unpack(
    method: Method,
    packed: &[u8],
    bytes: usize,
    sector_bytes: usize,
) -> Result<Vec<u8>, FsError> {
    let mut unpacked = vec![0; bytes];
    let count = match method {
        Method::Zlib => fill(flate2::bufread::ZlibDecoder::new(packed), &mut unpacked),
        Method::Zstd => unpack_zstd(packed, &mut unpacked),
        Method::Lzo => unpack_lzo(packed, &mut unpacked, sector_bytes),
    };
    let count = count.ok_or_else(|| damaged("compressed data that cannot be unpacked"))?;
    if bytes - count >= sector_bytes {
        return Err(damaged(format!("compressed data of {count} bytes where {bytes} are promised")));
    }
    Ok(unpacked)
}

/// Reads until the end or until `target` is full, and returns how much came.
fn fill(mut reader: impl std::io::Read, target: &mut [u8]) -> Option<usize> {
    let mut done = 0;
    while let Some(rest) = target.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest).ok()? {
            0 => break,
            count => done += count,
        }
    }
    Some(done)
}

fn unpack_zstd(packed: &[u8], target: &mut [u8]) -> Option<usize> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(packed).ok()?.single_frame();
    decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).ok()?;
    fill(decoder.by_ref(), target)
}

/// Unpacks segments of one sector each. Lengths never lie across the border of a sector.
fn unpack_lzo(packed: &[u8], target: &mut [u8], sector_bytes: usize) -> Option<usize> {
    let total = usize::try_from(u32_at(packed, 0)?).ok()?;
    let packed = packed.get(..total)?;
    let mut at = LENGTH_BYTES;
    let mut done = 0;
    while at < packed.len() && done < target.len() {
        let left = sector_bytes - at % sector_bytes;
        if left < LENGTH_BYTES {
            at += left;
            continue;
        }
        let bytes = usize::try_from(u32_at(packed, at)?).ok()?;
        at += LENGTH_BYTES;
        let segment = packed.get(at..at.checked_add(bytes)?)?;
        at += bytes;
        let end = target.len().min(done + sector_bytes);
        let count = lzokay::decompress::decompress(segment, target.get_mut(done..end)?).ok()?;
        done += count;
        // Only the last segment may be shorter than a sector.
        if count < sector_bytes {
            break;
        }
    }
    Some(done)
}
