use super::{time, volumes};
use crate::operations::Call;
use crate::operations::ec2::register_image::check_performance;
use crate::protocol::{Element, Fault, Params};
use crate::records::{BlockDevice, InstanceState, Volume};

/// Makes a volume larger, or changes what it is said to be.
pub(crate) fn modify_volume(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let id = volumes::id(params)?;
    let (size, iops, throughput) =
        (params.number("Size")?, params.number("Iops")?, params.number("Throughput")?);
    let volume_type = params.get("VolumeType");
    if let Some(name) = volume_type.filter(|name| !volumes::VOLUME_TYPES.contains(name)) {
        return Err(Fault::invalid_value("VolumeType", name));
    }
    if params.boolean("MultiAttachEnabled")? == Some(true) {
        let message = "Volumes at several instances are not made here";
        return Err(Fault::client("UnsupportedOperation", message));
    }
    let (before, after) = call.change(params, |change| {
        let before = volumes::own(call, change.tables(), id)?;
        let mut after = Volume::clone(&before);
        after.gib = size.unwrap_or(before.gib);
        volume_type.unwrap_or(&before.volume_type).clone_into(&mut after.volume_type);
        after.iops = iops.or(before.iops);
        after.throughput = throughput.or(before.throughput);
        check_performance(&BlockDevice {
            volume_type: after.volume_type.clone(),
            iops,
            throughput,
            ..BlockDevice::default()
        })?;
        if !(before.gib..=volumes::GIB_MAX).contains(&after.gib) {
            let message =
                format!("New size cannot be smaller than existing size, or larger than {}", volumes::GIB_MAX);
            return Err(Fault::client("InvalidParameterValue", message));
        }
        let is_on = before.attachment.as_ref().is_some_and(|attachment| {
            let instance = change.tables().instances.get(&attachment.instance_id);
            instance.is_some_and(|instance| instance.state != InstanceState::Stopped)
        });
        if is_on && after.gib != before.gib {
            let message = "A volume of a running instance cannot grow here: stop the instance first";
            return Err(Fault::client("UnsupportedOperation", message));
        }
        change.put(after.clone());
        Ok((before, after))
    })?;
    let modification = Element::new("volumeModification")
        .text("volumeId", id)
        .text("modificationState", "completed")
        .text("targetSize", after.gib)
        .maybe("targetIops", after.iops)
        .text("targetVolumeType", &after.volume_type)
        .maybe("targetThroughput", after.throughput)
        .text("originalSize", before.gib)
        .maybe("originalIops", before.iops)
        .text("originalVolumeType", &before.volume_type)
        .maybe("originalThroughput", before.throughput)
        .text("progress", 100)
        .text("startTime", time(call.now))
        .text("endTime", time(call.now));
    Ok(Element::default().with(modification))
}
