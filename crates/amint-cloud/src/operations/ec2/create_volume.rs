use super::{tags, volumes};
use crate::network::Network;
use crate::operations::Call;
use crate::operations::ec2::register_image::{GP3, check_performance};
use crate::protocol::{Element, Fault, Params};
use crate::records::{BlockDevice, Volume};

/// Makes a volume, empty or of a snapshot.
pub(crate) fn create_volume(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let zone = params.required("AvailabilityZone")?;
    if Network::of(call.account(), call.region).subnets.iter().all(|subnet| subnet.zone != zone) {
        return Err(Fault::client("InvalidZone.NotFound", format!("The zone '{zone}' does not exist.")));
    }
    let snapshot_id = params.get("SnapshotId").map(str::to_owned);
    let size = params.number("Size")?;
    let volume_type = params.get("VolumeType").unwrap_or("gp2").to_owned();
    if !volumes::VOLUME_TYPES.contains(&volume_type.as_str()) {
        return Err(Fault::invalid_value("VolumeType", &volume_type));
    }
    if params.boolean("MultiAttachEnabled")? == Some(true) {
        let message = "Volumes at several instances are not made here";
        return Err(Fault::client("UnsupportedOperation", message));
    }
    let is_gp3 = volume_type == "gp3";
    let mut device = BlockDevice {
        snapshot_id,
        iops: params.number("Iops")?.or(is_gp3.then_some(GP3.0)),
        throughput: params.number("Throughput")?.or(is_gp3.then_some(GP3.1)),
        is_encrypted: params.boolean("Encrypted")?.unwrap_or(false),
        kms_key_id: params.get("KmsKeyId").map(str::to_owned),
        volume_type,
        ..BlockDevice::default()
    };
    check_performance(&device)?;
    let new_tags = tags::specified(params, "volume")?;
    let mut pins = call.world.pins();
    let id = call.change(params, |change| {
        call.make_once(change, params, |change| {
            device.volume_gib = match (size, &device.snapshot_id) {
                (Some(size), _) => size,
                (None, Some(id)) => volumes::source(call, change.tables(), id)?.volume_gib,
                (None, None) => {
                    let message = "The request must contain the parameter size or snapshotId";
                    return Err(Fault::client("MissingParameter", message));
                }
            };
            Ok(volumes::make(call, change, &mut pins, &device, zone, new_tags)?.id)
        })
    })?;
    pins.keep();
    let volume: Volume = Volume::clone(volumes::own(call, &call.tables(), &id)?.as_ref());
    Ok(Element::default().with_all(volumes::describe(&volume)))
}
