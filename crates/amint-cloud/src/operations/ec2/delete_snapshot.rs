use super::check_id;
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::{Image, Snapshot};
use crate::state::Change;

/// Removes a snapshot that no image has.
pub(crate) fn delete_snapshot(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let id = params.required("SnapshotId")?;
    check_id("snap", "InvalidSnapshotID.Malformed", id)?;
    call.change(params, |change| remove(call, change, id))?;
    forget_blocks(call, id);
    Ok(Element::default().text("return", true))
}

/// Removes the record of a snapshot.
pub(super) fn remove(call: &Call<'_>, change: &mut Change<'_>, id: &str) -> Result<(), Fault> {
    let is_own = |snapshot: &Snapshot| call.owns(&snapshot.account, &snapshot.region);
    if !change.get::<Snapshot>(id).is_some_and(|snapshot| is_own(&snapshot)) {
        return Err(Fault::client(
            "InvalidSnapshot.NotFound",
            format!("The snapshot '{id}' does not exist."),
        ));
    }
    if let Some(image) = user(change, id) {
        let message = format!("The snapshot {id} is currently in use by {}", image.id);
        return Err(Fault::client("InvalidSnapshot.InUse", message));
    }
    change.remove::<Snapshot>(id);
    Ok(())
}

/// Returns an image that has a snapshot.
fn user(change: &Change<'_>, id: &str) -> Option<std::sync::Arc<Image>> {
    let has =
        |image: &Image| image.block_devices.iter().any(|device| device.snapshot_id.as_deref() == Some(id));
    change.tables().images.values().find(|image| has(image)).cloned()
}

/// Lets the store forget the blocks of a snapshot that is gone. What cannot be forgotten now costs space, nothing else.
pub(super) fn forget_blocks(call: &Call<'_>, id: &str) {
    call.world.give_up(id);
    let _ = call.world.store.unpin(id);
}
