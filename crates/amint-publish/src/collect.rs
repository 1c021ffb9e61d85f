//! What runs that were broken off left in a region, and its removal.

use std::collections::BTreeSet;

use amint_store::{Outcome, Store};
use amint_types::Cancel;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use crate::apply::ApplyError;
use crate::cloud::{CloudErrorClass, Region, SnapshotState};
use crate::retry::{Patience, Stopped, again};
use crate::wanted::{MANAGED_TAG, NAME_TAG};

/// How many snapshots are asked about at once: a filter takes 200 values.
const ASKED_MAX: usize = 100;

/// A snapshot that amint made and that no image uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Litter {
    /// The region.
    pub region: String,
    /// `snap-…`.
    pub snapshot_id: String,
    /// Of which image of the store it was to be.
    pub image: Option<String>,
    /// When it was begun.
    pub started: Timestamp,
    /// Whether it takes blocks still.
    pub is_pending: bool,
    /// The size of its volume in GiB.
    pub volume_gib: u64,
}

/// Finds snapshots that amint made, that no image of the account uses, and that were begun before `before`: a run that is
/// under way makes its snapshot before its image.
///
/// # Errors
/// Fails when the cloud refuses or fails.
pub async fn find_litter<R: Region>(
    region: &R,
    before: Timestamp,
    cancel: &Cancel,
) -> Result<Vec<Litter>, ApplyError> {
    let settled = Patience::Settled;
    let mut snapshots =
        again(Patience::First, cancel, || region.snapshots_tagged(MANAGED_TAG, "true")).await?;
    snapshots.retain(|snapshot| snapshot.started < before);
    let ids: Vec<String> = snapshots.iter().map(|snapshot| snapshot.id.clone()).collect();
    let mut used = BTreeSet::new();
    for asked in ids.chunks(ASKED_MAX) {
        let images = again(settled, cancel, || region.images_using(asked)).await?;
        used.extend(images.into_iter().flat_map(|image| image.snapshot_ids));
    }
    snapshots.retain(|snapshot| !used.contains(&snapshot.id));
    snapshots.sort_by(|one, other| (one.started, &one.id).cmp(&(other.started, &other.id)));
    let litter = snapshots.into_iter().map(|snapshot| Litter {
        region: region.name().to_owned(),
        image: snapshot.tags.get(NAME_TAG).cloned(),
        is_pending: snapshot.state == SnapshotState::Pending,
        snapshot_id: snapshot.id,
        started: snapshot.started,
        volume_gib: snapshot.volume_gib,
    });
    Ok(litter.collect())
}

/// Removes what was found; tells how many were there to be removed.
///
/// # Errors
/// Fails when the cloud refuses or fails, also because an image was made of a snapshot meanwhile.
pub async fn remove_litter<R: Region>(
    region: &R,
    litter: &[Litter],
    store: &Store,
    cancel: &Cancel,
) -> Result<u64, ApplyError> {
    let mut removed = 0;
    for one in litter {
        let intent = json!({ "region": one.region, "snapshot_id": one.snapshot_id });
        let operation = store.begin("collect-snapshot", &one.snapshot_id, &intent)?;
        let ask = || region.delete_snapshot(&one.snapshot_id);
        match again(Patience::Settled, cancel, ask).await {
            Ok(()) => removed += 1,
            Err(Stopped::Cloud(error)) if error.class == CloudErrorClass::NotFound => {}
            Err(stopped) => {
                let error = ApplyError::from(stopped);
                store.finish(operation, Outcome::Failed, &json!({ "error": error.to_string() }))?;
                return Err(error);
            }
        }
        store.finish(operation, Outcome::Succeeded, &json!({}))?;
    }
    Ok(removed)
}
