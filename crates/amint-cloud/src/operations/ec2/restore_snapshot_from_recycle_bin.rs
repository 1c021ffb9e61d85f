use super::describe_snapshots::{progress, volume_id};
use super::{snapshots, time};
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::{Binned, Snapshot};

/// Takes a snapshot out of the recycle bin, with its permissions.
pub(crate) fn restore_snapshot_from_recycle_bin(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let id = snapshots::id(params)?;
    let snapshot = call.change(params, |change| {
        let binned = change
            .get::<Binned<Snapshot>>(id)
            .filter(|binned| call.owns(&binned.record.account, &binned.record.region));
        let snapshot = binned.ok_or_else(|| snapshots::not_found(id))?.record.clone();
        change.remove::<Binned<Snapshot>>(id);
        change.put(snapshot.clone());
        Ok(snapshot)
    })?;
    Ok(Element::default()
        .text("snapshotId", id)
        .text("description", &snapshot.description)
        .text("encrypted", snapshot.is_encrypted)
        .text("ownerId", &snapshot.account)
        .text("progress", progress(call, &snapshot))
        .text("startTime", time(snapshot.started))
        .text("status", snapshot.status(call.now))
        .text("volumeId", volume_id(&snapshot))
        .text("volumeSize", snapshot.volume_gib))
}
