use jiff::SignedDuration;

use super::{snapshots, time};
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::{Image, Snapshot, TierOperation, Tiering};
use crate::state::Change;

/// How long archiving takes; AWS says only that it takes up to three days.
const ARCHIVAL: SignedDuration = SignedDuration::from_hours(24);

/// Moves a snapshot into the archive. It can be read until that is done.
///
/// What it has to be for that is documented; the codes and the words of the errors are assumed. That so many of an
/// account may be archived at once is not enforced.
pub(crate) fn modify_snapshot_tier(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let id = snapshots::id(params)?;
    let tier = params.get("StorageTier").unwrap_or("archive");
    if tier != "archive" {
        return Err(Fault::invalid_value("StorageTier", tier));
    }
    call.change(params, |change| {
        let mut snapshot = Snapshot::clone(snapshots::own(call, change, id)?.as_ref());
        check(call, change, &snapshot)?;
        let ends = call.world.clock().after(call.now, ARCHIVAL);
        snapshot.tiering =
            Some(Tiering { operation: TierOperation::Archival, started: call.now, ends, archived: ends });
        change.put(snapshot);
        Ok(())
    })?;
    Ok(Element::default().text("snapshotId", id).text("tieringStartTime", time(call.now)))
}

fn check(call: &Call<'_>, change: &Change<'_>, snapshot: &Snapshot) -> Result<(), Fault> {
    let id = snapshot.id.as_str();
    let state = snapshot.status(call.now);
    if state != "completed" {
        let message = format!("The snapshot '{id}' is {state} and cannot be archived");
        return Err(Fault::client("IncorrectState", message));
    }
    let is_busy = snapshot.tiering.as_ref().is_some_and(|tiering| {
        tiering.is_archived(call.now) || tiering.is_under_way(call.now) || tiering.expiry(call.now).is_some()
    });
    if is_busy {
        let message = format!("The snapshot '{id}' is archived already, or on its way");
        return Err(Fault::client("IncorrectState", message));
    }
    let has = |image: &&std::sync::Arc<Image>| {
        !image.is_disabled && image.snapshot_ids().any(|snapshot_id| snapshot_id == id)
    };
    if let Some(image) = change.tables().images.values().find(has) {
        let message = format!("The snapshot {id} is currently in use by {}", image.id);
        return Err(Fault::client("InvalidSnapshot.InUse", message));
    }
    Ok(())
}
