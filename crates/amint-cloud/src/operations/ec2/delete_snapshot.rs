use super::check_id;
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::Snapshot;
use crate::state::Change;
use crate::world::image_with;

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
    if let Some(image) = image_with(change.tables(), id) {
        let message = format!("The snapshot {id} is currently in use by {}", image.id);
        return Err(Fault::client("InvalidSnapshot.InUse", message));
    }
    change.remove::<Snapshot>(id);
    Ok(())
}

/// Lets the store forget the blocks of a snapshot that is gone. What cannot be forgotten now costs space, nothing else.
pub(super) fn forget_blocks(call: &Call<'_>, id: &str) {
    call.world.give_up(id);
    let _ = call.world.store.unpin(id);
}
