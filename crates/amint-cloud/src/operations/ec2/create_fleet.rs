use std::collections::BTreeMap;

use super::launch_templates::{find, version, with_defaults};
use super::{run_instances, spot};
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::world::new_id;

/// The most instances of one fleet.
const COUNT_MAX: u64 = 100;

/// What a fleet would launch, and by which template.
struct Choice {
    template_id: String,
    template_version: u64,
    values: BTreeMap<String, String>,
}

impl Choice {
    fn lifecycle(&self) -> &'static str {
        if self.values.contains_key(spot::MARKET_TYPE) { "spot" } else { "on-demand" }
    }
}

/// Launches instances by launch templates, at once: the first template and override that can be launched gives them all.
///
/// No fleet is remembered, as EC2 remembers none of the type `instant` that it would keep up. Its instances are all on
/// demand, or all spot instances.
pub(crate) fn create_fleet(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let unsupported =
        |what: &str| Fault::client("UnsupportedOperation", format!("{what} is not supported here"));
    if params.get("Type").unwrap_or("maintain") != "instant" {
        return Err(unsupported("A fleet of another type than instant"));
    }
    let capacity = "TargetCapacitySpecification";
    let by_default = params.get(&format!("{capacity}.DefaultTargetCapacityType"));
    let count = params.number(&format!("{capacity}.TotalTargetCapacity"))?;
    let count = count.ok_or_else(|| Fault::missing("TotalTargetCapacity"))?;
    let on_demand = params.number(&format!("{capacity}.OnDemandTargetCapacity"))?;
    let spot = params.number(&format!("{capacity}.SpotTargetCapacity"))?;
    if !(1..=COUNT_MAX).contains(&count)
        || on_demand.unwrap_or(0).checked_add(spot.unwrap_or(0)).is_none_or(|sum| sum > count)
    {
        return Err(Fault::invalid_value("TotalTargetCapacity", &count.to_string()));
    }
    let is_spot = match (on_demand.filter(|count| *count > 0), spot.filter(|count| *count > 0)) {
        (Some(_), Some(_)) => return Err(unsupported("A fleet of on-demand and spot instances")),
        (Some(named), None) if named < count && by_default == Some("spot") => {
            return Err(unsupported("A fleet of on-demand and spot instances"));
        }
        (None, Some(named)) if named < count && by_default != Some("spot") => {
            return Err(unsupported("A fleet of on-demand and spot instances"));
        }
        (Some(_), None) => false,
        (None, Some(_)) => true,
        (None, None) => by_default == Some("spot"),
    };
    spot::check_options(params)?;
    params.get("ClientToken");
    // Said of fleets that last; one that is made at once has nothing to replace, and does not expire.
    for name in ["ReplaceUnhealthyInstances", "TerminateInstancesWithExpiration"] {
        if params.boolean(name)? == Some(true) {
            let message = format!("{name} cannot be used with a fleet of the type instant");
            return Err(Fault::client("InvalidParameterCombination", message));
        }
    }
    let choices = choices(call, params, count, is_spot)?;
    params.finish()?;
    if call.is_dry {
        return Err(crate::operations::dry_run());
    }
    let fleet_id = new_id("fleet");
    let mut errors = Vec::new();
    for choice in choices {
        let launch = Params::of(choice.values.clone());
        match run_instances(call, &launch) {
            Ok(launched) => return Ok(answer(&fleet_id, vec![told(&choice, &launched)], errors)),
            Err(fault) => errors.push(failed(&choice, &fault)),
        }
    }
    Ok(answer(&fleet_id, Vec::new(), errors))
}

fn answer(fleet_id: &str, launched: Vec<Element>, errors: Vec<Element>) -> Element {
    Element::default()
        .text("fleetId", fleet_id)
        .with(Element::list("errorSet", errors))
        .with(Element::list("fleetInstanceSet", launched))
}

/// Reads what may be launched, in the order of the request.
fn choices(call: &Call<'_>, params: &Params, count: u64, is_spot: bool) -> Result<Vec<Choice>, Fault> {
    let tables = call.tables();
    let mut choices = Vec::new();
    for index in params.indexes("LaunchTemplateConfigs") {
        let config = format!("LaunchTemplateConfigs.{index}");
        let specification = format!("{config}.LaunchTemplateSpecification.");
        let template = find(call, &tables, params, &specification)?;
        let version =
            version(template, params.get(&format!("{specification}Version")).unwrap_or("$Default"))?;
        let choice = |over: BTreeMap<String, String>| Choice {
            template_id: template.id.clone(),
            template_version: version.number,
            values: with_defaults(values(params, over, count, is_spot), &version.data),
        };
        let overrides = params.indexes(&format!("{config}.Overrides"));
        if overrides.is_empty() {
            choices.push(choice(BTreeMap::new()));
        }
        for index in overrides {
            let prefix = format!("{config}.Overrides.{index}.");
            let mut over = BTreeMap::new();
            for (name, launch_name) in [
                ("InstanceType", "InstanceType"),
                ("SubnetId", "SubnetId"),
                ("ImageId", "ImageId"),
                ("KeyName", "KeyName"),
                ("AvailabilityZone", "Placement.AvailabilityZone"),
            ] {
                if let Some(value) = params.get(&format!("{prefix}{name}")) {
                    over.insert(launch_name.to_owned(), value.to_owned());
                }
            }
            // Which of them is preferred is a matter of prices, which there are none of here.
            for name in ["Priority", "WeightedCapacity"] {
                params.get(&format!("{prefix}{name}"));
            }
            if let Some(price) = params.get(&format!("{prefix}MaxPrice")).filter(|_| is_spot) {
                over.insert(spot::MAX_PRICE.to_owned(), price.to_owned());
            }
            choices.push(choice(over));
        }
    }
    if choices.is_empty() {
        return Err(Fault::missing("LaunchTemplateConfigs"));
    }
    Ok(choices)
}

/// Returns what `RunInstances` is asked with, besides what the template has.
fn values(
    params: &Params,
    mut over: BTreeMap<String, String>,
    count: u64,
    is_spot: bool,
) -> BTreeMap<String, String> {
    if is_spot {
        over.insert(spot::MARKET_TYPE.to_owned(), "spot".to_owned());
    }
    over.insert("MinCount".to_owned(), count.to_string());
    over.insert("MaxCount".to_owned(), count.to_string());
    for index in params.indexes("TagSpecification") {
        let name = format!("TagSpecification.{index}");
        let kind = params.get(&format!("{name}.ResourceType")).unwrap_or_default();
        let mut copy = |name: String| {
            if let Some(value) = params.get(&name).filter(|_| matches!(kind, "instance" | "volume")) {
                over.insert(name.clone(), value.to_owned());
            }
        };
        copy(format!("{name}.ResourceType"));
        for tag in params.indexes(&format!("{name}.Tag")) {
            copy(format!("{name}.Tag.{tag}.Key"));
            copy(format!("{name}.Tag.{tag}.Value"));
        }
    }
    over
}

fn specification(choice: &Choice) -> Element {
    let specification = Element::new("launchTemplateSpecification")
        .text("launchTemplateId", &choice.template_id)
        .text("version", choice.template_version);
    let overrides = Element::new("overrides").maybe("instanceType", choice.values.get("InstanceType"));
    Element::new("launchTemplateAndOverrides").with(specification).with(overrides)
}

fn told(choice: &Choice, launched: &Element) -> Element {
    let instances = launched.children().iter().filter(|child| child.name() == "instancesSet");
    let ids = instances.flat_map(Element::children).flat_map(Element::children);
    let ids = ids.filter(|child| child.name() == "instanceId").filter_map(Element::own_text);
    Element::default()
        .with(specification(choice))
        .text("lifecycle", choice.lifecycle())
        .with(Element::list("instanceIds", ids.map(|id| Element::of("item", id))))
        .maybe("instanceType", choice.values.get("InstanceType"))
}

fn failed(choice: &Choice, fault: &Fault) -> Element {
    Element::default()
        .with(specification(choice))
        .text("lifecycle", choice.lifecycle())
        .text("errorCode", fault.code)
        .text("errorMessage", &fault.message)
}
