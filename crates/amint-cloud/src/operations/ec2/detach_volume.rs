use super::{instances, volumes};
use crate::machines::Command;
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::{InstanceState, Volume};

/// Detaches a volume: asks a running guest to let go of it.
pub(crate) fn detach_volume(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let id = volumes::id(params)?;
    let (instance_id, device) = (params.get("InstanceId"), params.get("Device"));
    let is_forced = params.boolean("Force")?.unwrap_or(false);
    let (answer, asked) = call.change(params, |change| {
        let volume = volumes::own(call, change.tables(), id)?;
        let Some(attachment) = &volume.attachment else {
            return Err(Fault::client(
                "IncorrectState",
                format!("Volume '{id}' is in the 'available' state."),
            ));
        };
        if instance_id.is_some_and(|wanted| wanted != attachment.instance_id)
            || device.is_some_and(|wanted| wanted != attachment.device)
        {
            let message = format!("The volume '{id}' is not attached to that instance as that device");
            return Err(Fault::client("InvalidAttachment.NotFound", message));
        }
        let instance = instances::own(call, change.tables(), &attachment.instance_id)?;
        volumes::check_instance(&instance)?;
        let is_running = instance.state == InstanceState::Running;
        if is_running && attachment.device == instance.root_device_name {
            let message = format!("Unable to detach root volume '{id}' from instance '{}'", instance.id);
            return Err(Fault::client("OperationNotPermitted", message));
        }
        if is_running && is_forced {
            let message = "A volume of a running instance cannot be detached by force here";
            return Err(Fault::client("UnsupportedOperation", message));
        }
        let mut shown = Volume::clone(&volume);
        if let Some(attachment) = &mut shown.attachment {
            attachment.is_detaching = true;
        }
        let answer = volumes::attachment(&shown).unwrap_or_default();
        if !is_running {
            shown.attachment = None;
        }
        change.put(shown);
        Ok((answer, is_running.then(|| instance.id.clone())))
    })?;
    if let Some(instance_id) = asked {
        unplug(call, id, &instance_id)?;
    }
    Ok(Element::default().with_all(answer))
}

fn unplug(call: &Call<'_>, id: &str, instance_id: &str) -> Result<(), Fault> {
    let (sender, answer) = tokio::sync::oneshot::channel();
    let command = Command::Unplug { volume_id: id.to_owned(), answer: sender };
    let is_asked = call.world.machines().is_some_and(|machines| machines.ask(instance_id, command));
    let answer = if is_asked { volumes::answer_of(answer) } else { Err("it has just ended".to_owned()) };
    answer.map_err(|words| {
        call.world.volume_kept(id);
        let message = format!("The volume '{id}' stays until the instance is stopped: {words}");
        Fault::client("IncorrectState", message)
    })
}
