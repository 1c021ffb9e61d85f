use amint_types::BLOCK_BYTES;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{EbsAnswer, EbsRequest, header, invalid, writable};
use crate::operations::Call;
use crate::protocol::Fault;
use crate::records::Snapshot;
use crate::world::snapshot_not_found;

/// How long a snapshot is pending after its last block.
const PENDING: SignedDuration = SignedDuration::from_secs(5);

/// Ends a snapshot: it takes no more blocks.
pub(super) fn complete_snapshot(
    call: &Call<'_>,
    request: &EbsRequest<'_>,
    id: &str,
) -> Result<EbsAnswer, Fault> {
    let wrong = |message: &str| invalid("INVALID_PARAMETER_VALUE", message);
    let snapshot = writable(call, id)?;
    let count = header(request, "x-amz-changedblockscount").and_then(|text| text.parse::<u64>().ok());
    let count = count.ok_or_else(|| wrong("x-amz-ChangedBlocksCount is missing"))?;
    let writer = call.world.writer(id)?;
    let blocks = writer.blocks();
    if count != blocks.len() as u64 {
        let message = format!("{count} blocks are told, and {} were written", blocks.len());
        return Err(wrong(&message));
    }
    if let Some(checksum) = header(request, "x-amz-checksum") {
        if header(request, "x-amz-checksum-algorithm").is_some_and(|name| name != "SHA256")
            || header(request, "x-amz-checksum-aggregation-method").is_some_and(|name| name != "LINEAR")
        {
            return Err(wrong("The checksum has to be of SHA256 and LINEAR"));
        }
        if checksum != linear(blocks.values()) {
            return Err(wrong("The checksum is not that of the blocks"));
        }
    }
    let parent = snapshot.parent.as_ref().and_then(|id| call.tables().snapshots.get(id).cloned());
    if snapshot.parent.is_some() && parent.is_none() {
        return Err(invalid("INVALID_DEPENDENCY_REQUEST", "The parent snapshot is gone"));
    }
    let base = parent.and_then(|parent| parent.manifest);
    let disk_bytes = snapshot.volume_gib << 30;
    // Twice at once is no harm: both make the same disk.
    let manifest = writer.finish(base, disk_bytes, id).map_err(|_| Fault::internal())?;
    let used = call.world.store.manifest(manifest).map_err(|_| Fault::internal())?;
    let used_bytes = used.blocks().iter().flatten().count() as u64 * BLOCK_BYTES;
    call.world.drop_writer(id);
    call.world.state.change(|change| {
        change
            .edit(id, |snapshot: &mut Snapshot| {
                snapshot.manifest = Some(manifest);
                snapshot.used_bytes = used_bytes;
                snapshot.completed = Some(call.world.clock().after(call.now, PENDING));
            })
            .ok_or_else(|| snapshot_not_found(id))
    })?;
    Ok(EbsAnswer::Accepted(202, json!({ "Status": "pending" })))
}

/// Returns the SHA-256 of the SHA-256 of all blocks in the order of their indexes.
fn linear<'b>(blocks: impl Iterator<Item = &'b Option<amint_types::Digest>>) -> String {
    let zeros: [u8; 32] = Sha256::digest(vec![0; usize::try_from(BLOCK_BYTES).unwrap_or(0)]).into();
    let mut hasher = Sha256::new();
    for block in blocks {
        hasher.update(block.as_ref().map_or(&zeros, |digest| digest.as_bytes()));
    }
    STANDARD.encode(hasher.finalize())
}
