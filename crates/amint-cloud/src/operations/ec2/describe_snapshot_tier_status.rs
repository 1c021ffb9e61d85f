use std::sync::Arc;

use super::describe_snapshots::{tags_for, tier, volume_id};
use super::{filters, passes, tag_set, time};
use crate::operations::Call;
use crate::operations::page::{Pager, USUAL};
use crate::protocol::{Element, Fault, Params};
use crate::records::Snapshot;

/// Lists the snapshots of whoever asks with their tier and the last move between the tiers.
pub(crate) fn describe_snapshot_tier_status(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let filters = filters(params, &["last-tiering-operation", "snapshot-id", "volume-id"])?;
    let pager = Pager::new(call, params, USUAL)?;
    let tables = call.tables();
    let values = |snapshot: &Snapshot, name: &str| match name {
        "last-tiering-operation" => {
            snapshot.tiering.iter().map(|tiering| tiering.status(call.now).to_owned()).collect()
        }
        "snapshot-id" => vec![snapshot.id.clone()],
        _ => vec![volume_id(snapshot).to_owned()],
    };
    let found = pager.rest(&tables.snapshots).filter(|snapshot| {
        call.owns(&snapshot.account, &snapshot.region)
            && passes(&filters, &snapshot.tags, |name| values(snapshot, name))
    });
    let page = pager.page(found.map(|snapshot| Ok(Arc::clone(snapshot))))?;
    let entries = page.entries.iter().map(|snapshot| describe(call, snapshot));
    let list = Element::list("snapshotTierStatusSet", entries);
    Ok(Element::default().with(list).maybe("nextToken", page.next_token))
}

fn describe(call: &Call<'_>, snapshot: &Snapshot) -> Element {
    let element = Element::default()
        .text("snapshotId", &snapshot.id)
        .text("volumeId", volume_id(snapshot))
        .text("status", snapshot.status(call.now))
        .text("ownerId", &snapshot.account)
        .with(tag_set(tags_for(call, snapshot)))
        .text("storageTier", tier(call, snapshot));
    let Some(tiering) = &snapshot.tiering else { return element };
    let whole = tiering.ends.duration_since(tiering.started).as_secs();
    let passed = call.now.duration_since(tiering.started).as_secs();
    let progress = if tiering.is_under_way(call.now) { (passed * 100) / whole.max(1) } else { 100 };
    element
        .text("lastTieringStartTime", time(tiering.started))
        .text("lastTieringProgress", progress.clamp(0, 100))
        .text("lastTieringOperationStatus", tiering.status(call.now))
        .maybe("archivalCompleteTime", Some(tiering.archived).filter(|end| *end <= call.now).map(time))
        .maybe("restoreExpiryTime", tiering.expiry(call.now).map(time))
}
