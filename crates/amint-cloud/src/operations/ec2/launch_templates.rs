//! What operations on launch templates share.
//!
//! A template holds parameters of `RunInstances` by their own names, so that launching by one is asking with them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{check_id, tag_set, time};
use crate::operations::{Call, ssm};
use crate::protocol::{Element, Fault, Params};
use crate::records::{LaunchTemplate, LaunchTemplateVersion, Tables};

/// Where parameters of a template begin.
const DATA: &str = "LaunchTemplateData.";
/// Every part of a name that a template can have: as it is sent, and as it is told.
const PARTS: [(&str, &str); 58] = [
    ("Arn", "arn"),
    ("AssociatePublicIpAddress", "associatePublicIpAddress"),
    ("AvailabilityZone", "availabilityZone"),
    ("BlockDeviceMapping", "blockDeviceMappingSet"),
    ("Configured", "configured"),
    ("CpuCredits", "cpuCredits"),
    ("CreditSpecification", "creditSpecification"),
    ("DeleteOnTermination", "deleteOnTermination"),
    ("Description", "description"),
    ("DeviceIndex", "deviceIndex"),
    ("DeviceName", "deviceName"),
    ("DisableApiStop", "disableApiStop"),
    ("DisableApiTermination", "disableApiTermination"),
    ("Ebs", "ebs"),
    ("EbsOptimized", "ebsOptimized"),
    ("Enabled", "enabled"),
    ("EnclaveOptions", "enclaveOptions"),
    ("Encrypted", "encrypted"),
    ("HibernationOptions", "hibernationOptions"),
    ("HttpEndpoint", "httpEndpoint"),
    ("HttpProtocolIpv6", "httpProtocolIpv6"),
    ("HttpPutResponseHopLimit", "httpPutResponseHopLimit"),
    ("HttpTokens", "httpTokens"),
    ("IamInstanceProfile", "iamInstanceProfile"),
    ("ImageId", "imageId"),
    ("InstanceInitiatedShutdownBehavior", "instanceInitiatedShutdownBehavior"),
    ("InstanceInterruptionBehavior", "instanceInterruptionBehavior"),
    ("InstanceMarketOptions", "instanceMarketOptions"),
    ("InstanceMetadataTags", "instanceMetadataTags"),
    ("InstanceType", "instanceType"),
    ("Iops", "iops"),
    ("Key", "key"),
    ("KeyName", "keyName"),
    ("KmsKeyId", "kmsKeyId"),
    ("MarketType", "marketType"),
    ("MaxPrice", "maxPrice"),
    ("MetadataOptions", "metadataOptions"),
    ("Monitoring", "monitoring"),
    ("Name", "name"),
    ("NetworkInterface", "networkInterfaceSet"),
    ("NoDevice", "noDevice"),
    ("Placement", "placement"),
    ("PrivateIpAddress", "privateIpAddress"),
    ("ResourceType", "resourceType"),
    ("SecurityGroup", "securityGroupSet"),
    ("SecurityGroupId", "securityGroupIdSet"),
    ("SnapshotId", "snapshotId"),
    ("SpotInstanceType", "spotInstanceType"),
    ("SpotOptions", "spotOptions"),
    ("SubnetId", "subnetId"),
    ("Tag", "tagSet"),
    ("TagSpecification", "tagSpecificationSet"),
    ("Tenancy", "tenancy"),
    ("Throughput", "throughput"),
    ("UserData", "userData"),
    ("Value", "value"),
    ("VolumeSize", "volumeSize"),
    ("VolumeType", "volumeType"),
];
/// How much all parameters of a template may be.
const DATA_BYTES_MAX: usize = 64 << 10;

pub(super) fn not_found(what: &str) -> Fault {
    let message = format!("The specified launch template, {what}, does not exist.");
    Fault::client("InvalidLaunchTemplateId.NotFound", message)
}

fn no_version(template: &LaunchTemplate, version: &str) -> Fault {
    let message =
        format!("Could not find the specified version {version} for launch template {}.", template.id);
    Fault::client("InvalidLaunchTemplateId.VersionNotFound", message)
}

/// Finds the template that `LaunchTemplateId` or `LaunchTemplateName` name, with something before those names.
pub(super) fn find<'t>(
    call: &Call<'_>,
    tables: &'t Tables,
    params: &Params,
    prefix: &str,
) -> Result<&'t Arc<LaunchTemplate>, Fault> {
    let own = |template: &&Arc<LaunchTemplate>| call.owns(&template.account, &template.region);
    let (id, name) = (
        params.get(&format!("{prefix}LaunchTemplateId")),
        params.get(&format!("{prefix}LaunchTemplateName")),
    );
    match (id, name) {
        (Some(id), None) => {
            check_id("lt", "InvalidLaunchTemplateId.Malformed", id)?;
            tables
                .launch_templates
                .get(id)
                .filter(own)
                .ok_or_else(|| not_found(&format!("with template ID {id}")))
        }
        (None, Some(name)) => {
            let mut all = tables.launch_templates.values().filter(own);
            let found = all.find(|template| template.name == name);
            found.ok_or_else(|| {
                let message =
                    format!("The specified launch template, with template name {name}, does not exist.");
                Fault::client("InvalidLaunchTemplateName.NotFoundException", message)
            })
        }
        _ => {
            let message = "Either a launch template ID or a launch template name has to be specified";
            Err(Fault::client("MissingParameter", message))
        }
    }
}

/// Finds a version of a template.
pub(super) fn version<'t>(
    template: &'t LaunchTemplate,
    text: &str,
) -> Result<&'t LaunchTemplateVersion, Fault> {
    template.version(text).ok_or_else(|| no_version(template, text))
}

/// Reads the parameters of a template. Those that instances here do not have are refused.
pub(super) fn data(params: &Params) -> Result<BTreeMap<String, String>, Fault> {
    let mut data = BTreeMap::new();
    let names: Vec<&str> = params.all().map(|(name, _)| name).filter(|name| name.starts_with(DATA)).collect();
    for name in names {
        let rest = &name[DATA.len()..];
        let is_known =
            |part: &str| part.parse::<u32>().is_ok() || PARTS.iter().any(|(sent, _)| *sent == part);
        // What is unknown stays unasked, and is refused with all that nobody asked for.
        if !rest.split('.').all(is_known) {
            continue;
        }
        // Empty, it leaves a device out all the same.
        let empty = || (rest.ends_with(".NoDevice") && params.has(name)).then_some("");
        if let Some(value) = params.get(name).or_else(empty) {
            data.insert(rest.to_owned(), value.to_owned());
        }
    }
    if data.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() > DATA_BYTES_MAX {
        return Err(Fault::client("InvalidParameterValue", "The launch template data is too long"));
    }
    if let Some(image) = data.get("ImageId").filter(|image| !image.starts_with("resolve:ssm:")) {
        check_id("ami", "InvalidAMIID.Malformed", image)?;
    }
    Ok(data)
}

/// Returns the parameters of a launch by a template: the template's, where the request has none of that name.
///
/// Nothing is returned when the request names no template.
pub(super) fn merged(call: &Call<'_>, tables: &Tables, params: &Params) -> Result<Option<Params>, Fault> {
    let prefix = "LaunchTemplate.";
    if !params.all().any(|(name, value)| name.starts_with(prefix) && !value.is_empty()) {
        return Ok(None);
    }
    let template = find(call, tables, params, prefix)?;
    let version = version(template, params.get("LaunchTemplate.Version").unwrap_or("$Default"))?;
    let own = params.all().filter(|(name, _)| !name.starts_with(prefix));
    let values = own.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Ok(Some(Params::of(with_defaults(values, &version.data))))
}

/// Adds parameters where there are none of their first name yet.
pub(super) fn with_defaults(
    mut values: BTreeMap<String, String>,
    defaults: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let first = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
    let present: BTreeSet<String> =
        values.iter().filter(|(_, value)| !value.is_empty()).map(|(name, _)| first(name)).collect();
    for (name, value) in defaults.iter().filter(|(name, _)| !present.contains(&first(name))) {
        values.insert(name.clone(), value.clone());
    }
    values
}

/// Writes a template.
pub(super) fn describe(template: &LaunchTemplate, name: &'static str) -> Element {
    Element::new(name)
        .text("launchTemplateId", &template.id)
        .text("launchTemplateName", &template.name)
        .text("createTime", time(template.created))
        .text("createdBy", &template.created_by)
        .text("defaultVersionNumber", template.default)
        .text("latestVersionNumber", template.latest)
        .with(tag_set(&template.tags))
}

/// Writes a version of a template; with the images that its parameters name, where that is asked for.
pub(super) fn describe_version(
    call: &Call<'_>,
    tables: &Tables,
    template: &LaunchTemplate,
    version: &LaunchTemplateVersion,
    is_resolved: bool,
) -> Result<Element, Fault> {
    let mut data = version.data.clone();
    if let Some(image) = data.get_mut("ImageId").filter(|_| is_resolved) {
        *image = ssm::resolve(call, tables, image)?;
    }
    let flat: Vec<(Vec<&str>, &str)> =
        data.iter().map(|(name, value)| (name.split('.').collect(), value.as_str())).collect();
    Ok(Element::new("launchTemplateVersion")
        .text("launchTemplateId", &template.id)
        .text("launchTemplateName", &template.name)
        .text("versionNumber", version.number)
        .maybe("versionDescription", version.description.as_ref())
        .text("createTime", time(version.created))
        .text("createdBy", &version.created_by)
        .text("defaultVersion", version.number == template.default)
        .with(tree("launchTemplateData", &flat, 0)))
}

/// Makes elements of names that share their first `depth` parts.
fn tree(name: &'static str, flat: &[(Vec<&str>, &str)], depth: usize) -> Element {
    if let [(parts, value)] = flat
        && parts.len() == depth
    {
        return Element::of(name, value);
    }
    let mut groups: BTreeMap<&str, Vec<(Vec<&str>, &str)>> = BTreeMap::new();
    for (parts, value) in flat {
        if let Some(part) = parts.get(depth) {
            groups.entry(part).or_default().push((parts.clone(), value));
        }
    }
    let told = |part: &str| PARTS.iter().find(|(sent, _)| *sent == part).map(|(_, told)| *told);
    groups.into_iter().fold(Element::new(name), |element, (part, group)| {
        let in_interface = name == "item" && part == "SecurityGroupId";
        let child = match told(part) {
            // Groups of a network interface have a name of their own.
            Some(_) if in_interface => "groupSet",
            Some(told) => told,
            // A number: an entry of a list.
            None if name == "groupSet" => "groupId",
            None => "item",
        };
        element.with(tree(child, &group, depth + 1))
    })
}
