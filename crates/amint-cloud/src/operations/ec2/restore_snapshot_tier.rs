use jiff::{SignedDuration, Timestamp};

use super::{snapshots, time};
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::{Snapshot, TierOperation, Tiering};

/// How long restoring takes; AWS says only that it takes up to three days.
const RESTORE: SignedDuration = SignedDuration::from_hours(24);
/// For how many days a snapshot may be restored (EBS user guide, "Archive Amazon EBS snapshots": 1 to 180).
const DAYS: std::ops::RangeInclusive<u64> = 1..=180;

/// Brings a snapshot back from the archive, for some days or for good. One that is back for some days can have other
/// days, or stay for good, at once.
///
/// The codes and the words of the errors are assumed.
pub(crate) fn restore_snapshot_tier(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let id = snapshots::id(params)?;
    let days = params.number("TemporaryRestoreDays")?;
    let is_permanent = params.boolean("PermanentRestore")?.unwrap_or(false);
    if is_permanent == days.is_some() {
        let message = "Either TemporaryRestoreDays or PermanentRestore must be given";
        return Err(Fault::client("InvalidParameterCombination", message));
    }
    if let Some(days) = days.filter(|days| !DAYS.contains(days)) {
        return Err(Fault::invalid_value("TemporaryRestoreDays", &days.to_string()));
    }
    call.change(params, |change| {
        let mut snapshot = Snapshot::clone(snapshots::own(call, change, id)?.as_ref());
        let tiering = snapshot.tiering.as_ref().ok_or_else(|| wrong_state(id))?;
        snapshot.tiering = Some(restored(call, tiering, days).ok_or_else(|| wrong_state(id))?);
        change.put(snapshot);
        Ok(())
    })?;
    Ok(Element::default()
        .text("snapshotId", id)
        .text("restoreStartTime", time(call.now))
        .maybe("restoreDuration", days)
        .text("isPermanentRestore", is_permanent))
}

/// Returns the move that begins; none when the snapshot is neither in the archive nor back for some days.
fn restored(call: &Call<'_>, tiering: &Tiering, days: Option<u64>) -> Option<Tiering> {
    let clock = call.world.clock();
    let ends = if tiering.is_archived(call.now) {
        // A restore that is on its way ends when it would have.
        if tiering.is_under_way(call.now) { tiering.ends } else { clock.after(call.now, RESTORE) }
    } else {
        tiering.expiry(call.now)?;
        call.now
    };
    let until = |days: u64| -> Timestamp {
        let days = i64::try_from(days).unwrap_or(i64::MAX);
        clock.after(ends, SignedDuration::from_hours(days.saturating_mul(24)))
    };
    let operation = match days {
        Some(days) => TierOperation::TemporaryRestore { expires: until(days) },
        None => TierOperation::PermanentRestore,
    };
    Some(Tiering { operation, started: call.now, ends, archived: tiering.archived })
}

fn wrong_state(id: &str) -> Fault {
    Fault::client("IncorrectState", format!("The snapshot '{id}' is not archived"))
}
