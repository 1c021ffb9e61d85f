use std::sync::Arc;

use super::{check_id, filters, passes, snapshots, tag_set, time};
use crate::operations::Call;
use crate::operations::page::{Pager, USUAL};
use crate::protocol::{Element, Fault, Params};
use crate::records::{Snapshot, Tags};

/// The filters that there are besides those of tags (API reference, `DescribeSnapshots`).
const FILTERS: [&str; 12] = [
    "description",
    "encrypted",
    "owner-alias",
    "owner-id",
    "progress",
    "snapshot-id",
    "start-time",
    "status",
    "storage-tier",
    "transfer-type",
    "volume-id",
    "volume-size",
];

/// What EC2 tells for snapshots that were not made of a volume.
const UNKNOWN_VOLUME: &str = "vol-ffffffff";

/// Lists the snapshots that an account can see.
pub(crate) fn describe_snapshots(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let ids = params.list("SnapshotId");
    for id in &ids {
        check_id("snap", "InvalidSnapshotID.Malformed", id)?;
    }
    let (owners, users) = (params.list("Owner"), params.list("RestorableBy"));
    let filters = filters(params, &FILTERS)?;
    if !ids.is_empty() && params.get("MaxResults").is_some() {
        let message = "The parameter snapshotSet cannot be used with the parameter maxResults";
        return Err(Fault::client("InvalidParameterCombination", message));
    }
    let pager = Pager::new(call, params, USUAL)?;
    let tables = call.tables();
    let is_usable = |snapshot: &Snapshot| snapshots::is_usable(&tables, snapshot, call.account());
    let is_visible = |snapshot: &Snapshot| snapshot.region == call.region && is_usable(snapshot);
    let is_known = |id: &&&str| tables.snapshots.get(**id).is_some_and(|snapshot| is_visible(snapshot));
    if let Some(unknown) = ids.iter().find(|id| !is_known(id)) {
        let message = format!("The snapshot '{unknown}' does not exist.");
        return Err(Fault::client("InvalidSnapshot.NotFound", message));
    }
    let is_wanted = |snapshot: &Snapshot| {
        let is_own = snapshot.account == call.account();
        let is_owner = |owner: &&str| (*owner == "self" && is_own) || *owner == snapshot.account;
        let is_restorable = |user: &&str| match *user {
            "all" => snapshots::is_public(&tables, snapshot),
            "self" => is_usable(snapshot),
            account => snapshot.account == account || snapshot.users.contains(account),
        };
        (ids.is_empty() || ids.contains(&snapshot.id.as_str()))
            && (owners.is_empty() || owners.iter().any(is_owner))
            && (users.is_empty() || users.iter().any(is_restorable))
            && passes(&filters, tags_for(call, snapshot), |name| values(call, snapshot, name))
    };
    let found = pager.rest(&tables.snapshots).filter(|snapshot| is_visible(snapshot) && is_wanted(snapshot));
    let page = pager.page(found.map(|snapshot| Ok(Arc::clone(snapshot))))?;
    let entries = page.entries.iter().map(|snapshot| describe(call, snapshot));
    Ok(Element::default().with(Element::list("snapshotSet", entries)).maybe("nextToken", page.next_token))
}

/// Returns the tags that whoever asks can see: only the owner's.
pub(super) fn tags_for<'s>(call: &Call<'_>, snapshot: &'s Snapshot) -> &'s Tags {
    static NONE: Tags = Tags::new();
    if snapshot.account == call.account() { &snapshot.tags } else { &NONE }
}

/// Returns what a filter compares with.
fn values(call: &Call<'_>, snapshot: &Snapshot, name: &str) -> Vec<String> {
    let one = |text: &str| vec![text.to_owned()];
    match name {
        "description" => one(&snapshot.description),
        "encrypted" => one(&snapshot.is_encrypted.to_string()),
        "owner-id" => one(&snapshot.account),
        "progress" => one(progress(call, snapshot)),
        "snapshot-id" => one(&snapshot.id),
        "start-time" => one(&time(snapshot.started)),
        "status" => one(snapshot.status(call.now)),
        "storage-tier" => one(tier(call, snapshot)),
        "volume-id" => one(volume_id(snapshot)),
        "volume-size" => one(&snapshot.volume_gib.to_string()),
        // No snapshot here has an alias of an owner, or a transfer.
        _ => Vec::new(),
    }
}

/// Returns the tier that a snapshot lies in.
pub(super) fn tier(call: &Call<'_>, snapshot: &Snapshot) -> &'static str {
    if snapshot.is_archived(call.now) { "archive" } else { "standard" }
}

/// Returns the volume that a snapshot tells.
pub(super) fn volume_id(snapshot: &Snapshot) -> &str {
    snapshot.volume_id.as_deref().unwrap_or(UNKNOWN_VOLUME)
}

pub(super) fn progress(call: &Call<'_>, snapshot: &Snapshot) -> &'static str {
    if snapshot.status(call.now) == "completed" { "100%" } else { "0%" }
}

/// Writes a snapshot as lists of them do.
pub(super) fn describe(call: &Call<'_>, snapshot: &Snapshot) -> Element {
    let completed = snapshot.completed.filter(|end| *end <= call.now);
    let restored_until = snapshot.tiering.as_ref().and_then(|tiering| tiering.expiry(call.now));
    Element::default()
        .text("snapshotId", &snapshot.id)
        .text("volumeId", volume_id(snapshot))
        .text("status", snapshot.status(call.now))
        .text("startTime", time(snapshot.started))
        .maybe("completionTime", completed.map(time))
        .text("progress", progress(call, snapshot))
        .text("ownerId", &snapshot.account)
        .text("volumeSize", snapshot.volume_gib)
        .text("description", &snapshot.description)
        .with(tag_set(tags_for(call, snapshot)))
        .text("encrypted", snapshot.is_encrypted)
        .maybe("kmsKeyId", snapshot.kms_key_id.as_ref())
        .text("storageTier", tier(call, snapshot))
        .maybe("restoreExpiryTime", restored_until.map(time))
        .text("fullSnapshotSizeInBytes", snapshot.used_bytes)
}
