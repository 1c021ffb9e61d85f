use std::sync::Arc;

use jiff::SignedDuration;

use super::{check_known, filters, instances, passes};
use crate::operations::Call;
use crate::operations::page::{Pager, USUAL};
use crate::protocol::{Element, Fault, Params};
use crate::records::{Instance, InstanceState};

/// How long the checks of a machine that was switched on take. They look at the machine, not at its guest.
const INITIALIZING: SignedDuration = SignedDuration::from_mins(2);

/// Tells how instances are: those that run, or all when that is asked for.
pub(crate) fn describe_instance_status(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let ids = params.list("InstanceId");
    let with_all = params.boolean("IncludeAllInstances")?.unwrap_or(false);
    let known = [
        "availability-zone",
        "instance-state-code",
        "instance-state-name",
        "instance-status.status",
        "system-status.status",
    ];
    // AWS's own services manage nothing here.
    params.boolean("IncludeManagedResources")?;
    let filters = filters(params, &known)?;
    let pager = Pager::new(call, params, USUAL)?;
    let tables = call.tables();
    let codes = ("InvalidInstanceID.Malformed", "InvalidInstanceID.NotFound");
    check_known(&ids, "i", codes, "instance ID", |id| instances::own(call, &tables, id).is_ok())?;
    let is_wanted = |instance: &Instance| {
        call.owns(&instance.account, &instance.region)
            && (with_all || instance.state == InstanceState::Running)
            && (ids.is_empty() || ids.contains(&instance.id.as_str()))
            && passes(&filters, &instance.tags, |name| match name {
                "availability-zone" => vec![instance.zone.clone()],
                "instance-state-code" => vec![instance.state.code().to_string()],
                "instance-state-name" => vec![instance.state.name().to_owned()],
                _ => vec![status(call, instance).to_owned()],
            })
    };
    let found = pager.rest(&tables.instances).filter(|instance| is_wanted(instance));
    let page = pager.page(found.map(|instance| Ok(Arc::clone(instance))))?;
    let entries = page.entries.iter().map(|instance| {
        let summary = |name: &'static str| {
            let status = status(call, instance);
            let element = Element::new(name).text("status", status);
            if status == "not-applicable" {
                return element;
            }
            let detail = if status == "ok" { "passed" } else { "initializing" };
            let detail = Element::default().text("name", "reachability").text("status", detail);
            element.with(Element::list("details", [detail]))
        };
        Element::default()
            .text("instanceId", &instance.id)
            .text("availabilityZone", &instance.zone)
            .with(instances::state("instanceState", instance.state))
            .with(summary("systemStatus"))
            .with(summary("instanceStatus"))
            .with(summary("attachedEbsStatus"))
    });
    Ok(Element::default()
        .with(Element::list("instanceStatusSet", entries))
        .maybe("nextToken", page.next_token))
}

fn status(call: &Call<'_>, instance: &Instance) -> &'static str {
    match instance.state {
        InstanceState::Running if call.world.clock().after(instance.since, INITIALIZING) <= call.now => "ok",
        InstanceState::Running | InstanceState::Pending => "initializing",
        _ => "not-applicable",
    }
}
