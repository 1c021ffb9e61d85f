use std::collections::BTreeSet;

use super::volumes::VOLUME_TYPES;
use super::{check_id, snapshots, tags};
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::{BlockDevice, Image, ImageOrigin, Protection, Snapshot};
use crate::state::Change;
use crate::world::{Pins, new_id};

/// What the first gp3 volume of EC2 has without being asked (Amazon EBS user guide, "General Purpose SSD").
pub(super) const GP3: (u64, u64) = (3000, 125);

/// Makes an image of a snapshot.
pub(crate) fn register_image(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let name = params.required("Name")?;
    check_name(name)?;
    let architecture = params.get("Architecture").unwrap_or("i386");
    if !matches!(architecture, "x86_64" | "arm64") {
        return Err(unsupported(&format!(
            "Images of the architecture {architecture} cannot be registered here"
        )));
    }
    if params.get("VirtualizationType").unwrap_or("paravirtual") != "hvm" {
        return Err(unsupported("Only images of the virtualization type hvm can be registered"));
    }
    for parameter in ["ImageLocation", "KernelId", "RamdiskId"] {
        if params.get(parameter).is_some() {
            return Err(unsupported(&format!("The parameter {parameter} is not supported here")));
        }
    }
    let boot_mode = one_of(params, "BootMode", &["legacy-bios", "uefi", "uefi-preferred"])?;
    if architecture == "arm64" && boot_mode.as_deref().is_some_and(|mode| mode != "uefi") {
        let message = format!("The boot mode {} cannot be used with arm64", boot_mode.unwrap_or_default());
        return Err(Fault::client("InvalidParameterCombination", message));
    }
    let tpm_support = one_of(params, "TpmSupport", &["v2.0"])?;
    if tpm_support.is_some() && boot_mode.as_deref() != Some("uefi") {
        let message = "TpmSupport can only be used with the boot mode uefi";
        return Err(Fault::client("InvalidParameterCombination", message));
    }
    let image = Image {
        id: new_id("ami"),
        account: call.account().to_owned(),
        region: call.region.to_owned(),
        name: name.to_owned(),
        description: params.get("Description").map(str::to_owned),
        architecture: architecture.to_owned(),
        created: call.now,
        available: call.now,
        root_device_name: params.get("RootDeviceName").unwrap_or("/dev/sda1").to_owned(),
        block_devices: Vec::new(),
        boot_mode,
        has_ena: params.boolean("EnaSupport")?.unwrap_or(false),
        sriov: one_of(params, "SriovNetSupport", &["simple"])?,
        imds_support: one_of(params, "ImdsSupport", &["v2.0"])?,
        tpm_support,
        uefi_data: params.get("UefiData").map(str::to_owned),
        product_codes: Vec::new(),
        permissions: BTreeSet::new(),
        origin: ImageOrigin::Registered,
        source: None,
        source_instance: None,
        is_disabled: false,
        protection: Protection::Disabled,
        watermarks: Vec::new(),
        failure: None,
        deprecation: None,
        last_launched: None,
        tags: tags::specified(params, "image")?,
    };
    let devices = devices(params)?;
    let mut pins = call.world.pins();
    let id = call.change(params, |change| register(call, change, &mut pins, image, devices))?;
    pins.keep();
    Ok(Element::default().text("imageId", id))
}

/// Puts a new image in its place, once its devices are what they have to be.
fn register(
    call: &Call<'_>,
    change: &mut Change<'_>,
    pins: &mut Pins<'_>,
    mut image: Image,
    devices: Vec<BlockDevice>,
) -> Result<String, Fault> {
    for mut device in devices {
        if let Some(id) = device.snapshot_id.clone() {
            let snapshot = change.get::<Snapshot>(&id).filter(|snapshot| {
                snapshot.region == call.region
                    && snapshots::is_usable(change.tables(), snapshot, call.account())
            });
            let snapshot = snapshot.ok_or_else(|| snapshots::not_found(&id))?;
            if snapshot.status(call.now) != "completed" {
                let message = format!("Snapshot {id} is in an invalid state: {}", snapshot.status(call.now));
                return Err(Fault::client("InvalidParameterValue", message));
            }
            snapshots::check_readable(call, &snapshot)?;
            if device.volume_gib == 0 {
                device.volume_gib = snapshot.volume_gib;
            }
            if device.volume_gib < snapshot.volume_gib {
                let message = format!(
                    "Volume of size {}GB is smaller than snapshot '{id}', expect size >= {}GB",
                    device.volume_gib, snapshot.volume_gib
                );
                return Err(Fault::client("InvalidBlockDeviceMapping", message));
            }
            if let Some(manifest) = snapshot.manifest.filter(|_| snapshot.is_of_store) {
                // The image lasts longer than that of the store, should somebody remove that.
                pins.pin(&snapshot.id, manifest)?;
            }
            device.is_encrypted = snapshot.is_encrypted;
            device.kms_key_id.clone_from(&snapshot.kms_key_id);
        } else if device.virtual_name.is_none() && device.volume_gib == 0 {
            let message = format!("The device '{}' has neither a snapshot nor a size", device.device_name);
            return Err(Fault::client("InvalidBlockDeviceMapping", message));
        }
        image.block_devices.push(device);
    }
    let root = image.block_devices.iter().find(|device| device.device_name == image.root_device_name);
    if root.is_none_or(|device| device.snapshot_id.is_none()) {
        let message = format!("No snapshot is mapped to the root device {}", image.root_device_name);
        return Err(Fault::client("InvalidBlockDeviceMapping", message));
    }
    check_name_is_free(change, &image)?;
    let id = image.id.clone();
    change.put(image);
    Ok(id)
}

/// Refuses a name that another image of the account has in the region.
pub(super) fn check_name_is_free(change: &Change<'_>, image: &Image) -> Result<(), Fault> {
    if let Some(other) = change.tables().image_named(&image.account, &image.region, &image.name) {
        let message = format!("AMI name {} is already in use by AMI {}", image.name, other.id);
        return Err(Fault::client("InvalidAMIName.Duplicate", message));
    }
    Ok(())
}

fn unsupported(message: &str) -> Fault {
    Fault::client("UnsupportedOperation", message)
}

/// Returns a parameter that has one of a few values.
fn one_of(params: &Params, name: &str, allowed: &[&str]) -> Result<Option<String>, Fault> {
    match params.get(name) {
        Some(value) if !allowed.contains(&value) => Err(Fault::invalid_value(name, value)),
        value => Ok(value.map(str::to_owned)),
    }
}

/// Refuses names that EC2 refuses: 3 to 128 characters of a few kinds (`RegisterImage`, Name).
pub(super) fn check_name(name: &str) -> Result<(), Fault> {
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || " ()[]./-'@_".contains(letter);
    if (3..=128).contains(&name.len()) && name.chars().all(is_allowed) {
        return Ok(());
    }
    let message = "AMI names must be between 3 and 128 characters long, and may contain letters, numbers, '(', ')', \
                   '.', '-', '/' and '_'";
    Err(Fault::client("InvalidAMIName.Malformed", message))
}

/// Refuses numbers that volumes of a type cannot have (`CreateVolume`, Iops and Throughput).
pub(super) fn check_performance(device: &BlockDevice) -> Result<(), Fault> {
    let volume_type = device.volume_type.as_str();
    let refuse = |what: &str| {
        let message = format!("The parameter {what} is not supported for {volume_type} volumes");
        Err(Fault::client("InvalidParameterCombination", message))
    };
    if device.iops.is_some() && !matches!(volume_type, "gp3" | "io1" | "io2") {
        return refuse("iops");
    }
    if device.throughput.is_some() && volume_type != "gp3" {
        return refuse("throughput");
    }
    Ok(())
}

/// Reads `BlockDeviceMapping.N`.
fn devices(params: &Params) -> Result<Vec<BlockDevice>, Fault> {
    let mut devices: Vec<BlockDevice> = Vec::new();
    for index in params.indexes("BlockDeviceMapping") {
        let name = format!("BlockDeviceMapping.{index}");
        let device_name = params.required(&format!("{name}.DeviceName"))?.to_owned();
        if devices.iter().any(|device| device.device_name == device_name) {
            let message = format!("The device '{device_name}' is used in more than one block-device mapping");
            return Err(Fault::client("InvalidBlockDeviceMapping", message));
        }
        // A device that is left out on purpose.
        if params.has(&format!("{name}.NoDevice")) {
            continue;
        }
        let ebs = |key: &str| format!("{name}.Ebs.{key}");
        let snapshot_id = params.get(&ebs("SnapshotId")).map(str::to_owned);
        if let Some(id) = &snapshot_id {
            check_id("snap", "InvalidSnapshotID.Malformed", id)?;
        }
        let encrypted = params.boolean(&ebs("Encrypted"))?;
        if encrypted.is_some() && snapshot_id.is_some() {
            let message = "the parameter Encrypted cannot be used with a snapshot";
            return Err(Fault::client("InvalidBlockDeviceMapping", message));
        }
        let volume_type = params.get(&ebs("VolumeType")).unwrap_or("gp2").to_owned();
        if !VOLUME_TYPES.contains(&volume_type.as_str()) {
            return Err(Fault::invalid_value("VolumeType", &volume_type));
        }
        let (iops, throughput) = (params.number(&ebs("Iops"))?, params.number(&ebs("Throughput"))?);
        let is_gp3 = volume_type == "gp3";
        devices.push(BlockDevice {
            virtual_name: params.get(&format!("{name}.VirtualName")).map(str::to_owned),
            snapshot_id,
            volume_gib: params.number(&ebs("VolumeSize"))?.unwrap_or(0),
            iops: iops.or(is_gp3.then_some(GP3.0)),
            throughput: throughput.or(is_gp3.then_some(GP3.1)),
            is_deleted_on_termination: params.boolean(&ebs("DeleteOnTermination"))?.unwrap_or(true),
            is_encrypted: encrypted.unwrap_or(false),
            kms_key_id: params.get(&ebs("KmsKeyId")).map(str::to_owned),
            volume_type,
            device_name,
        });
    }
    Ok(devices)
}
