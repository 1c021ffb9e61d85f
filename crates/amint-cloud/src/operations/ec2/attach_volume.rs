use super::{instances, volumes};
use crate::machines::Command;
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::{Attachment, InstanceState, Volume};

/// Attaches a volume to an instance: plugs it in where the instance runs.
pub(crate) fn attach_volume(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let (id, device) = (volumes::id(params)?, params.required("Device")?);
    let instance_id = instances::id(params)?;
    check_device(device)?;
    let is_running = call.change(params, |change| {
        let volume = volumes::own(call, change.tables(), id)?;
        let instance = instances::own(call, change.tables(), instance_id)?;
        if volume.attachment.is_some() {
            let message = format!("{id} is already attached to an instance");
            return Err(Fault::client("VolumeInUse", message));
        }
        volumes::check_instance(&instance)?;
        if volume.zone != instance.zone {
            let message =
                format!("The volume '{id}' is not in the same availability zone as instance '{instance_id}'");
            return Err(Fault::client("InvalidVolume.ZoneMismatch", message));
        }
        let there = change.tables().volumes.values().filter_map(|volume| volume.attachment.as_ref());
        let there: Vec<&Attachment> = there.filter(|one| one.instance_id == instance_id).collect();
        if there.iter().any(|one| one.device == device) {
            let message = format!(
                "Invalid value '{device}' for unixDevice. Attachment point {device} is already in use"
            );
            return Err(Fault::client("InvalidParameterValue", message));
        }
        if there.len() >= volumes::ATTACHMENTS_MAX {
            let message = format!("The instance '{instance_id}' has {} volumes already", there.len());
            return Err(Fault::client("AttachmentLimitExceeded", message));
        }
        let attachment = Attachment {
            instance_id: instance_id.to_owned(),
            device: device.to_owned(),
            attached: call.now,
            is_deleted_on_termination: false,
            is_detaching: false,
        };
        change.put(Volume { attachment: Some(attachment), ..Volume::clone(&volume) });
        Ok(instance.state == InstanceState::Running)
    })?;
    if is_running {
        plug(call, id, instance_id)?;
    }
    let volume = volumes::own(call, &call.tables(), id)?;
    Ok(Element::default().with_all(volumes::attachment(&volume).unwrap_or_default()))
}

fn plug(call: &Call<'_>, id: &str, instance_id: &str) -> Result<(), Fault> {
    let (sender, answer) = tokio::sync::oneshot::channel();
    let command = Command::Plug { volume_id: id.to_owned(), answer: sender };
    let is_asked = call.world.machines().is_some_and(|machines| machines.ask(instance_id, command));
    let answer = if is_asked { volumes::answer_of(answer) } else { Err("it has just ended".to_owned()) };
    answer.map_err(|words| {
        call.world.volume_detached(id);
        volumes::refused(&words)
    })
}

/// Refuses names that no device has (EC2 user guide, "Device names on Linux instances").
pub(super) fn check_device(device: &str) -> Result<(), Fault> {
    let rest = device.strip_prefix("/dev/").unwrap_or(device);
    let is_right = ["sd", "xvd"].iter().filter_map(|start| rest.strip_prefix(start)).any(|letters| {
        (1..=3).contains(&letters.len())
            && letters.starts_with(|letter: char| letter.is_ascii_lowercase())
            && letters.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit())
    });
    if is_right {
        return Ok(());
    }
    let message =
        format!("Value ({device}) for parameter device is invalid. {device} is not a valid EBS device name.");
    Err(Fault::client("InvalidParameterValue", message))
}
