use std::sync::Arc;

use super::{invalid, key, name, pager, time, uuid};
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::{LaunchConfiguration, ScalingGroup, ScalingLaunch};

/// How many there are in an account and a region.
const COUNT_MAX: usize = 200;
const METADATA: [&str; 3] = ["HttpEndpoint", "HttpPutResponseHopLimit", "HttpTokens"];

/// Makes a launch configuration.
pub(crate) fn create_launch_configuration(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let name = name(params, "LaunchConfigurationName")?;
    let needed =
        |parameter: &str| params.get(parameter).ok_or_else(|| invalid(format!("{parameter} is missing")));
    let metadata = METADATA.iter().filter_map(|name| {
        let value = params.get(&format!("MetadataOptions.{name}"))?;
        Some(((*name).to_owned(), value.to_owned()))
    });
    let configuration = LaunchConfiguration {
        key: key(call, name),
        account: call.account().to_owned(),
        region: call.region.to_owned(),
        name: name.to_owned(),
        uuid: uuid(),
        created: call.now,
        image_id: needed("ImageId")?.to_owned(),
        instance_type: needed("InstanceType")?.to_owned(),
        key_name: params.get("KeyName").map(str::to_owned),
        user_data: params.get("UserData").map(str::to_owned),
        profile: params.get("IamInstanceProfile").map(str::to_owned),
        group_ids: params.list("SecurityGroups.member").into_iter().map(str::to_owned).collect(),
        metadata: metadata.collect(),
    };
    if !configuration.image_id.starts_with("ami-") {
        return Err(invalid(format!("Invalid id: \"{}\"", configuration.image_id)));
    }
    call.change(params, |change| {
        if change.get::<LaunchConfiguration>(&configuration.key).is_some() {
            let message = "Launch Configuration by this name already exists";
            return Err(Fault::client("AlreadyExists", message));
        }
        let own = change.tables().launch_configurations.values();
        if own.filter(|one| call.owns(&one.account, &one.region)).count() >= COUNT_MAX {
            return Err(Fault::client("LimitExceeded", "There are too many launch configurations already"));
        }
        change.put(configuration);
        Ok(())
    })?;
    Ok(Element::default())
}

/// Lists launch configurations.
pub(crate) fn describe_launch_configurations(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let wanted = params.list("LaunchConfigurationNames.member");
    let pager = pager(call, params)?;
    let tables = call.tables();
    let is_asked = |one: &&Arc<LaunchConfiguration>| {
        call.owns(&one.account, &one.region) && (wanted.is_empty() || wanted.contains(&one.name.as_str()))
    };
    let found = tables.launch_configurations.values().filter(is_asked);
    let page = pager.page_by(found, |one| one.name.clone());
    let entries = page.entries.iter().map(|one| describe(one));
    let list = Element::members("LaunchConfigurations", entries);
    Ok(Element::default().with(list).maybe("NextToken", page.next_token))
}

/// Removes a launch configuration that no group has.
pub(crate) fn delete_launch_configuration(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let name = name(params, "LaunchConfigurationName")?;
    call.change(params, |change| {
        let key = key(call, name);
        let has = |group: &Arc<ScalingGroup>| {
            call.owns(&group.account, &group.region)
                && matches!(&group.launch, ScalingLaunch::Configuration(of) if of == name)
        };
        if change.tables().scaling_groups.values().any(has) {
            let message =
                format!("Cannot delete launch configuration {name} because it is attached to a group");
            return Err(Fault::client("ResourceInUse", message));
        }
        change
            .remove::<LaunchConfiguration>(&key)
            .ok_or_else(|| invalid("Launch configuration name not found"))
    })?;
    Ok(Element::default())
}

fn describe(one: &LaunchConfiguration) -> Element {
    let groups = one.group_ids.iter().map(|id| Element::of("member", id));
    let element = Element::default()
        .text("LaunchConfigurationName", &one.name)
        .text(
            "LaunchConfigurationARN",
            format!(
                "arn:aws:autoscaling:{}:{}:launchConfiguration:{}:launchConfigurationName/{}",
                one.region, one.account, one.uuid, one.name
            ),
        )
        .text("ImageId", &one.image_id)
        .text("KeyName", one.key_name.as_deref().unwrap_or_default())
        .with(Element::members("SecurityGroups", groups))
        .text("UserData", one.user_data.as_deref().unwrap_or_default())
        .text("InstanceType", &one.instance_type)
        .with(Element::members("BlockDeviceMappings", []))
        .with(Element::new("InstanceMonitoring").text("Enabled", true))
        .maybe("IamInstanceProfile", one.profile.as_ref())
        .text("CreatedTime", time(one.created))
        .text("EbsOptimized", false);
    if one.metadata.is_empty() {
        return element;
    }
    let options = METADATA.into_iter().filter_map(|name| Some((name, one.metadata.get(name)?)));
    element.with(options.fold(Element::new("MetadataOptions"), |all, (name, value)| all.text(name, value)))
}
