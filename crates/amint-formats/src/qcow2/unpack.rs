//! Unpacking compressed clusters.

use std::io::{self, Read as _};

use flate2::read::DeflateDecoder;

use super::header::Compression;

/// Largest window that a frame may ask memory for: 4 MiB, twice the largest cluster.
const ZSTD_WINDOW_LOG_MAX: u32 = 22;

/// Unpacks exactly one cluster; what follows it in its last sector is not looked at.
pub(super) fn unpack(compression: Compression, packed: &[u8], cluster_bytes: usize) -> io::Result<Vec<u8>> {
    let mut cluster = vec![0; cluster_bytes];
    match compression {
        // Without the header and checksum of zlib.
        Compression::Deflate => DeflateDecoder::new(packed).read_exact(&mut cluster)?,
        Compression::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(packed)?.single_frame();
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
            decoder.read_exact(&mut cluster)?;
        }
    }
    Ok(cluster)
}
