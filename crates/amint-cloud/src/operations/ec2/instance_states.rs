use std::sync::Arc;

use super::{instances, run_instances};
use crate::instance_types::find;
use crate::machines::Command;
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::{Instance, InstanceState};
use crate::state::Change;

/// Switches stopped instances on.
pub(crate) fn start_instances(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let changed = change_all(call, params, |change, instance| match instance.state {
        InstanceState::Stopped => {
            let machines = call.world.machines().filter(|machines| {
                find(&instance.instance_type)
                    .is_some_and(|size| run_instances::room(change.tables(), machines, size) > 0)
            });
            if machines.is_none() {
                let message = format!("There is no room for another {}", instance.instance_type);
                return Err(Fault::client("InsufficientInstanceCapacity", message).with_status(500));
            }
            change.edit(&instance.id, |instance: &mut Instance| {
                instance.launched = call.now;
                instance.reason = None;
            });
            Ok(InstanceState::Pending)
        }
        InstanceState::Pending | InstanceState::Running => Ok(instance.state),
        _ => Err(instances::incorrect(instance)),
    })?;
    if let Some(machines) = call.world.machines() {
        for (id, _, _) in changed.iter().filter(|(_, before, after)| before != after) {
            machines.start(call.world, id);
        }
    }
    Ok(answer(&changed))
}

/// Lets instances shut down, or takes their power away.
pub(crate) fn stop_instances(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let is_forced = params.boolean("Force")?.unwrap_or(false);
    let skips = params.boolean("SkipOsShutdown")?.unwrap_or(false);
    if params.boolean("Hibernate")? == Some(true) {
        let message = "Instances do not hibernate here";
        return Err(Fault::client("UnsupportedHibernationConfiguration", message));
    }
    let changed = change_all(call, params, |_, instance| match instance.state {
        InstanceState::Running | InstanceState::Pending if instance.is_stop_protected => {
            let message = format!(
                "The instance '{}' may not be stopped. Modify its 'disableApiStop' instance attribute and try again.",
                instance.id
            );
            Err(Fault::client("OperationNotPermitted", message))
        }
        InstanceState::Running | InstanceState::Pending if instance.spot.is_some() => {
            let message = format!(
                "You can't stop the Spot Instance '{}' because it is associated with a one-time Spot Instance request. \
                 You can only stop Spot Instances associated with persistent Spot Instance requests.",
                instance.id
            );
            Err(Fault::client("UnsupportedOperation", message))
        }
        InstanceState::Running | InstanceState::Pending => Ok(InstanceState::Stopping),
        InstanceState::Stopping | InstanceState::Stopped => Ok(instance.state),
        _ => Err(instances::incorrect(instance)),
    })?;
    for (id, before, after) in &changed {
        let is_again = *before == InstanceState::Stopping && is_forced;
        if before != after || is_again {
            ask(call, id, Command::Stop { is_forced: is_forced || skips });
        }
    }
    Ok(answer(&changed))
}

/// Ends instances for good.
pub(crate) fn terminate_instances(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    // Both say that the guest need not be asked, and it is asked only where a volume outlives it.
    params.boolean("Force")?;
    params.boolean("SkipOsShutdown")?;
    let changed = change_all(call, params, |_, instance| {
        if instance.is_termination_protected && !instance.state.is_ending() {
            let message = format!(
                "The instance '{}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try \
                 again.",
                instance.id
            );
            return Err(Fault::client("OperationNotPermitted", message));
        }
        Ok(if instance.state == InstanceState::Terminated {
            instance.state
        } else {
            InstanceState::ShuttingDown
        })
    })?;
    for (id, before, after) in changed.iter().filter(|(_, before, after)| before != after) {
        let has_machine = before.has_machine() && ask(call, id, Command::Terminate);
        if !has_machine && *after == InstanceState::ShuttingDown {
            let reason = ("Client.UserInitiatedShutdown", "User initiated shutdown".to_owned());
            call.world.machine_terminated(id, reason);
        }
    }
    Ok(answer(&changed))
}

/// Lets instances start anew.
pub(crate) fn reboot_instances(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let changed = change_all(call, params, |_, instance| match instance.state {
        InstanceState::Running => Ok(InstanceState::Running),
        _ => Err(instances::incorrect(instance)),
    })?;
    for (id, _, _) in &changed {
        ask(call, id, Command::Reboot);
    }
    Ok(Element::default().text("return", true))
}

/// Asks something of a machine; false when it has just ended.
fn ask(call: &Call<'_>, id: &str, command: Command) -> bool {
    call.world.machines().is_some_and(|machines| machines.ask(id, command))
}

type Changed = (String, InstanceState, InstanceState);

/// Changes the states of all instances of the request, or of none.
fn change_all(
    call: &Call<'_>,
    params: &Params,
    next: impl Fn(&mut Change<'_>, &Arc<Instance>) -> Result<InstanceState, Fault>,
) -> Result<Vec<Changed>, Fault> {
    let ids = instances::ids(params)?;
    call.change(params, |change| {
        let mut changed = Vec::new();
        for id in &ids {
            let instance = instances::own(call, change.tables(), id)?;
            let state = next(change, &instance)?;
            if state != instance.state {
                change.edit(id, |instance: &mut Instance| {
                    instance.state = state;
                    instance.since = call.now;
                });
            }
            changed.push(((*id).to_owned(), instance.state, state));
        }
        Ok(changed)
    })
}

fn answer(changed: &[Changed]) -> Element {
    let entries = changed.iter().map(|(id, before, after)| {
        Element::default()
            .text("instanceId", id)
            .with(instances::state("currentState", *after))
            .with(instances::state("previousState", *before))
    });
    Element::default().with(Element::list("instancesSet", entries))
}
