use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::snapshots::{self, CopyOf};
use super::{REGIONS, allowed_images, check_id, tags};
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::{Image, ImageOrigin, Protection, Snapshot, Tags};
use crate::state::Change;
use crate::world::{Pins, new_id};

/// How long a copy is pending.
const PENDING: SignedDuration = SignedDuration::from_mins(1);

/// What a copy shall be, but for what its source says.
struct Copy<'a> {
    name: &'a str,
    source_id: &'a str,
    source_region: &'a str,
    description: Option<&'a str>,
    is_encrypted: bool,
    kms_key_id: Option<&'a str>,
    with_tags: bool,
    image_tags: Tags,
    snapshot_tags: Tags,
}

/// Copies an image into the region of the call, with copies of its snapshots. No block is copied: the store has each once.
pub(crate) fn copy_image(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let copy = Copy {
        name: params.required("Name")?,
        source_id: params.required("SourceImageId")?,
        source_region: params.required("SourceRegion")?,
        description: params.get("Description"),
        is_encrypted: params.boolean("Encrypted")?.unwrap_or(false),
        kms_key_id: params.get("KmsKeyId"),
        with_tags: params.boolean("CopyImageTags")?.unwrap_or(false),
        image_tags: tags::specified_of(params, "image", &["image", "snapshot"])?,
        snapshot_tags: tags::specified_of(params, "snapshot", &["image", "snapshot"])?,
    };
    snapshots::check_minutes(params, "SnapshotCopyCompletionDurationMinutes")?;
    super::register_image::check_name(copy.name)?;
    check_id("ami", "InvalidAMIID.Malformed", copy.source_id)?;
    if !REGIONS.contains(&copy.source_region) {
        return Err(Fault::invalid_value("SourceRegion", copy.source_region));
    }
    if copy.kms_key_id.is_some() && !copy.is_encrypted {
        let message = "KmsKeyId can only be used when Encrypted is true";
        return Err(Fault::client("InvalidParameterCombination", message));
    }
    let mut pins = call.world.pins();
    let id = call.change(params, |change| {
        call.make_once(change, params, |change| {
            let image = copied(call, change, &mut pins, &copy)?;
            super::register_image::check_name_is_free(change, &image)?;
            let id = image.id.clone();
            change.put(image);
            Ok(id)
        })
    })?;
    pins.keep();
    Ok(Element::default().text("imageId", id))
}

fn copied(
    call: &Call<'_>,
    change: &mut Change<'_>,
    pins: &mut Pins<'_>,
    copy: &Copy<'_>,
) -> Result<Image, Fault> {
    let source = change
        .get::<Image>(copy.source_id)
        .filter(|source| source.region == copy.source_region && source.is_usable_by(call.account()));
    let Some(source) = source else {
        let message = format!("The image id '[{}]' does not exist", copy.source_id);
        return Err(Fault::client("InvalidAMIID.NotFound", message));
    };
    allowed_images::check(call, change.tables(), &source)?;
    if source.state(call.now) != "available" {
        let message = format!("The image '{}' is {}", source.id, source.state(call.now));
        return Err(Fault::client("InvalidAMIID.Unavailable", message));
    }
    let ready = call.world.clock().after(call.now, PENDING);
    let mut image = Image {
        id: new_id("ami"),
        account: call.account().to_owned(),
        region: call.region.to_owned(),
        name: copy.name.to_owned(),
        description: copy.description.map(str::to_owned).or_else(|| source.description.clone()),
        created: call.now,
        available: ready,
        permissions: BTreeSet::new(),
        origin: ImageOrigin::Copied,
        source: Some((source.id.clone(), source.region.clone())),
        source_instance: None,
        deprecation: None,
        last_launched: None,
        protection: Protection::Disabled,
        tags: copy.image_tags.clone(),
        ..Image::clone(&source)
    };
    if copy.with_tags && source.account == call.account() {
        for (key, value) in &source.tags {
            image.tags.entry(key.clone()).or_insert_with(|| value.clone());
        }
    }
    for device in &mut image.block_devices {
        let Some(id) = device.snapshot_id.clone() else { continue };
        let gone = || snapshots::not_found(&id);
        let snapshot = change.get::<Snapshot>(&id).ok_or_else(gone)?;
        let manifest = snapshot.manifest.ok_or_else(gone)?;
        snapshots::check_readable(call, &snapshot)?;
        let of = CopyOf {
            source: &snapshot,
            description: format!("Copied for DestinationAmi {} from SourceAmi {}", image.id, source.id),
            tags: copy.snapshot_tags.clone(),
            is_encrypted: copy.is_encrypted,
            kms_key_id: copy.kms_key_id,
            ready,
            is_alone: false,
        };
        let made = snapshots::copied(call, change.tables(), of);
        pins.pin(&made.id, manifest)?;
        device.snapshot_id = Some(made.id.clone());
        device.is_encrypted = made.is_encrypted;
        device.kms_key_id.clone_from(&made.kms_key_id);
        change.put(made);
    }
    Ok(image)
}
