//! The details of changes, in their form: names and limits are those of the catalog's own schemas.

use std::net::IpAddr;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::invalid;
use crate::protocol::Fault;

/// The changes that are made here.
pub(super) const KINDS: [&str; 9] = [
    "AddDeliveryOptions",
    "AddInstanceTypes",
    "AddRegions",
    "CreateProduct",
    "ReleaseProduct",
    "RestrictDeliveryOptions",
    "UpdateDeliveryOptions",
    "UpdateInformation",
    "UpdateVisibility",
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct AddDeliveryOptions {
    pub(super) version: Version,
    pub(super) delivery_options: Vec<Wrapped>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Version {
    pub(super) version_title: String,
    pub(super) release_notes: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Wrapped {
    pub(super) details: Details,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Details {
    pub(super) ami_delivery_option_details: Delivery,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Delivery {
    pub(super) ami_source: AmiSource,
    pub(super) usage_instructions: String,
    pub(super) access_endpoint_url: Option<AccessEndpoint>,
    pub(super) recommended_instance_type: String,
    pub(super) security_groups: Vec<SecurityGroup>,
}

#[derive(Deserialize, PartialEq, Eq)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct AmiSource {
    pub(super) ami_id: String,
    pub(super) access_role_arn: String,
    pub(super) user_name: String,
    pub(super) scanning_port: Option<u16>,
    pub(super) operating_system_name: String,
    pub(super) operating_system_version: String,
}

#[derive(Deserialize, serde::Serialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct AccessEndpoint {
    port: u16,
    protocol: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    relative_path: Option<String>,
}

#[derive(Deserialize, serde::Serialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct SecurityGroup {
    ip_protocol: String,
    from_port: u16,
    to_port: u16,
    ip_ranges: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct UpdateDeliveryOptions {
    pub(super) version: Option<UpdatedVersion>,
    pub(super) delivery_options: Vec<Updated>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct UpdatedVersion {
    pub(super) release_notes: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Updated {
    pub(super) id: String,
    pub(super) details: UpdatedDetails,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct UpdatedDetails {
    pub(super) ami_delivery_option_details: UpdatedDelivery,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct UpdatedDelivery {
    pub(super) usage_instructions: Option<String>,
    pub(super) access_endpoint_url: Option<AccessEndpoint>,
    pub(super) recommended_instance_type: Option<String>,
    pub(super) security_groups: Option<Vec<SecurityGroup>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct RestrictDeliveryOptions {
    pub(super) delivery_option_ids: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Regions {
    pub(super) regions: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct InstanceTypes {
    pub(super) instance_types: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Visibility {
    pub(super) target_visibility: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Nothing {}

/// The fields of `UpdateInformation`, and how long each is at most.
const INFORMATION: [(&str, usize); 12] = [
    ("AdditionalResources", 16_384),
    ("Categories", 1000),
    ("Highlights", 1600),
    ("LogoUrl", 2000),
    ("LongDescription", 5000),
    ("ProductTitle", 72),
    ("SearchKeywords", 1000),
    ("ShortDescription", 1000),
    ("Sku", 5000),
    ("SupportDescription", 2000),
    ("SupportInstructions", 2000),
    ("VideoUrls", 2000),
];

/// Reads details that were checked.
pub(super) fn parse<T: DeserializeOwned>(details: &Value) -> Result<T, Fault> {
    serde_json::from_value(details.clone())
        .map_err(|error| invalid(format!("The details of the change cannot be understood: {error}")))
}

/// Refuses details that are not of the form of their change.
pub(super) fn check(kind: &str, details: &Value) -> Result<(), Fault> {
    match kind {
        "AddDeliveryOptions" => check_new(&parse(details)?),
        "UpdateDeliveryOptions" => check_updated(&parse(details)?),
        "RestrictDeliveryOptions" => parse::<RestrictDeliveryOptions>(details).map(drop),
        "AddRegions" => parse::<Regions>(details).map(drop),
        "AddInstanceTypes" => parse::<InstanceTypes>(details).map(drop),
        "UpdateVisibility" => {
            let wanted: Visibility = parse(details)?;
            one_of("TargetVisibility", &wanted.target_visibility, &["Public", "Restricted", "Limited"])
        }
        "CreateProduct" if details.as_object().is_some_and(|fields| fields.contains_key("ProductTitle")) => {
            check_information(details)
        }
        "UpdateInformation" => check_information(details),
        _ => parse::<Nothing>(details).map(drop),
    }
}

fn check_information(details: &Value) -> Result<(), Fault> {
    let fields = details.as_object().ok_or_else(|| invalid("The details are no object"))?;
    for (name, value) in fields {
        let known = INFORMATION.iter().find(|(known, _)| known == name);
        let (_, most) = known.ok_or_else(|| invalid(format!("{name} is no information of a product")))?;
        let length = value.as_str().map_or_else(|| value.to_string().len(), |text| text.chars().count());
        at_most(name, length, *most)?;
    }
    Ok(())
}

fn check_new(details: &AddDeliveryOptions) -> Result<(), Fault> {
    at_most("VersionTitle", details.version.version_title.chars().count(), 255)?;
    at_most("ReleaseNotes", details.version.release_notes.chars().count(), 30_000)?;
    if details.delivery_options.is_empty() {
        return Err(invalid("DeliveryOptions is empty"));
    }
    let first = &details.delivery_options[0].details.ami_delivery_option_details.ami_source;
    for wrapped in &details.delivery_options {
        let delivery = &wrapped.details.ami_delivery_option_details;
        let source = &delivery.ami_source;
        if source != first {
            return Err(invalid("All delivery options of a version have to have the same AmiSource"));
        }
        at_most("UserName", source.user_name.len(), 32)?;
        at_most("OperatingSystemName", source.operating_system_name.len(), 100)?;
        at_most("OperatingSystemVersion", source.operating_system_version.len(), 100)?;
        at_most("UsageInstructions", delivery.usage_instructions.chars().count(), 4000)?;
        if source.scanning_port == Some(0) {
            return Err(invalid("ScanningPort has to be between 1 and 65535"));
        }
        for (name, text) in [
            ("ReleaseNotes", &details.version.release_notes),
            ("UsageInstructions", &delivery.usage_instructions),
            ("OperatingSystemName", &source.operating_system_name),
            ("OperatingSystemVersion", &source.operating_system_version),
        ] {
            if text.is_empty() {
                return Err(invalid(format!("{name} is empty")));
            }
        }
        let kind = &delivery.recommended_instance_type;
        if kind.is_empty() || kind.contains(char::is_whitespace) {
            return Err(invalid(format!("'{kind}' at RecommendedInstanceType is no instance type")));
        }
        at_most("RecommendedInstanceType", kind.len(), 24)?;
        check_groups(&delivery.security_groups)?;
        check_endpoint(delivery.access_endpoint_url.as_ref())?;
    }
    Ok(())
}

fn check_updated(details: &UpdateDeliveryOptions) -> Result<(), Fault> {
    let [updated] = &details.delivery_options[..] else {
        return Err(invalid("DeliveryOptions has to have one entry"));
    };
    let delivery = &updated.details.ami_delivery_option_details;
    at_most(
        "UsageInstructions",
        delivery.usage_instructions.as_ref().map_or(0, |text| text.chars().count()),
        4000,
    )?;
    if let Some(groups) = &delivery.security_groups {
        check_groups(groups)?;
    }
    check_endpoint(delivery.access_endpoint_url.as_ref())
}

fn check_groups(groups: &[SecurityGroup]) -> Result<(), Fault> {
    if !(1..=25).contains(&groups.len()) {
        return Err(invalid("SecurityGroups has to have between 1 and 25 entries"));
    }
    for group in groups {
        one_of("IpProtocol", &group.ip_protocol, &["tcp", "udp"])?;
        if group.from_port == 0 || group.from_port > group.to_port {
            return Err(invalid("FromPort and ToPort have to be between 1 and 65535, in this order"));
        }
        let is_range = |range: &String| {
            range.split_once('/').is_some_and(|(address, bits)| {
                matches!(address.parse(), Ok(IpAddr::V4(_)))
                    && bits.parse::<u8>().is_ok_and(|bits| bits <= 32)
            })
        };
        if !(1..=5).contains(&group.ip_ranges.len()) || !group.ip_ranges.iter().all(is_range) {
            return Err(invalid("IpRanges has to have between 1 and 5 ranges of IPv4"));
        }
    }
    Ok(())
}

fn check_endpoint(endpoint: Option<&AccessEndpoint>) -> Result<(), Fault> {
    let Some(endpoint) = endpoint else { return Ok(()) };
    one_of("Protocol", &endpoint.protocol, &["http", "https"])?;
    if endpoint.port == 0 {
        return Err(invalid("Port has to be between 1 and 65535"));
    }
    let Some(path) = &endpoint.relative_path else { return Ok(()) };
    // `^(?!\/)\S+[\S\s]*`
    if path.is_empty() || path.starts_with('/') || path.starts_with(char::is_whitespace) {
        return Err(invalid("RelativePath begins with neither a slash nor a space"));
    }
    at_most("RelativePath", path.chars().count(), 2000)
}

fn at_most(name: &str, length: usize, most: usize) -> Result<(), Fault> {
    if length <= most { Ok(()) } else { Err(invalid(format!("{name} is longer than {most} characters"))) }
}

fn one_of(name: &str, value: &str, allowed: &[&str]) -> Result<(), Fault> {
    if allowed.contains(&value) {
        return Ok(());
    }
    Err(invalid(format!("'{value}' at {name} is none of {}", allowed.join(", "))))
}
