use serde_json::json;

use super::{EbsAnswer, EbsRequest, block_token, page_token, readable};
use crate::operations::Call;
use crate::protocol::Fault;

/// Lists the blocks that a snapshot holds.
pub(super) fn list_snapshot_blocks(
    call: &Call<'_>,
    request: &EbsRequest<'_>,
    id: &str,
) -> Result<EbsAnswer, Fault> {
    let (count_max, start) = request.page(call)?;
    let snapshot = readable(call, id)?;
    let reader = call.world.blocks(&snapshot)?;
    let blocks = reader.manifest().blocks().iter().zip(0_u64..).skip_while(|(_, index)| *index < start);
    let mut held = blocks.filter_map(|(digest, index)| digest.map(|digest| (index, digest)));
    let page: Vec<_> = held
        .by_ref()
        .take(count_max)
        .map(|(index, digest)| json!({ "BlockIndex": index, "BlockToken": block_token(id, index, digest) }))
        .collect();
    let mut answer = json!({
        "Blocks": page,
        "BlockSize": reader.manifest().block_bytes(),
        "VolumeSize": snapshot.volume_gib,
        "ExpiryTime": request.expiry(),
    });
    if let Some((index, _)) = held.next() {
        answer["NextToken"] = page_token(index).into();
    }
    Ok(EbsAnswer::Json(answer))
}
