use std::sync::Arc;

use super::{check_id, filters, passes, tag_set, time};
use crate::operations::Call;
use crate::operations::page::{Pager, USUAL};
use crate::protocol::{Element, Fault, Params};
use crate::records::{Instance, SpotRequest};

/// The filters that there are (API reference, `DescribeSpotInstanceRequests`), but for those of what a launch asked for.
const FILTERS: [&str; 11] = [
    "availability-zone",
    "create-time",
    "instance-id",
    "launched-availability-zone",
    "product-description",
    "spot-instance-request-id",
    "spot-price",
    "state",
    "status-code",
    "type",
    "valid-until",
];

/// Lists the requests that spot instances were launched by: each is told as long as its instance is.
pub(crate) fn describe_spot_instance_requests(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let ids = params.list("SpotInstanceRequestId");
    let filters = filters(params, &FILTERS)?;
    let pager = Pager::new(call, params, USUAL)?;
    let tables = call.tables();
    let own = |instance: &&Arc<Instance>| call.owns(&instance.account, &instance.region);
    let is_of = |instance: &Instance, id: &str| instance.spot.as_ref().is_some_and(|spot| spot.id == id);
    for id in &ids {
        check_id("sir", "InvalidSpotInstanceRequestID.Malformed", id)?;
        if !tables.instances.values().filter(own).any(|instance| is_of(instance, id)) {
            let message = format!("The spot instance request ID '{id}' does not exist");
            return Err(Fault::client("InvalidSpotInstanceRequestID.NotFound", message));
        }
    }
    let is_wanted = |instance: &Instance, spot: &SpotRequest| {
        (ids.is_empty() || ids.contains(&spot.id.as_str()))
            && passes(&filters, &spot.tags, |name| values(instance, spot, name))
    };
    let found = pager
        .rest(&tables.instances)
        .filter(own)
        .filter(|instance| instance.spot.as_ref().is_some_and(|spot| is_wanted(instance, spot)));
    let page = pager.page(found.map(|instance| Ok(Arc::clone(instance))))?;
    let entries = page.entries.iter().filter_map(|instance| describe(instance));
    Ok(Element::default()
        .with(Element::list("spotInstanceRequestSet", entries))
        .maybe("nextToken", page.next_token))
}

/// Returns the state of a request, and its status code.
fn state(instance: &Instance) -> (&'static str, &'static str) {
    if instance.state.is_ending() {
        ("closed", "instance-terminated-by-user")
    } else {
        ("active", "fulfilled")
    }
}

fn describe(instance: &Instance) -> Option<Element> {
    let spot = instance.spot.as_ref()?;
    let (state, code) = state(instance);
    let updated = if instance.state.is_ending() { instance.since } else { spot.created };
    let message = match state {
        "active" => "Your spot request is fulfilled.",
        _ => "The instance was terminated by the user.",
    };
    let status =
        Element::new("status").text("code", code).text("updateTime", time(updated)).text("message", message);
    let groups = instance.group_ids.iter().map(|id| Element::default().text("groupId", id));
    let launch = Element::new("launchSpecification")
        .text("imageId", &instance.image_id)
        .maybe("keyName", instance.key_name.as_ref())
        .with(Element::list("groupSet", groups))
        .text("instanceType", &instance.instance_type)
        .text("subnetId", &instance.subnet_id)
        .with(Element::new("placement").text("availabilityZone", &instance.zone));
    Some(
        Element::default()
            .text("spotInstanceRequestId", &spot.id)
            .maybe("spotPrice", spot.max_price.as_ref())
            .text("type", "one-time")
            .text("state", state)
            .with(status)
            .with(launch)
            .text("instanceId", &instance.id)
            .text("createTime", time(spot.created))
            .text("productDescription", "Linux/UNIX")
            .text("launchedAvailabilityZone", &instance.zone)
            .with(tag_set(&spot.tags))
            .text("instanceInterruptionBehavior", "terminate"),
    )
}

/// Returns what a filter compares with.
fn values(instance: &Instance, spot: &SpotRequest, name: &str) -> Vec<String> {
    let one = |text: &str| vec![text.to_owned()];
    match name {
        "availability-zone" | "launched-availability-zone" => one(&instance.zone),
        "create-time" => one(&time(spot.created)),
        "instance-id" => one(&instance.id),
        "product-description" => one("Linux/UNIX"),
        "spot-instance-request-id" => one(&spot.id),
        "spot-price" => spot.max_price.iter().cloned().collect(),
        "state" => one(state(instance).0),
        "status-code" => one(state(instance).1),
        "type" => one("one-time"),
        // No request here ends by itself.
        _ => Vec::new(),
    }
}
