use std::sync::Arc;

use super::{check_id, filters, passes, snapshot_locking, snapshots};
use crate::operations::Call;
use crate::operations::page::{Pager, USUAL};
use crate::protocol::{Element, Fault, Params};
use crate::records::Snapshot;

/// Lists the snapshots of whoever asks that are, or were, locked.
pub(crate) fn describe_locked_snapshots(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let ids = params.list("SnapshotId");
    for id in &ids {
        check_id("snap", "InvalidSnapshotID.Malformed", id)?;
    }
    let filters = filters(params, &["lock-state"])?;
    let pager = Pager::new(call, params, USUAL)?;
    let tables = call.tables();
    let is_own = |snapshot: &Snapshot| call.owns(&snapshot.account, &snapshot.region);
    let is_known = |id: &&&str| tables.snapshots.get(**id).is_some_and(|snapshot| is_own(snapshot));
    if let Some(unknown) = ids.iter().find(|id| !is_known(id)) {
        return Err(snapshots::not_found(unknown));
    }
    let found = pager.rest(&tables.snapshots).filter(|snapshot| {
        let Some(lock) = snapshot.lock.as_ref().filter(|_| is_own(snapshot)) else { return false };
        (ids.is_empty() || ids.contains(&snapshot.id.as_str()))
            && passes(&filters, &snapshot.tags, |_| vec![lock.state(call.now).to_owned()])
    });
    let page = pager.page(found.map(|snapshot| Ok(Arc::clone(snapshot))))?;
    let entries = page.entries.iter().filter_map(|snapshot| {
        let lock = snapshot.lock.as_ref()?;
        let element = snapshot_locking::describe(call, &snapshot.id, lock);
        Some(element.text("ownerId", &snapshot.account))
    });
    Ok(Element::default().with(Element::list("snapshotSet", entries)).maybe("nextToken", page.next_token))
}
