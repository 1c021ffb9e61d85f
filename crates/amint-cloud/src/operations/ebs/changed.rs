use serde_json::json;

use super::{EbsAnswer, EbsRequest, block_token, invalid, page_token, readable};
use crate::operations::Call;
use crate::protocol::Fault;

/// Lists the blocks in which two snapshots differ. Without a first one, all of the second.
///
/// As in EC2 they have to be of one line: one was begun with the other, or both with a third. Images of the store are all of
/// one line.
pub(super) fn list_changed_blocks(
    call: &Call<'_>,
    request: &EbsRequest<'_>,
    second_id: &str,
) -> Result<EbsAnswer, Fault> {
    let (count_max, start) = request.page(call)?;
    let snapshot = readable(call, second_id)?;
    let second = call.world.blocks(&snapshot)?;
    let first = match request.value("firstSnapshotId").filter(|id| !id.is_empty()) {
        Some(first_id) => {
            let first = readable(call, &first_id)?;
            let reader = call.world.blocks(&first)?;
            Some((first_id, reader, first.lineage.clone()))
        }
        None => None,
    };
    let first = match first {
        Some((_, _, lineage)) if lineage != snapshot.lineage => {
            return Err(invalid("UNRELATED_SNAPSHOTS", "The snapshots are not of one line"));
        }
        other => other.map(|(first_id, reader, _)| (first_id, reader)),
    };
    let first_block = |index: usize| {
        first.as_ref().and_then(|(_, reader)| reader.manifest().blocks().get(index).copied().flatten())
    };
    let length = second
        .manifest()
        .blocks()
        .len()
        .max(first.as_ref().map_or(0, |(_, reader)| reader.manifest().blocks().len()));
    let mut changed = (usize::try_from(start).unwrap_or(usize::MAX)..length).filter_map(|position| {
        let (old, new) = (first_block(position), second.manifest().blocks().get(position).copied().flatten());
        (old != new).then_some((position as u64, old, new))
    });
    let page: Vec<_> = changed
        .by_ref()
        .take(count_max)
        .map(|(index, old, new)| {
            let mut block = json!({ "BlockIndex": index });
            if let (Some(digest), Some((first_id, _))) = (old, &first) {
                block["FirstBlockToken"] = block_token(first_id, index, digest).into();
            }
            if let Some(digest) = new {
                block["SecondBlockToken"] = block_token(second_id, index, digest).into();
            }
            block
        })
        .collect();
    let mut answer = json!({
        "ChangedBlocks": page,
        "BlockSize": second.manifest().block_bytes(),
        "VolumeSize": snapshot.volume_gib,
        "ExpiryTime": request.expiry(),
    });
    if let Some((index, _, _)) = changed.next() {
        answer["NextToken"] = page_token(index).into();
    }
    Ok(EbsAnswer::Json(answer))
}
