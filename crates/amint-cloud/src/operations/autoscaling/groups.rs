use std::sync::Arc;

use super::{invalid, key, name, pager, time, uuid};
use crate::network::Network;
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::{LaunchConfiguration, LaunchTemplate, ScalingGroup, ScalingLaunch, Tables, Tags};

/// How many there are in an account and a region.
const COUNT_MAX: usize = 500;
const COOLDOWN_SECONDS: u64 = 300;

/// Makes a group. It starts no instances.
pub(crate) fn create_auto_scaling_group(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let name = name(params, "AutoScalingGroupName")?;
    let needed =
        |parameter: &str| params.number(parameter)?.ok_or_else(|| invalid(format!("{parameter} is missing")));
    let (size_min, size_max) = (needed("MinSize")?, needed("MaxSize")?);
    let size_desired = params.number("DesiredCapacity")?.unwrap_or(size_min);
    let cooldown_seconds = params.number("DefaultCooldown")?.unwrap_or(COOLDOWN_SECONDS);
    let (zones, subnets) = places(call, params)?;
    let tags = tags(params)?;
    call.change(params, |change| {
        let launch = launch(call, change.tables(), params)?.ok_or_else(|| {
            invalid("Valid requests must contain either LaunchTemplate or LaunchConfigurationName")
        })?;
        let group = ScalingGroup {
            key: key(call, name),
            account: call.account().to_owned(),
            region: call.region.to_owned(),
            name: name.to_owned(),
            uuid: uuid(),
            created: call.now,
            launch,
            size_min,
            size_max,
            size_desired,
            cooldown_seconds,
            zones: zones
                .ok_or_else(|| invalid("At least one Availability Zone or VPC Subnet is required."))?,
            subnets,
            tags,
        };
        check(&group)?;
        if change.get::<ScalingGroup>(&group.key).is_some() {
            let message = "AutoScalingGroup by this name already exists";
            return Err(Fault::client("AlreadyExists", message));
        }
        let own = change.tables().scaling_groups.values();
        if own.filter(|one| call.owns(&one.account, &one.region)).count() >= COUNT_MAX {
            return Err(Fault::client("LimitExceeded", "There are too many groups already"));
        }
        change.put(group);
        Ok(())
    })?;
    Ok(Element::default())
}

/// Changes what a request names of a group.
pub(crate) fn update_auto_scaling_group(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let name = name(params, "AutoScalingGroupName")?;
    let (min, max, desired) =
        (params.number("MinSize")?, params.number("MaxSize")?, params.number("DesiredCapacity")?);
    let cooldown = params.number("DefaultCooldown")?;
    let (zones, subnets) = places(call, params)?;
    call.change(params, |change| {
        let mut group =
            ScalingGroup::clone(change.get::<ScalingGroup>(&key(call, name)).ok_or_else(not_found)?.as_ref());
        if let Some(launch) = launch(call, change.tables(), params)? {
            group.launch = launch;
        }
        group.size_min = min.unwrap_or(group.size_min);
        group.size_max = max.unwrap_or(group.size_max);
        // What was wanted follows its bounds, unless it is said.
        let bounded = group.size_desired.max(group.size_min).min(group.size_max);
        group.size_desired = desired.unwrap_or(bounded);
        group.cooldown_seconds = cooldown.unwrap_or(group.cooldown_seconds);
        if let Some(zones) = zones {
            group.zones = zones;
            group.subnets = subnets;
        }
        check(&group)?;
        change.put(group);
        Ok(())
    })?;
    Ok(Element::default())
}

/// Lists groups.
pub(crate) fn describe_auto_scaling_groups(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let wanted = params.list("AutoScalingGroupNames.member");
    params.boolean("IncludeInstances")?;
    let pager = pager(call, params)?;
    let tables = call.tables();
    let is_asked = |one: &&Arc<ScalingGroup>| {
        call.owns(&one.account, &one.region) && (wanted.is_empty() || wanted.contains(&one.name.as_str()))
    };
    let page = pager.page_by(tables.scaling_groups.values().filter(is_asked), |one| one.name.clone());
    let entries = page.entries.iter().map(|one| describe(one));
    let list = Element::members("AutoScalingGroups", entries);
    Ok(Element::default().with(list).maybe("NextToken", page.next_token))
}

/// Removes a group.
pub(crate) fn delete_auto_scaling_group(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let name = name(params, "AutoScalingGroupName")?;
    params.boolean("ForceDelete")?;
    call.change(params, |change| change.remove::<ScalingGroup>(&key(call, name)).ok_or_else(not_found))?;
    Ok(Element::default())
}

fn not_found() -> Fault {
    invalid("AutoScalingGroup name not found - AutoScalingGroup not found")
}

fn check(group: &ScalingGroup) -> Result<(), Fault> {
    if group.size_min > group.size_max {
        return Err(invalid("Max bound must be greater than or equal to min bound"));
    }
    if !(group.size_min..=group.size_max).contains(&group.size_desired) {
        let message = format!(
            "Desired capacity:{} must be between the specified min size:{} and max size:{}",
            group.size_desired, group.size_min, group.size_max
        );
        return Err(invalid(message));
    }
    Ok(())
}

/// Reads the zones of a group: those that are named, or those of its subnets.
fn places(call: &Call<'_>, params: &Params) -> Result<(Option<Vec<String>>, Option<String>), Fault> {
    let network = Network::of(call.account(), call.region);
    let named = params.list("AvailabilityZones.member");
    if let Some(wrong) = named.iter().find(|zone| network.subnets.iter().all(|one| one.zone != **zone)) {
        return Err(invalid(format!("Availability zone {wrong} does not exist")));
    }
    let Some(subnets) = params.get("VPCZoneIdentifier") else {
        let zones: Vec<String> = named.into_iter().map(str::to_owned).collect();
        return Ok(((!zones.is_empty()).then_some(zones), None));
    };
    let mut zones = Vec::new();
    for id in subnets.split(',').map(str::trim) {
        let subnet = network.subnets.iter().find(|subnet| subnet.id == id);
        let subnet = subnet.ok_or_else(|| invalid(format!("The subnet ID '{id}' does not exist")))?;
        zones.push(subnet.zone.clone());
    }
    Ok((Some(zones), Some(subnets.to_owned())))
}

/// Reads what instances would be of; none when the request does not say.
fn launch(call: &Call<'_>, tables: &Tables, params: &Params) -> Result<Option<ScalingLaunch>, Fault> {
    let configuration = params.get("LaunchConfigurationName");
    let (id, template) =
        (params.get("LaunchTemplate.LaunchTemplateId"), params.get("LaunchTemplate.LaunchTemplateName"));
    let version = params.get("LaunchTemplate.Version");
    if let Some(name) = configuration {
        let known: Option<&Arc<LaunchConfiguration>> = tables.launch_configurations.get(&key(call, name));
        known.ok_or_else(|| invalid("Launch configuration name not found - null"))?;
        if id.is_some() || template.is_some() {
            return Err(invalid(
                "Valid requests must contain either LaunchTemplate or LaunchConfigurationName",
            ));
        }
        return Ok(Some(ScalingLaunch::Configuration(name.to_owned())));
    }
    if id.is_none() && template.is_none() {
        return Ok(None);
    }
    let is_asked = |one: &&Arc<LaunchTemplate>| {
        call.owns(&one.account, &one.region)
            && id.is_none_or(|id| one.id == id)
            && template.is_none_or(|name| one.name == name)
    };
    let found = tables.launch_templates.values().find(is_asked);
    let found = found.filter(|one| one.version(version.unwrap_or("$Default")).is_some());
    let found = found
        .ok_or_else(|| invalid("You must use a valid fully-formed launch template: it does not exist"))?;
    Ok(Some(ScalingLaunch::Template(found.id.clone(), found.name.clone(), version.map(str::to_owned))))
}

fn tags(params: &Params) -> Result<Tags, Fault> {
    let mut tags = Tags::new();
    for index in params.indexes("Tags.member") {
        let part = |name: &str| params.get(&format!("Tags.member.{index}.{name}"));
        for name in ["ResourceId", "ResourceType", "PropagateAtLaunch"] {
            part(name);
        }
        let key = part("Key").ok_or_else(|| invalid("A tag has no key"))?;
        tags.insert(key.to_owned(), part("Value").unwrap_or_default().to_owned());
    }
    if tags.len() > 50 { Err(invalid("A group has at most 50 tags")) } else { Ok(tags) }
}

fn describe(group: &ScalingGroup) -> Element {
    let arn = format!(
        "arn:aws:autoscaling:{}:{}:autoScalingGroup:{}:autoScalingGroupName/{}",
        group.region, group.account, group.uuid, group.name
    );
    let element =
        Element::default().text("AutoScalingGroupName", &group.name).text("AutoScalingGroupARN", arn);
    let element = match &group.launch {
        ScalingLaunch::Configuration(name) => element.text("LaunchConfigurationName", name),
        ScalingLaunch::Template(id, name, version) => element.with(
            Element::new("LaunchTemplate")
                .text("LaunchTemplateId", id)
                .text("LaunchTemplateName", name)
                .maybe("Version", version.as_ref()),
        ),
    };
    let tags = group.tags.iter().map(|(key, value)| {
        Element::default()
            .text("ResourceId", &group.name)
            .text("ResourceType", "auto-scaling-group")
            .text("Key", key)
            .text("Value", value)
            .text("PropagateAtLaunch", false)
    });
    element
        .text("MinSize", group.size_min)
        .text("MaxSize", group.size_max)
        .text("DesiredCapacity", group.size_desired)
        .text("DefaultCooldown", group.cooldown_seconds)
        .with(Element::members(
            "AvailabilityZones",
            group.zones.iter().map(|zone| Element::of("member", zone)),
        ))
        .text("HealthCheckType", "EC2")
        .text("HealthCheckGracePeriod", 0)
        .with(Element::members("Instances", []))
        .text("CreatedTime", time(group.created))
        .maybe("VPCZoneIdentifier", group.subnets.as_ref())
        .with(Element::members("Tags", tags))
        .with(Element::members("TerminationPolicies", [Element::of("member", "Default")]))
        .text("NewInstancesProtectedFromScaleIn", false)
}
