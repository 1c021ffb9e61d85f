use std::sync::Arc;

use super::{check_known, filters, instances, passes, time};
use crate::operations::Call;
use crate::operations::page::{Pager, USUAL};
use crate::protocol::{Element, Fault, Params};
use crate::records::{Instance, Tables, Volume};

/// The filters that there are besides those of tags (API reference, `DescribeInstances`), but for those of what no
/// instance here has.
const FILTERS: [&str; 54] = [
    "architecture",
    "availability-zone",
    "block-device-mapping.attach-time",
    "block-device-mapping.delete-on-termination",
    "block-device-mapping.device-name",
    "block-device-mapping.status",
    "block-device-mapping.volume-id",
    "boot-mode",
    "client-token",
    "dns-name",
    "group-id",
    "group-name",
    "hypervisor",
    "iam-instance-profile.arn",
    "iam-instance-profile.name",
    "image-id",
    "instance-id",
    "instance-lifecycle",
    "instance-state-code",
    "instance-state-name",
    "instance-type",
    "instance.group-id",
    "instance.group-name",
    "ip-address",
    "key-name",
    "launch-index",
    "launch-time",
    "metadata-options.http-endpoint",
    "metadata-options.http-tokens",
    "metadata-options.instance-metadata-tags",
    "monitoring-state",
    "network-interface.addresses.association.public-ip",
    "network-interface.addresses.private-ip-address",
    "network-interface.group-id",
    "network-interface.mac-address",
    "network-interface.network-interface-id",
    "network-interface.subnet-id",
    "network-interface.vpc-id",
    "owner-id",
    "placement-group-name",
    "platform",
    "private-dns-name",
    "private-ip-address",
    "product-code",
    "reservation-id",
    "root-device-name",
    "root-device-type",
    "source-dest-check",
    "spot-instance-request-id",
    "state-reason-code",
    "subnet-id",
    "tenancy",
    "virtualization-type",
    "vpc-id",
];

/// Lists the instances of an account, those that were terminated within the last hour among them.
pub(crate) fn describe_instances(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let ids = params.list("InstanceId");
    // AWS's own services manage nothing here.
    params.boolean("IncludeManagedResources")?;
    let filters = filters(params, &FILTERS)?;
    let pager = Pager::new(call, params, USUAL)?;
    if !ids.is_empty() && params.get("MaxResults").is_some() {
        let message = "The parameter instancesSet cannot be used with the parameter maxResults";
        return Err(Fault::client("InvalidParameterCombination", message));
    }
    let tables = call.tables();
    let codes = ("InvalidInstanceID.Malformed", "InvalidInstanceID.NotFound");
    check_known(&ids, "i", codes, "instance ID", |id| instances::own(call, &tables, id).is_ok())?;
    let is_wanted = |instance: &Instance| {
        call.owns(&instance.account, &instance.region)
            && (ids.is_empty() || ids.contains(&instance.id.as_str()))
            && passes(&filters, &instance.tags, |name| values(&tables, instance, name))
    };
    let found = pager.rest(&tables.instances).filter(|instance| is_wanted(instance));
    let page = pager.page(found.map(|instance| Ok(Arc::clone(instance))))?;
    let mut entries = page.entries;
    entries.sort_by(|one, other| {
        let key = |one: &Instance| (one.launched, one.reservation_id.clone(), one.launch_index);
        key(one).cmp(&key(other))
    });
    let reservations = entries.chunk_by(|one, other| one.reservation_id == other.reservation_id);
    let written = reservations.filter_map(|of_one| {
        let first = of_one.first()?;
        let instances = of_one.iter().map(|instance| instances::describe(&tables, instance));
        let element = Element::default()
            .text("reservationId", &first.reservation_id)
            .text("ownerId", &first.account)
            .with(Element::new("groupSet"))
            .with(Element::list("instancesSet", instances));
        Some(element)
    });
    Ok(Element::default().with(Element::list("reservationSet", written)).maybe("nextToken", page.next_token))
}

/// Returns what a filter compares with.
fn values(tables: &Tables, instance: &Instance, name: &str) -> Vec<String> {
    let one = |text: &str| vec![text.to_owned()];
    let maybe = |text: Option<&String>| text.cloned().into_iter().collect();
    let devices = |value: fn(&Volume) -> Option<String>| {
        instances::devices(tables, instance).into_iter().filter_map(value).collect()
    };
    let switch = |is_on: bool| one(if is_on { "enabled" } else { "disabled" });
    match name {
        "architecture" => one(&instance.architecture),
        "availability-zone" => one(&instance.zone),
        "block-device-mapping.attach-time" => {
            devices(|one| one.attachment.as_ref().map(|at| time(at.attached)))
        }
        "block-device-mapping.delete-on-termination" => {
            devices(|one| one.attachment.as_ref().map(|at| at.is_deleted_on_termination.to_string()))
        }
        "block-device-mapping.device-name" => {
            devices(|one| one.attachment.as_ref().map(|at| at.device.clone()))
        }
        "block-device-mapping.status" => {
            devices(|one| one.attachment.as_ref().map(|at| at.state().to_owned()))
        }
        "block-device-mapping.volume-id" => devices(|one| Some(one.id.clone())),
        "boot-mode" => maybe(instance.boot_mode.as_ref()),
        "client-token" => maybe(instance.client_token.as_ref()),
        "group-id" | "instance.group-id" | "network-interface.group-id" => instance.group_ids.clone(),
        "group-name" | "instance.group-name" => {
            let groups = instance.group_ids.iter().filter_map(|id| tables.security_groups.get(id));
            groups.map(|group| group.name.clone()).collect()
        }
        "hypervisor" => one("xen"),
        "iam-instance-profile.arn" => {
            maybe(instance.profile.as_ref().filter(|profile| profile.starts_with("arn:")))
        }
        "iam-instance-profile.name" => {
            maybe(instance.profile.as_ref().filter(|profile| !profile.starts_with("arn:")))
        }
        "image-id" => one(&instance.image_id),
        "instance-id" => one(&instance.id),
        "instance-lifecycle" => instance.spot.iter().map(|_| "spot".to_owned()).collect(),
        "instance-state-code" => one(&instance.state.code().to_string()),
        "instance-state-name" => one(instance.state.name()),
        "instance-type" => one(&instance.instance_type),
        "ip-address" | "network-interface.addresses.association.public-ip" => {
            instance.shown_public_ip().map(|address| address.to_string()).into_iter().collect()
        }
        "key-name" => maybe(instance.key_name.as_ref()),
        "launch-index" => one(&instance.launch_index.to_string()),
        "launch-time" => one(&time(instance.launched)),
        "metadata-options.http-endpoint" => switch(instance.metadata.is_enabled),
        "metadata-options.http-tokens" => {
            one(if instance.metadata.needs_token { "required" } else { "optional" })
        }
        "metadata-options.instance-metadata-tags" => switch(instance.metadata.has_tags),
        "monitoring-state" => switch(instance.is_monitored),
        "network-interface.mac-address" => one(&instance.mac),
        "network-interface.network-interface-id" => one(&instance.interface_id),
        "owner-id" => one(&instance.account),
        "private-dns-name" => one(&instance.private_dns_name()),
        "private-ip-address" | "network-interface.addresses.private-ip-address" => {
            one(&instance.private_ip.to_string())
        }
        "product-code" => instance.product_codes.clone(),
        "reservation-id" => one(&instance.reservation_id),
        "root-device-name" => one(&instance.root_device_name),
        "root-device-type" => one("ebs"),
        "source-dest-check" => one(&instance.checks_source.to_string()),
        "spot-instance-request-id" => instance.spot.iter().map(|spot| spot.id.clone()).collect(),
        "state-reason-code" => instance.reason.iter().map(|(code, _)| code.clone()).collect(),
        "subnet-id" | "network-interface.subnet-id" => one(&instance.subnet_id),
        "tenancy" => one("default"),
        "virtualization-type" => one("hvm"),
        "vpc-id" | "network-interface.vpc-id" => one(&instance.vpc_id),
        // No instance here is in a placement group, of another platform, or has a public name.
        _ => Vec::new(),
    }
}
