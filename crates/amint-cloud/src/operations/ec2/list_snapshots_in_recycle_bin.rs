use std::sync::Arc;

use super::describe_snapshots::volume_id;
use super::{check_id, snapshots, time};
use crate::operations::Call;
use crate::operations::page::{Pager, USUAL};
use crate::protocol::{Element, Fault, Params};

/// Lists the snapshots that lie in the recycle bin.
pub(crate) fn list_snapshots_in_recycle_bin(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let ids = params.list("SnapshotId");
    for id in &ids {
        check_id("snap", "InvalidSnapshotID.Malformed", id)?;
    }
    let pager = Pager::new(call, params, USUAL)?;
    let tables = call.tables();
    let find = |id: &&&str| {
        let binned = tables.binned_snapshots.get(**id);
        binned.is_some_and(|one| call.owns(&one.record.account, &one.record.region))
    };
    if let Some(unknown) = ids.iter().find(|id| !find(id)) {
        return Err(snapshots::not_found(unknown));
    }
    let found = pager.rest(&tables.binned_snapshots).filter(|binned| {
        call.owns(&binned.record.account, &binned.record.region)
            && (ids.is_empty() || ids.contains(&binned.id.as_str()))
    });
    let page = pager.page(found.map(|binned| Ok(Arc::clone(binned))))?;
    let entries = page.entries.iter().map(|binned| {
        Element::default()
            .text("snapshotId", &binned.id)
            .text("recycleBinEnterTime", time(binned.entered))
            .text("recycleBinExitTime", time(binned.exits))
            .text("description", &binned.record.description)
            .text("volumeId", volume_id(&binned.record))
    });
    Ok(Element::default().with(Element::list("snapshotSet", entries)).maybe("nextToken", page.next_token))
}
