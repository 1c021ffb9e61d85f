use amint_types::BLOCK_BYTES;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

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
    let checksum = STANDARD.encode(Sha256::digest(request.body));
    if header(request, "x-amz-checksum") != Some(checksum.as_str()) {
        return Err(wrong("The checksum is not that of the data"));
    }
    call.world.touch(id, call.now);
    call.world.writer(id)?.put(index, request.body).map_err(|_| Fault::internal())?;
    Ok(EbsAnswer::Written(checksum))
}
