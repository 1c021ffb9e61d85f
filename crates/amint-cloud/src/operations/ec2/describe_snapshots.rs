use super::{check_id, passes, tag_set, tag_values};
use crate::operations::Call;
use crate::operations::page::page;
use crate::protocol::{Element, Fault, Params};
use crate::world::{ACCOUNT_ID, Ami};

/// Lists the snapshots of the region: each image has one.
pub(crate) fn describe_snapshots(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let ids = params.list("SnapshotId");
    for id in &ids {
        check_id("snap", "InvalidSnapshotID.Malformed", id)?;
    }
    let (owners, users) = (params.list("Owner"), params.list("RestorableBy"));
    let filters = params.filters()?;
    let images = call.world.images(call.region).map_err(|_| Fault::internal())?;
    if let Some(unknown) = ids.iter().find(|id| images.iter().all(|image| image.snapshot_id != **id)) {
        let message = format!("The snapshot '{unknown}' does not exist.");
        return Err(Fault::client("InvalidSnapshot.NotFound", message));
    }
    let mut found = Vec::new();
    for image in images {
        let is_named = ids.is_empty() || ids.contains(&image.snapshot_id.as_str());
        let is_owned =
            owners.is_empty() || owners.iter().any(|owner| *owner == "self" || *owner == ACCOUNT_ID);
        let is_usable = users.is_empty() || users.iter().any(|user| *user == "self" || *user == ACCOUNT_ID);
        if passes(&filters, |name| values(&image, name))? && is_named && is_owned && is_usable {
            found.push(image);
        }
    }
    let page = page(params, found, |image| image.snapshot_id.clone())?;
    let answer = Element::default().with(Element::list("snapshotSet", page.entries.iter().map(describe)));
    Ok(answer.maybe("nextToken", page.next_token))
}

/// Returns what a filter compares with; none when there is no such filter.
fn values(image: &Ami, name: &str) -> Option<Vec<String>> {
    let one = |text: &str| Some(vec![text.to_owned()]);
    match name {
        "description" => one(&description(image)),
        "encrypted" => one("false"),
        "owner-id" => one(ACCOUNT_ID),
        "progress" => one("100%"),
        "snapshot-id" => one(&image.snapshot_id),
        "start-time" => one(&image.created()),
        "status" => one("completed"),
        "storage-tier" => one("standard"),
        "volume-id" => one(UNKNOWN_VOLUME),
        "volume-size" => one(&image.volume_gib().to_string()),
        "owner-alias" | "transfer-type" => Some(Vec::new()),
        _ => tag_values(name, &image.tags()),
    }
}

/// What EC2 tells for snapshots that were not made of a volume.
const UNKNOWN_VOLUME: &str = "vol-ffffffff";

fn description(image: &Ami) -> String {
    format!("Disk of {}", image.record.reference())
}

fn describe(image: &Ami) -> Element {
    Element::default()
        .text("snapshotId", &image.snapshot_id)
        .text("volumeId", UNKNOWN_VOLUME)
        .text("status", "completed")
        .text("startTime", image.created())
        .text("completionTime", image.created())
        .text("progress", "100%")
        .text("ownerId", ACCOUNT_ID)
        .text("volumeSize", image.volume_gib())
        .text("description", description(image))
        .with(tag_set(&image.tags()))
        .text("encrypted", false)
        .text("storageTier", "standard")
        .text("fullSnapshotSizeInBytes", image.snapshot_bytes())
}
