use super::attach_volume::check_device;
use super::check_id;
use super::register_image::{GP3, check_performance};
use super::volumes::VOLUME_TYPES;
use crate::protocol::{Fault, Params};
use crate::records::{BlockDevice, Image};

/// Returns the volumes of an instance: those of its image, changed by `BlockDeviceMapping.N`, which may add others.
pub(super) fn launch_devices(params: &Params, image: &Image) -> Result<Vec<BlockDevice>, Fault> {
    let mut devices: Vec<BlockDevice> =
        image.block_devices.iter().filter(|device| device.virtual_name.is_none()).cloned().collect();
    let mut named: Vec<&str> = Vec::new();
    for index in params.indexes("BlockDeviceMapping") {
        let name = |key: &str| format!("BlockDeviceMapping.{index}.{key}");
        let device_name = params.required(&name("DeviceName"))?;
        if named.contains(&device_name) {
            let message = format!("The device '{device_name}' is used in more than one block-device mapping");
            return Err(Fault::client("InvalidBlockDeviceMapping", message));
        }
        named.push(device_name);
        let at = devices.iter().position(|device| device.device_name == device_name);
        if params.has(&name("NoDevice")) {
            if device_name == image.root_device_name {
                let message = "The root device cannot be left out";
                return Err(Fault::client("InvalidBlockDeviceMapping", message));
            }
            at.map(|at| devices.remove(at));
            continue;
        }
        if params.get(&name("VirtualName")).is_some() {
            let message = "Instances have no instance store here";
            return Err(Fault::client("UnsupportedOperation", message));
        }
        let of_image = at.map(|at| devices.remove(at));
        let device = device(params, index, device_name, of_image)?;
        devices.insert(at.unwrap_or(devices.len()), device);
    }
    Ok(devices)
}

fn device(
    params: &Params,
    index: u32,
    device_name: &str,
    of_image: Option<BlockDevice>,
) -> Result<BlockDevice, Fault> {
    let ebs = |key: &str| format!("BlockDeviceMapping.{index}.Ebs.{key}");
    let is_new = of_image.is_none();
    if is_new {
        check_device(device_name)?;
    }
    let mut device = of_image.unwrap_or_else(|| BlockDevice {
        device_name: device_name.to_owned(),
        volume_type: "gp2".to_owned(),
        is_deleted_on_termination: true,
        ..BlockDevice::default()
    });
    if let Some(id) = params.get(&ebs("SnapshotId")) {
        check_id("snap", "InvalidSnapshotID.Malformed", id)?;
        if !is_new && device.snapshot_id.as_deref() != Some(id) {
            let message = format!("The snapshot of the device '{device_name}' is that of the image");
            return Err(Fault::client("InvalidBlockDeviceMapping", message));
        }
        device.snapshot_id = Some(id.to_owned());
    }
    if let Some(size) = params.number(&ebs("VolumeSize"))? {
        if size < device.volume_gib {
            let message = format!(
                "Volume of size {size}GB is smaller than snapshot '{}', expect size >= {}GB",
                device.snapshot_id.as_deref().unwrap_or_default(),
                device.volume_gib
            );
            return Err(Fault::client("InvalidBlockDeviceMapping", message));
        }
        device.volume_gib = size;
    }
    if is_new && device.volume_gib == 0 && device.snapshot_id.is_none() {
        let message = format!("The device '{device_name}' has neither a snapshot nor a size");
        return Err(Fault::client("MissingParameter", message));
    }
    if let Some(name) = params.get(&ebs("VolumeType")) {
        if !VOLUME_TYPES.contains(&name) {
            return Err(Fault::invalid_value("VolumeType", name));
        }
        if name != device.volume_type {
            (device.iops, device.throughput) = (None, None);
        }
        name.clone_into(&mut device.volume_type);
    }
    let (iops, throughput) = (params.number(&ebs("Iops"))?, params.number(&ebs("Throughput"))?);
    device.iops = iops.or(device.iops);
    device.throughput = throughput.or(device.throughput);
    check_performance(&device)?;
    if device.volume_type == "gp3" {
        device.iops = device.iops.or(Some(GP3.0));
        device.throughput = device.throughput.or(Some(GP3.1));
    }
    if let Some(is_deleted) = params.boolean(&ebs("DeleteOnTermination"))? {
        device.is_deleted_on_termination = is_deleted;
    }
    device.is_encrypted |= params.boolean(&ebs("Encrypted"))?.unwrap_or(false);
    if let Some(key) = params.get(&ebs("KmsKeyId")) {
        device.kms_key_id = Some(key.to_owned());
    }
    Ok(device)
}
