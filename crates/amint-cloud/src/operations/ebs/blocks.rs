use amint_types::BlockSource;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::{EbsAnswer, EbsRequest, block_token, invalid, readable};
use crate::operations::Call;
use crate::protocol::Fault;

/// Reads one block.
pub(super) fn get_snapshot_block(
    call: &Call<'_>,
    request: &EbsRequest<'_>,
    id: &str,
    index: &str,
) -> Result<EbsAnswer, Fault> {
    let index: u64 = index.parse().map_err(|_| invalid("INVALID_BLOCK", "The block index is no number"))?;
    let reader = call.world.blocks(readable(call, id)?.as_ref())?;
    let position = usize::try_from(index).unwrap_or(usize::MAX);
    let digest = reader
        .manifest()
        .blocks()
        .get(position)
        .copied()
        .flatten()
        .ok_or_else(|| invalid("INVALID_BLOCK", "The snapshot holds no such block"))?;
    if request.value("blockToken").is_none_or(|token| token != block_token(id, index, digest)) {
        return Err(invalid("INVALID_BLOCK_TOKEN", "The block token is not valid"));
    }
    // The last block of a disk may be shorter; a snapshot's never is.
    let mut block = vec![0; usize::try_from(reader.manifest().block_bytes()).unwrap_or(0)];
    let read = reader.read_block(index, &mut block).map_err(|_| Fault::internal())?;
    // The store has just compared the content with its digest.
    let is_whole = read == Some(block.len());
    let checksum =
        if is_whole { STANDARD.encode(digest.as_bytes()) } else { STANDARD.encode(Sha256::digest(&block)) };
    Ok(EbsAnswer::Block(block, checksum))
}
