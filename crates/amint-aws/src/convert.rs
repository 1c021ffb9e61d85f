//! Nouns of the SDK as nouns of amint's engines. What the service does not say stays unsaid.

use amint_publish::{CloudImage, CloudSnapshot, Protection, SnapshotState, Tags};
use aws_sdk_ec2::types::{
    EbsBlockDevice, Image, ResourceType, Snapshot, SnapshotState as Ec2State, StorageTier, Tag,
    TagSpecification,
};
use aws_smithy_types::DateTime;
use jiff::Timestamp;

pub(crate) fn image(image: &Image) -> CloudImage {
    let root_device = image.root_device_name.clone();
    let devices = || image.block_device_mappings().iter();
    let root: Option<&EbsBlockDevice> = devices()
        .find(|device| device.device_name().is_some() && device.device_name() == root_device.as_deref())
        .and_then(|device| device.ebs());
    let snapshots = devices().filter_map(|device| device.ebs()?.snapshot_id());
    CloudImage {
        id: image.image_id().unwrap_or_default().to_owned(),
        name: image.name().unwrap_or_default().to_owned(),
        state: image.state().map(|state| state.as_str().to_owned()).unwrap_or_default(),
        architecture: image.architecture().map(|one| one.as_str().to_owned()).unwrap_or_default(),
        virtualization: image.virtualization_type().map(|one| one.as_str().to_owned()).unwrap_or_default(),
        boot_mode: image.boot_mode().map(|mode| mode.as_str().to_owned()),
        has_ena: image.ena_support().unwrap_or(false),
        imds_support: image.imds_support().map(|version| version.as_str().to_owned()),
        platform_details: image.platform_details().map(str::to_owned),
        snapshot_id: root.and_then(|device| device.snapshot_id()).map(str::to_owned),
        snapshot_ids: snapshots.map(str::to_owned).collect(),
        deprecated_at: image.deprecation_time().and_then(|time| time.parse().ok()),
        protection: image.deregistration_protection().and_then(protection),
        watermarks: image
            .image_watermarks()
            .iter()
            .filter_map(|mark| mark.watermark_key().map(str::to_owned))
            .collect(),
        volume_gib: root.and_then(EbsBlockDevice::volume_size).and_then(|size| u64::try_from(size).ok()),
        volume_type: root.and_then(|device| device.volume_type()).map(|one| one.as_str().to_owned()),
        is_deleted_on_termination: root.and_then(EbsBlockDevice::delete_on_termination).unwrap_or(false),
        is_encrypted: devices().filter_map(|device| device.ebs()).any(|ebs| ebs.encrypted() == Some(true)),
        owner: image.owner_id().map(str::to_owned),
        is_public: image.public().unwrap_or(false),
        root_device_type: image.root_device_type().map(|one| one.as_str().to_owned()),
        has_instance_types: image.instance_type_specification().is_some(),
        created: image.creation_date().and_then(|time| time.parse().ok()),
        product_codes: image
            .product_codes()
            .iter()
            .filter_map(|code| code.product_code_id().map(str::to_owned))
            .collect(),
        tags: tags(image.tags()),
        root_device,
    }
}

fn protection(state: &str) -> Option<Protection> {
    match state {
        "enabled-with-cooldown" => Some(Protection::WithCooldown),
        "enabled-without-cooldown" => Some(Protection::WithoutCooldown),
        _ => None,
    }
}

pub(crate) fn snapshot(snapshot: &Snapshot) -> Option<CloudSnapshot> {
    // An archived snapshot is completed, and cannot be read or built upon.
    let is_archived = snapshot.storage_tier() == Some(&StorageTier::Archive);
    let state = match snapshot.state()? {
        Ec2State::Completed if !is_archived => SnapshotState::Completed,
        Ec2State::Pending => SnapshotState::Pending,
        _ => SnapshotState::Unusable,
    };
    Some(CloudSnapshot {
        id: snapshot.snapshot_id()?.to_owned(),
        state,
        volume_gib: snapshot.volume_size().and_then(|size| u64::try_from(size).ok())?,
        is_encrypted: snapshot.encrypted().unwrap_or(false),
        key: snapshot.kms_key_id().map(str::to_owned),
        started: snapshot.start_time().and_then(timestamp)?,
        tags: tags(snapshot.tags()),
    })
}

fn tags(tags: &[Tag]) -> Tags {
    let pairs = tags.iter().filter_map(|tag| Some((tag.key()?.to_owned(), tag.value()?.to_owned())));
    pairs.collect()
}

/// Tags of what is about to be made, one specification for each kind of resource.
pub(crate) fn specification(kind: ResourceType, tags: &Tags) -> TagSpecification {
    let list = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    TagSpecification::builder().resource_type(kind).set_tags(Some(list.collect())).build()
}

fn timestamp(time: &DateTime) -> Option<Timestamp> {
    Timestamp::from_second(time.secs()).ok()
}
