use std::sync::Arc;

use super::{check_known, filters, passes, time, volumes};
use crate::operations::Call;
use crate::operations::page::{Pager, USUAL};
use crate::protocol::{Element, Fault, Params};
use crate::records::{Attachment, Volume};

/// The filters that there are besides those of tags (API reference, `DescribeVolumes`).
const FILTERS: [&str; 16] = [
    "attachment.attach-time",
    "attachment.delete-on-termination",
    "attachment.device",
    "attachment.instance-id",
    "attachment.status",
    "availability-zone",
    "availability-zone-id",
    "create-time",
    "encrypted",
    "fast-restored",
    "multi-attach-enabled",
    "size",
    "snapshot-id",
    "status",
    "volume-id",
    "volume-type",
];

/// Lists the volumes of an account.
pub(crate) fn describe_volumes(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let ids = params.list("VolumeId");
    // AWS's own services manage nothing here.
    params.boolean("IncludeManagedResources")?;
    let filters = filters(params, &FILTERS)?;
    let pager = Pager::new(call, params, USUAL)?;
    let tables = call.tables();
    let codes = ("InvalidVolumeID.Malformed", "InvalidVolume.NotFound");
    check_known(&ids, "vol", codes, "volume", |id| volumes::own(call, &tables, id).is_ok())?;
    let is_wanted = |volume: &Volume| {
        call.owns(&volume.account, &volume.region)
            && (ids.is_empty() || ids.contains(&volume.id.as_str()))
            && passes(&filters, &volume.tags, |name| values(volume, name))
    };
    let found = pager.rest(&tables.volumes).filter(|volume| is_wanted(volume));
    let page = pager.page(found.map(|volume| Ok(Arc::clone(volume))))?;
    let entries = page.entries.iter().map(|volume| volumes::describe(volume));
    Ok(Element::default().with(Element::list("volumeSet", entries)).maybe("nextToken", page.next_token))
}

/// Returns what a filter compares with.
fn values(volume: &Volume, name: &str) -> Vec<String> {
    let at = |value: fn(&Attachment) -> String| volume.attachment.iter().map(value).collect();
    match name {
        "attachment.attach-time" => at(|one| time(one.attached)),
        "attachment.delete-on-termination" => at(|one| one.is_deleted_on_termination.to_string()),
        "attachment.device" => at(|one| one.device.clone()),
        "attachment.instance-id" => at(|one| one.instance_id.clone()),
        "attachment.status" => at(|one| one.state().to_owned()),
        "availability-zone" => vec![volume.zone.clone()],
        "create-time" => vec![time(volume.created)],
        "encrypted" => vec![volume.is_encrypted.to_string()],
        "fast-restored" | "multi-attach-enabled" => vec!["false".to_owned()],
        "size" => vec![volume.gib.to_string()],
        "snapshot-id" => volume.snapshot_id.iter().cloned().collect(),
        "status" => vec![volume.state().to_owned()],
        "volume-id" => vec![volume.id.clone()],
        "volume-type" => vec![volume.volume_type.clone()],
        _ => Vec::new(),
    }
}
