use jiff::SignedDuration;

use super::snapshots::{self, CopyOf};
use super::{REGIONS, check_id, tag_set, tags};
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::{Snapshot, Tags};
use crate::state::Change;
use crate::world::Pins;

/// How long a copy is pending.
const PENDING: SignedDuration = SignedDuration::from_mins(1);
/// How many copies may be on their way into a region (Service Quotas, "Concurrent snapshot copies per destination
/// Region").
const COPIES_MAX: usize = 20;

struct Copy<'a> {
    source_id: &'a str,
    source_region: &'a str,
    description: &'a str,
    encrypted: Option<bool>,
    kms_key_id: Option<&'a str>,
    tags: Tags,
}

/// Copies a snapshot into the region of the call. No block is copied: the store has each once.
pub(crate) fn copy_snapshot(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    for parameter in ["DestinationOutpostArn", "DestinationAvailabilityZone"] {
        if params.get(parameter).is_some() {
            let message = format!("The parameter {parameter} is not supported here");
            return Err(Fault::client("UnsupportedOperation", message));
        }
    }
    // Clients sign a request for the source region and send it along; AWS has no need for it any more.
    params.get("PresignedUrl");
    if let Some(region) = params.get("DestinationRegion").filter(|region| *region != call.region) {
        return Err(Fault::invalid_value("DestinationRegion", region));
    }
    snapshots::check_minutes(params, "CompletionDurationMinutes")?;
    let copy = Copy {
        source_id: params.required("SourceSnapshotId")?,
        source_region: params.required("SourceRegion")?,
        description: params.get("Description").unwrap_or_default(),
        encrypted: params.boolean("Encrypted")?,
        kms_key_id: params.get("KmsKeyId"),
        tags: tags::specified(params, "snapshot")?,
    };
    check_id("snap", "InvalidSnapshotID.Malformed", copy.source_id)?;
    if !REGIONS.contains(&copy.source_region) {
        return Err(Fault::invalid_value("SourceRegion", copy.source_region));
    }
    if copy.kms_key_id.is_some() && copy.encrypted != Some(true) {
        let message = "KmsKeyId can only be used when Encrypted is true";
        return Err(Fault::client("InvalidParameterCombination", message));
    }
    let mut pins = call.world.pins();
    let (id, tags) = call.change(params, |change| make(call, change, &mut pins, copy))?;
    pins.keep();
    Ok(Element::default().with(tag_set(&tags)).text("snapshotId", id))
}

fn make(
    call: &Call<'_>,
    change: &mut Change<'_>,
    pins: &mut Pins<'_>,
    copy: Copy<'_>,
) -> Result<(String, Tags), Fault> {
    let source = change.get::<Snapshot>(copy.source_id).filter(|source| {
        source.region == copy.source_region && snapshots::is_usable(change.tables(), source, call.account())
    });
    let source = source.ok_or_else(|| snapshots::not_found(copy.source_id))?;
    let manifest = source.manifest.filter(|_| source.status(call.now) == "completed");
    let Some(manifest) = manifest else {
        let state = source.status(call.now);
        let message = format!("The snapshot '{}' is {state} and cannot be copied", source.id);
        return Err(Fault::client("IncorrectState", message));
    };
    snapshots::check_readable(call, &source)?;
    if copy.encrypted == Some(false) && source.is_encrypted {
        let message = "A copy of an encrypted snapshot cannot be unencrypted";
        return Err(Fault::client("InvalidParameterValue", message));
    }
    let is_under_way = |other: &Snapshot| {
        call.owns(&other.account, &other.region)
            && other.copied_from.is_some()
            && other.status(call.now) == "pending"
    };
    let under_way = change.tables().snapshots.values().filter(|other| is_under_way(other)).count();
    if under_way >= COPIES_MAX {
        let message = format!(
            "Too many snapshot copies in progress. The limit is {COPIES_MAX} for this destination region."
        );
        return Err(Fault::client("ResourceLimitExceeded", message));
    }
    let description = match copy.description {
        "" => format!("[Copied {} from {}] {}", source.id, source.region, source.description),
        text => text.to_owned(),
    };
    let copy = CopyOf {
        source: &source,
        description: description.trim_end().to_owned(),
        tags: copy.tags,
        is_encrypted: copy.encrypted.unwrap_or(false),
        kms_key_id: copy.kms_key_id,
        ready: call.world.clock().after(call.now, PENDING),
        is_alone: true,
    };
    let made = snapshots::copied(call, change.tables(), copy);
    pins.pin(&made.id, manifest)?;
    let answer = (made.id.clone(), made.tags.clone());
    change.put(made);
    Ok(answer)
}
