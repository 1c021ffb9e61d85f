use super::snapshots;
use crate::operations::Call;
use crate::operations::bin::{self, Removed};
use crate::protocol::{Element, Fault, Params};
use crate::state::Change;
use crate::world::image_with;

/// Removes a snapshot that no image has. It goes into the recycle bin when a rule says so.
pub(crate) fn delete_snapshot(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let id = snapshots::id(params)?;
    let removed = call.change(params, |change| remove(call, change, id))?;
    if removed == Removed::Gone {
        forget_blocks(call, id);
    }
    Ok(Element::default().text("return", true))
}

/// Removes the record of a snapshot. The code and the words for a lock are assumed.
pub(super) fn remove(call: &Call<'_>, change: &mut Change<'_>, id: &str) -> Result<Removed, Fault> {
    let snapshot = snapshots::own(call, change, id)?;
    if let Some(image) = image_with(change.tables(), id) {
        let message = format!("The snapshot {id} is currently in use by {}", image.id);
        return Err(Fault::client("InvalidSnapshot.InUse", message));
    }
    if snapshot.lock.as_ref().is_some_and(|lock| lock.is_held(call.now)) {
        let message = format!("The snapshot '{id}' is locked and cannot be deleted");
        return Err(Fault::client("OperationNotPermitted", message));
    }
    Ok(bin::remove_snapshot(call, change, &snapshot))
}

/// Lets the store forget the blocks of a snapshot that is gone. What cannot be forgotten now costs space, nothing else.
pub(super) fn forget_blocks(call: &Call<'_>, id: &str) {
    call.world.give_up(id);
    let _ = call.world.store.unpin(id);
}
