//! What operations on volumes share.

use std::sync::Arc;

use super::{check_id, ebs_encryption, snapshots, tag_set, time};
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::{BlockDevice, Instance, InstanceState, Snapshot, Tables, Tags, Volume};
use crate::state::Change;
use crate::world::{Pins, new_id};

/// The types of volumes.
pub(super) const VOLUME_TYPES: [&str; 7] = ["gp2", "gp3", "io1", "io2", "sc1", "st1", "standard"];
/// The largest volume, in GiB.
pub(super) const GIB_MAX: u64 = 16_384;
/// How many volumes an instance can have (EC2 user guide, "Amazon EBS volume limits").
pub(super) const ATTACHMENTS_MAX: usize = 28;

/// Returns the id of the request's volume, of the right form.
pub(super) fn id(params: &Params) -> Result<&str, Fault> {
    let id = params.required("VolumeId")?;
    check_id("vol", "InvalidVolumeID.Malformed", id)?;
    Ok(id)
}

/// Finds a volume of whoever asks.
pub(super) fn own(call: &Call<'_>, tables: &Tables, id: &str) -> Result<Arc<Volume>, Fault> {
    let volume = tables.volumes.get(id).filter(|volume| call.owns(&volume.account, &volume.region));
    volume
        .cloned()
        .ok_or_else(|| Fault::client("InvalidVolume.NotFound", format!("The volume '{id}' does not exist.")))
}

/// Finds a snapshot that volumes can be made of.
pub(super) fn source(call: &Call<'_>, tables: &Tables, id: &str) -> Result<Arc<Snapshot>, Fault> {
    check_id("snap", "InvalidSnapshotID.Malformed", id)?;
    let is_usable = |snapshot: &&Arc<Snapshot>| {
        snapshot.region == call.region && snapshots::is_usable(tables, snapshot, call.account())
    };
    let found = tables.snapshots.get(id).filter(is_usable);
    let snapshot = found.ok_or_else(|| snapshots::not_found(id))?;
    snapshots::check_readable(call, snapshot)?;
    if snapshot.status(call.now) == "completed" {
        return Ok(Arc::clone(snapshot));
    }
    let message = format!("Snapshot {id} is in an invalid state: {}", snapshot.status(call.now));
    Err(Fault::client("IncorrectState", message))
}

/// Puts a new volume in its place, upon the blocks of its snapshot.
pub(super) fn make(
    call: &Call<'_>,
    change: &mut Change<'_>,
    pins: &mut Pins<'_>,
    device: &BlockDevice,
    zone: &str,
    tags: Tags,
) -> Result<Volume, Fault> {
    let snapshot = device.snapshot_id.as_ref().map(|id| source(call, change.tables(), id)).transpose()?;
    let smallest = snapshot.as_ref().map_or(1, |snapshot| snapshot.volume_gib);
    if !(smallest..=GIB_MAX).contains(&device.volume_gib) {
        let message = format!(
            "Volume of {}GiB is too small or too large; expect size >= {smallest}GiB and <= {GIB_MAX}GiB",
            device.volume_gib
        );
        return Err(Fault::client("InvalidParameterValue", message));
    }
    let id = new_id("vol");
    if let Some(manifest) = snapshot.as_ref().and_then(|snapshot| snapshot.manifest) {
        pins.pin(&id, manifest)?;
    }
    let is_encrypted = device.is_encrypted
        || snapshot.as_ref().is_some_and(|snapshot| snapshot.is_encrypted)
        || ebs_encryption::is_encrypted_by_default(call, change.tables());
    let named = device.kms_key_id.as_deref();
    let kms_key_id = is_encrypted.then(|| ebs_encryption::key_or_default(call, change.tables(), named));
    let volume = Volume {
        account: call.account().to_owned(),
        region: call.region.to_owned(),
        zone: zone.to_owned(),
        gib: device.volume_gib,
        volume_type: device.volume_type.clone(),
        iops: device.iops,
        throughput: device.throughput,
        snapshot_id: device.snapshot_id.clone(),
        created: call.now,
        is_encrypted,
        kms_key_id,
        attachment: None,
        lineage: snapshot.as_ref().map_or_else(|| id.clone(), |snapshot| snapshot.lineage.clone()),
        last_snapshot: device.snapshot_id.clone(),
        tags,
        id,
    };
    change.put(volume.clone());
    Ok(volume)
}

/// Writes a volume as lists of them do.
pub(super) fn describe(volume: &Volume) -> Element {
    Element::default()
        .text("volumeId", &volume.id)
        .text("size", volume.gib)
        .text("snapshotId", volume.snapshot_id.as_deref().unwrap_or_default())
        .text("availabilityZone", &volume.zone)
        .text("status", volume.state())
        .text("createTime", time(volume.created))
        .with(Element::list("attachmentSet", attachment(volume)))
        .with(tag_set(&volume.tags))
        .text("volumeType", &volume.volume_type)
        .maybe("iops", volume.iops)
        .maybe("throughput", volume.throughput)
        .text("encrypted", volume.is_encrypted)
        .maybe("kmsKeyId", volume.kms_key_id.as_ref())
        .text("multiAttachEnabled", false)
}

/// Writes where a volume is attached.
pub(super) fn attachment(volume: &Volume) -> Option<Element> {
    let attachment = volume.attachment.as_ref()?;
    let element = Element::default()
        .text("volumeId", &volume.id)
        .text("instanceId", &attachment.instance_id)
        .text("device", &attachment.device)
        .text("status", attachment.state())
        .text("attachTime", time(attachment.attached))
        .text("deleteOnTermination", attachment.is_deleted_on_termination);
    Some(element)
}

/// Refuses a volume at an instance that is neither on nor off.
pub(super) fn check_instance(instance: &Instance) -> Result<(), Fault> {
    if matches!(instance.state, InstanceState::Running | InstanceState::Stopped) {
        return Ok(());
    }
    let message =
        format!("The instance '{}' is not in a valid state: {}", instance.id, instance.state.name());
    Err(Fault::client("IncorrectState", message))
}

/// Says that QEMU or a guest did not do what was asked.
pub(super) fn refused(words: &str) -> Fault {
    Fault::client("AttachmentLimitExceeded", format!("The machine did not take the volume: {words}"))
}

/// Waits for what a machine answers.
pub(super) fn answer_of(answer: tokio::sync::oneshot::Receiver<Result<(), String>>) -> Result<(), String> {
    answer.blocking_recv().unwrap_or_else(|_| Err("it has just ended".to_owned()))
}
