use amint_types::{BLOCK_BYTES, Digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{EbsAnswer, EbsRequest, header, invalid, writable};
use crate::operations::Call;
use crate::protocol::Fault;

/// Blocks of a GiB.
pub(super) const BLOCKS_OF_GIB: u64 = (1 << 30) / BLOCK_BYTES;

/// Writes one block.
pub(super) fn put_snapshot_block(
    call: &Call<'_>,
    request: &EbsRequest<'_>,
    id: &str,
    index: &str,
) -> Result<EbsAnswer, Fault> {
    let wrong = |message: &str| invalid("INVALID_PARAMETER_VALUE", message);
    let snapshot = writable(call, id)?;
    let index: u64 = index.parse().map_err(|_| invalid("INVALID_BLOCK", "The block index is no number"))?;
    if index >= snapshot.volume_gib * BLOCKS_OF_GIB {
        return Err(invalid("INVALID_BLOCK", "The block index is beyond the end of the volume"));
    }
    let length = header(request, "x-amz-data-length").and_then(|text| text.parse::<u64>().ok());
    if length != Some(BLOCK_BYTES) || request.body.len() as u64 != BLOCK_BYTES {
        return Err(wrong("The data length has to be 524288"));
    }
    if header(request, "x-amz-checksum-algorithm") != Some("SHA256") {
        return Err(wrong("The checksum algorithm has to be SHA256"));
    }
    let progress = header(request, "x-amz-progress").map(str::parse::<u8>);
    if progress.is_some_and(|progress| !matches!(progress, Ok(0..=100))) {
        return Err(wrong("The progress is not between 0 and 100"));
    }
    let checksum = header(request, "x-amz-checksum").unwrap_or_default();
    let expected = STANDARD.decode(checksum).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    let not_that = || wrong("The checksum is not that of the data");
    let expected = Digest::from_bytes(expected.ok_or_else(not_that)?);
    call.world.touch(id, call.now);
    let is_written = call.world.writer(id)?.put_expected(index, request.body, expected);
    if !is_written.map_err(|_| Fault::internal())? {
        return Err(not_that());
    }
    Ok(EbsAnswer::Written(checksum.to_owned()))
}
