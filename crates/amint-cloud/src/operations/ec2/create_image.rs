use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread;

use jiff::Timestamp;

use super::create_snapshot::{Work, begin, fail, finish};
use super::{instances, register_image, tags};
use crate::machines::{Command, Meanwhile};
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::{BlockDevice, Image, ImageOrigin, Instance, InstanceState, Protection, Tags};
use crate::state::Change;
use crate::volumes::Moment;
use crate::world::{World, new_id};

/// What a new image is said to be.
struct Asked {
    name: String,
    description: Option<String>,
    image_tags: Tags,
    snapshot_tags: Tags,
    /// Devices, and whether each ends with instances of the image; none leaves a device out.
    mapping: Vec<(String, Option<bool>)>,
}

/// Makes an image of an instance: a snapshot of each of its volumes. A running guest is shut down for it and started again,
/// unless the request says otherwise.
pub(crate) fn create_image(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let id = instances::id(params)?;
    let is_live = params.boolean("NoReboot")?.unwrap_or(false);
    let asked = asked(params)?;
    register_image::check_name(&asked.name)?;
    let (image_id, state, works) = call.change(params, |change| make(call, change, id, &asked))?;
    let (world, name) = (Arc::clone(call.world), image_id.clone());
    let freeze = move || {
        let moments = freeze(&world, &name, works);
        // Storing them takes a while, and the guest need not wait for it.
        let started =
            thread::Builder::new().name("image".to_owned()).spawn(move || store(&world, &name, moments));
        // Without a thread it stays pending, and fails at the next start.
        drop(started);
    };
    if state == InstanceState::Running && !is_live {
        let command = Command::Pause { meanwhile: Meanwhile(Box::new(freeze)) };
        let is_asked = call.world.machines().is_some_and(|machines| machines.ask(id, command));
        if !is_asked {
            fail_image(call.world, &image_id, "The instance has just ended");
        }
    } else {
        freeze();
    }
    Ok(Element::default().text("imageId", image_id))
}

fn asked(params: &Params) -> Result<Asked, Fault> {
    let kinds = ["image", "snapshot"];
    let mut mapping = Vec::new();
    for index in params.indexes("BlockDeviceMapping") {
        let name = |key: &str| format!("BlockDeviceMapping.{index}.{key}");
        let device = params.required(&name("DeviceName"))?.to_owned();
        if params.has(&name("NoDevice")) {
            mapping.push((device, None));
            continue;
        }
        let Some(is_deleted) = params.boolean(&name("Ebs.DeleteOnTermination"))? else {
            let message = format!("Only DeleteOnTermination can be changed of the device '{device}'");
            return Err(Fault::client("InvalidBlockDeviceMapping", message));
        };
        mapping.push((device, Some(is_deleted)));
    }
    Ok(Asked {
        name: params.required("Name")?.to_owned(),
        description: params.get("Description").map(str::to_owned),
        image_tags: tags::specified_of(params, "image", &kinds)?,
        snapshot_tags: tags::specified_of(params, "snapshot", &kinds)?,
        mapping,
    })
}

/// Puts the image and its snapshots in their places, all of them pending.
fn make(
    call: &Call<'_>,
    change: &mut Change<'_>,
    id: &str,
    asked: &Asked,
) -> Result<(String, InstanceState, Vec<Work>), Fault> {
    let instance = instances::own(call, change.tables(), id)?;
    if !matches!(instance.state, InstanceState::Running | InstanceState::Stopped) {
        return Err(instances::incorrect(&instance));
    }
    let mut image = image_of(call, change, &instance, asked);
    register_image::check_name_is_free(change, &image)?;
    let volumes: Vec<_> = instances::devices(change.tables(), &instance).into_iter().cloned().collect();
    let mut works = Vec::new();
    for volume in volumes {
        let Some(attachment) = &volume.attachment else { continue };
        let told =
            asked.mapping.iter().find(|(device, _)| *device == attachment.device).map(|(_, told)| *told);
        if told == Some(None) {
            continue;
        }
        let description = format!("Created by CreateImage({id}) for {}", image.id);
        let (snapshot, work) = begin(call, change, &volume, description, asked.snapshot_tags.clone())?;
        works.push(work);
        image.block_devices.push(BlockDevice {
            device_name: attachment.device.clone(),
            virtual_name: None,
            snapshot_id: Some(snapshot.id),
            volume_gib: volume.gib,
            volume_type: volume.volume_type.clone(),
            iops: volume.iops,
            throughput: volume.throughput,
            is_deleted_on_termination: told.flatten().unwrap_or(attachment.is_deleted_on_termination),
            is_encrypted: volume.is_encrypted,
            kms_key_id: volume.kms_key_id.clone(),
        });
    }
    let names: BTreeSet<&str> =
        image.block_devices.iter().map(|device| device.device_name.as_str()).collect();
    if !names.contains(image.root_device_name.as_str()) {
        let message = "The root device cannot be left out";
        return Err(Fault::client("InvalidBlockDeviceMapping", message));
    }
    let image_id = image.id.clone();
    change.put(image);
    Ok((image_id, instance.state, works))
}

fn image_of(call: &Call<'_>, change: &Change<'_>, instance: &Instance, asked: &Asked) -> Image {
    let source = change.get::<Image>(&instance.image_id);
    Image {
        id: new_id("ami"),
        account: call.account().to_owned(),
        region: call.region.to_owned(),
        name: asked.name.clone(),
        description: asked.description.clone(),
        architecture: instance.architecture.clone(),
        created: call.now,
        // Until it is made.
        available: Timestamp::MAX,
        root_device_name: instance.root_device_name.clone(),
        block_devices: Vec::new(),
        boot_mode: instance.boot_mode.clone(),
        has_ena: instance.has_ena,
        sriov: instance.sriov.clone(),
        imds_support: source.as_ref().and_then(|source| source.imds_support.clone()),
        tpm_support: instance.tpm_support.clone(),
        uefi_data: None,
        product_codes: instance.product_codes.clone(),
        permissions: BTreeSet::new(),
        origin: ImageOrigin::Created,
        source: Some((instance.image_id.clone(), instance.region.clone())),
        source_instance: Some(instance.id.clone()),
        is_disabled: false,
        protection: Protection::Disabled,
        watermarks: source.as_ref().map(|source| source.watermarks.clone()).unwrap_or_default(),
        failure: None,
        deprecation: None,
        last_launched: None,
        tags: asked.image_tags.clone(),
    }
}

/// Remembers how all volumes are at one moment.
fn freeze(world: &World, image_id: &str, works: Vec<Work>) -> Vec<(Work, Moment)> {
    let mut moments = Vec::new();
    for work in works {
        if let Ok(moment) = work.disk.freeze() {
            moments.push((work, moment));
        } else {
            fail(world, &work.snapshot_id);
            fail_image(world, image_id, "A volume could not be read");
        }
    }
    moments
}

/// Stores the volumes, and makes the image available.
fn store(world: &World, image_id: &str, moments: Vec<(Work, Moment)>) {
    let mut is_whole = true;
    for (work, moment) in moments {
        is_whole &= finish(world, &work.snapshot_id, &work.disk, moment);
    }
    if !is_whole {
        fail_image(world, image_id, "A snapshot could not be made");
        return;
    }
    let now = world.clock().now();
    // What cannot be written down now fails at the next start.
    let _ = world.state.change::<_, Fault>(|change| {
        change.edit(image_id, |image: &mut Image| image.available = now);
        Ok(())
    });
}

fn fail_image(world: &World, id: &str, words: &str) {
    let _ = world.state.change::<_, Fault>(|change| {
        change.edit(id, |image: &mut Image| image.failure = Some(words.to_owned()));
        Ok(())
    });
}
