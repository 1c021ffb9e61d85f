//! How requests and answers look in records.
//!
//! Query protocols send flat names (`Filter.1.Value.2`), and records hold trees. EC2's are those of its older interface:
//! a list is `{"items": […]}` under a name of its own, for which [`LISTS`] has those that real trails show; others follow
//! the same manner.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::protocol::{Element, Params};

/// The deepest name, and the deepest document.
const DEPTH_MAX: usize = 20;
/// Lists of requests: the name that is sent, the name in records, and what an entry that is a text is called.
const LISTS: [(&str, &str, &str); 34] = [
    ("Add", "add", "userId"),
    ("BlockDeviceMapping", "blockDeviceMapping", ""),
    ("ExecutableBy", "executableBySet", "user"),
    ("Filter", "filterSet", ""),
    ("GroupId", "securityGroupIdSet", "groupId"),
    ("GroupName", "securityGroupSet", "groupName"),
    ("Groups", "groups", ""),
    ("ImageId", "imagesSet", "imageId"),
    ("InstanceId", "instancesSet", "instanceId"),
    ("InstanceType", "instanceTypeSet", "instanceType"),
    ("IpPermissions", "ipPermissions", ""),
    ("IpRanges", "ipRanges", ""),
    ("Ipv6Ranges", "ipv6Ranges", ""),
    ("KeyName", "keySet", "keyName"),
    ("KeyPairId", "keyPairIdSet", "keyPairId"),
    ("NetworkInterface", "networkInterfaceSet", ""),
    ("Owner", "ownersSet", "owner"),
    ("PrefixListIds", "prefixListIds", ""),
    ("RegionName", "regionSet", "regionName"),
    ("Remove", "remove", "userId"),
    ("ResourceId", "resourcesSet", "resourceId"),
    ("RestorableBy", "restorableBySet", "user"),
    ("SecurityGroup", "groupSet", "groupName"),
    ("SecurityGroupId", "groupSet", "groupId"),
    ("SnapshotId", "snapshotSet", "snapshotId"),
    ("SubnetId", "subnetSet", "subnetId"),
    ("Tag", "tagSet", ""),
    ("TagSpecification", "tagSpecificationSet", ""),
    ("UserGroup", "userGroupSet", "group"),
    ("UserId", "userIdSet", "userId"),
    ("Value", "valueSet", "value"),
    ("VolumeId", "volumeSet", "volumeId"),
    ("VpcId", "vpcSet", "vpcId"),
    ("ZoneName", "availabilityZoneSet", "zoneName"),
];
/// What is a number in records of EC2.
const NUMBERS: [&str; 15] = [
    "deviceIndex",
    "durationSeconds",
    "fromPort",
    "httpPutResponseHopLimit",
    "iops",
    "launchIndex",
    "maxCount",
    "maxItems",
    "maxResults",
    "minCount",
    "throughput",
    "toPort",
    "value",
    "volumeSize",
    "code",
];

/// A name of a request, taken apart at its dots.
#[derive(Default)]
struct Node {
    text: Option<String>,
    children: BTreeMap<String, Node>,
}

impl Node {
    fn of(params: &Params) -> Self {
        let mut root = Self::default();
        for (name, value) in params.all() {
            if matches!(name, "Action" | "Version") || value.is_empty() {
                continue;
            }
            let mut node = &mut root;
            for part in name.splitn(DEPTH_MAX, '.') {
                node = node.children.entry(part.to_owned()).or_default();
            }
            node.text = Some(value.to_owned());
        }
        root
    }

    /// Returns the entries of a list, in the order of their numbers.
    fn entries(&self) -> Option<Vec<&Self>> {
        let numbers: Option<BTreeMap<u32, &Self>> =
            self.children.iter().map(|(name, node)| Some((name.parse().ok()?, node))).collect();
        numbers.filter(|numbers| !numbers.is_empty()).map(|numbers| numbers.into_values().collect())
    }
}

/// Returns the parameters of a request to EC2.
pub(super) fn ec2_parameters(operation: &str, params: &Params) -> Value {
    let mut tree = ec2_node(&Node::of(params), "");
    let fields = tree.as_object_mut();
    match (operation, fields) {
        ("RunInstances", Some(fields)) => {
            let own = ["imageId", "minCount", "maxCount", "keyName"];
            let item: Map<String, Value> =
                own.into_iter().filter_map(|name| Some((name.to_owned(), fields.remove(name)?))).collect();
            fields.insert("instancesSet".to_owned(), json!({ "items": [item] }));
        }
        ("ModifyImageAttribute", Some(fields)) => sharing(fields, "launchPermission", "launchPermission"),
        ("ModifySnapshotAttribute", Some(fields)) => {
            sharing(fields, "createVolumePermission", "CREATE_VOLUME_PERMISSION");
        }
        _ => {}
    }
    tree
}

/// Writes who something is shared with in the one form that records have, whichever was sent.
fn sharing(fields: &mut Map<String, Value>, name: &str, attribute: &str) {
    let verb = match fields.remove("operationType") {
        Some(Value::String(verb)) if verb == "remove" => "remove",
        _ => "add",
    };
    let flat: Vec<Value> = ["userIdSet", "userGroupSet"]
        .into_iter()
        .filter_map(|list| fields.remove(list))
        .flat_map(|list| list["items"].as_array().cloned().unwrap_or_default())
        .collect();
    // Some clients send a list in both forms at once.
    if !flat.is_empty() && !fields.contains_key(name) {
        fields.insert(name.to_owned(), json!({ verb: { "items": flat } }));
    }
    fields.remove("attribute");
    if fields.contains_key(name) {
        fields.insert("attributeType".to_owned(), attribute.into());
    }
}

fn ec2_node(node: &Node, name: &str) -> Value {
    if let Some(text) = &node.text {
        return scalar(name, text);
    }
    let mut fields = Map::new();
    for (name, child) in &node.children {
        let Some(entries) = child.entries() else {
            let name = lower_camel(name);
            let value = ec2_node(child, &name);
            fields.insert(name, value);
            continue;
        };
        let known = LISTS.iter().find(|(sent, _, _)| sent == name);
        let own = (format!("{}Set", lower_camel(name)), lower_camel(name));
        let (list, entry) = known.map_or(own, |(_, list, entry)| ((*list).to_owned(), (*entry).to_owned()));
        let items: Vec<Value> = entries
            .into_iter()
            .map(|entry_node| match ec2_node(entry_node, &entry) {
                value @ Value::Object(_) => value,
                text => json!({ entry.as_str(): text }),
            })
            .collect();
        fields.insert(list, json!({ "items": items }));
    }
    // The tags of a specification are the one list that is written plainly.
    if let Some(tags) = fields.contains_key("resourceType").then(|| fields.remove("tagSet")).flatten() {
        fields.insert("tags".to_owned(), tags["items"].clone());
    }
    Value::Object(fields)
}

/// Returns the parameters of a request of another Query protocol.
pub(super) fn parameters(params: &Params) -> Value {
    fn plain(node: &Node, name: &str) -> Value {
        if let Some(text) = &node.text {
            return scalar(name, text);
        }
        if let Some(entries) = node.children.get("member").and_then(Node::entries) {
            return entries.into_iter().map(|entry| plain(entry, "")).collect();
        }
        let fields = node.children.iter().map(|(name, child)| {
            let name = lower_camel(name);
            let value = plain(child, &name);
            (name, value)
        });
        Value::Object(fields.collect())
    }
    let tree = plain(&Node::of(params), "");
    if tree.as_object().is_some_and(Map::is_empty) { Value::Null } else { tree }
}

/// Returns the elements of an answer of EC2.
pub(super) fn ec2_elements(element: &Element, request_id: &str) -> Value {
    fn one(element: &Element) -> Value {
        if let Some(text) = element.own_text() {
            return match (element.name().ends_with("Time"), text.parse::<Timestamp>()) {
                (true, Ok(time)) => time.as_millisecond().into(),
                _ => scalar(element.name(), text),
            };
        }
        let children = element.children();
        if !children.is_empty() && children.iter().all(|child| child.name() == "item") {
            return json!({ "items": children.iter().map(one).collect::<Vec<_>>() });
        }
        let fields = children.iter().map(|child| {
            let name = if child.name() == "return" { "_return" } else { child.name() };
            (name.to_owned(), one(child))
        });
        Value::Object(fields.collect())
    }
    let mut answer = one(element);
    if let Some(fields) = answer.as_object_mut() {
        fields.insert("requestId".to_owned(), request_id.into());
    }
    answer
}

/// Returns the elements of an answer of another Query protocol.
pub(super) fn elements(element: &Element) -> Value {
    if let Some(text) = element.own_text() {
        let is_time = element.name().ends_with("Date") || element.name() == "Expiration";
        return match (is_time, text.parse::<Timestamp>()) {
            (true, Ok(time)) => time.strftime("%b %-d, %Y, %-I:%M:%S %p").to_string().into(),
            _ => scalar(&lower_camel(element.name()), text),
        };
    }
    let children = element.children();
    if !children.is_empty() && children.iter().all(|child| child.name() == "member") {
        return children.iter().map(elements).collect();
    }
    let fields = children.iter().map(|child| (lower_camel(child.name()), elements(child)));
    Value::Object(fields.collect())
}

/// Returns a document with names as records have them.
pub(super) fn document(document: &Value) -> Value {
    fn renamed(value: &Value, depth: usize) -> Value {
        match value {
            _ if depth > DEPTH_MAX => Value::Null,
            Value::Array(all) => all.iter().map(|one| renamed(one, depth + 1)).collect(),
            Value::Object(fields) => {
                let fields = fields.iter().map(|(name, one)| (lower_camel(name), renamed(one, depth + 1)));
                Value::Object(fields.collect())
            }
            other => other.clone(),
        }
    }
    renamed(document, 0)
}

fn scalar(name: &str, text: &str) -> Value {
    match text {
        "true" => true.into(),
        "false" => false.into(),
        _ if NUMBERS.contains(&name) => text.parse::<i64>().map_or_else(|_| text.into(), Into::into),
        _ => text.into(),
    }
}

/// Begins a name with a small letter: `KMSKeyId` is `kMSKeyId`, as AWS has it.
fn lower_camel(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_lowercase().to_string() + letters.as_str())
}

/// Finds the resources that something names, by the form of their ids.
pub(super) fn resources(value: &Value, found: &mut Vec<(&'static str, String)>) {
    const KINDS: [(&str, &str); 8] = [
        ("ami-", "AWS::EC2::Ami"),
        ("snap-", "AWS::EC2::Snapshot"),
        ("i-", "AWS::EC2::Instance"),
        ("vol-", "AWS::EC2::Volume"),
        ("sg-", "AWS::EC2::SecurityGroup"),
        ("subnet-", "AWS::EC2::Subnet"),
        ("lt-", "AWS::EC2::LaunchTemplate"),
        ("arn:aws:iam::", "AWS::IAM::Role"),
    ];
    match value {
        Value::String(text) if text.len() <= 200 => {
            let is_id = |prefix: &str| {
                text.strip_prefix(prefix).is_some_and(|rest| {
                    let is_hex = rest.bytes().all(|byte| byte.is_ascii_hexdigit());
                    if prefix.ends_with(':') { rest.contains(":role/") } else { rest.len() >= 8 && is_hex }
                })
            };
            if let Some((_, kind)) = KINDS.iter().find(|(prefix, _)| is_id(prefix)) {
                let resource = (*kind, text.clone());
                if !found.contains(&resource) {
                    found.push(resource);
                }
            }
        }
        Value::Array(all) => all.iter().for_each(|one| resources(one, found)),
        Value::Object(fields) => fields.values().for_each(|one| resources(one, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(operation: &str, body: &str) -> Value {
        ec2_parameters(operation, &Params::parse(body.as_bytes()).unwrap())
    }

    /// Records of a public data set (invictus-ir/aws_dataset, MIT), and the requests that they are of.
    #[test]
    fn parameters_look_as_in_records_of_real_trails() {
        let register = "Action=RegisterImage&Name=n&Architecture=x86_64&RootDeviceName=/dev/xvda&SriovNetSupport=simple&\
                        EnaSupport=false&BlockDeviceMapping.1.DeviceName=/dev/xvda&\
                        BlockDeviceMapping.1.Ebs.SnapshotId=snap-01ee6be9876379b3b&BlockDeviceMapping.1.Ebs.VolumeSize=1&\
                        BlockDeviceMapping.1.Ebs.DeleteOnTermination=true&BlockDeviceMapping.1.Ebs.VolumeType=standard";
        let expected = json!({
            "name": "n", "architecture": "x86_64", "rootDeviceName": "/dev/xvda",
            "blockDeviceMapping": {"items": [{"deviceName": "/dev/xvda", "ebs": {"snapshotId": "snap-01ee6be9876379b3b",
                "volumeSize": 1, "deleteOnTermination": true, "volumeType": "standard"}}]},
            "sriovNetSupport": "simple", "enaSupport": false,
        });
        assert_eq!(asked("RegisterImage", register), expected);
        let shared = json!({
            "imageId": "ami-0aa1d83d0b0985c86", "launchPermission": {"add": {"items": [{"userId": "012345678901"}]}},
            "attributeType": "launchPermission",
        });
        for body in [
            "ImageId=ami-0aa1d83d0b0985c86&LaunchPermission.Add.1.UserId=012345678901&UserId.1=012345678901",
            "ImageId=ami-0aa1d83d0b0985c86&Attribute=launchPermission&OperationType=add&UserId.1=012345678901",
        ] {
            assert_eq!(asked("ModifyImageAttribute", body), shared, "{body}");
        }
        let unshared = json!({
            "snapshotId": "snap-083d3b857c13988bc", "attributeType": "CREATE_VOLUME_PERMISSION",
            "createVolumePermission": {"remove": {"items": [{"userId": "012345678912"}]}},
        });
        let body = "SnapshotId=snap-083d3b857c13988bc&CreateVolumePermission.Remove.1.UserId=012345678912";
        assert_eq!(asked("ModifySnapshotAttribute", body), unshared);
        let run = "ImageId=ami-029eb80bc237bec6f&MinCount=1&MaxCount=1&InstanceType=t3.micro&\
                   TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=k&TagSpecification.1.Tag.1.Value=true";
        let expected = json!({
            "instancesSet": {"items": [{"imageId": "ami-029eb80bc237bec6f", "minCount": 1, "maxCount": 1}]},
            "instanceType": "t3.micro",
            "tagSpecificationSet": {"items": [{"resourceType": "instance", "tags": [{"key": "k", "value": true}]}]},
        });
        assert_eq!(asked("RunInstances", run), expected);
        let describe = "InstanceId.1=i-1&Filter.1.Name=name&Filter.1.Value.1=web";
        let expected = json!({
            "instancesSet": {"items": [{"instanceId": "i-1"}]},
            "filterSet": {"items": [{"name": "name", "valueSet": {"items": [{"value": "web"}]}}]},
        });
        assert_eq!(asked("DescribeInstances", describe), expected);
    }

    #[test]
    fn answers_look_as_in_records_of_real_trails() {
        let answer = Element::default()
            .text("snapshotId", "snap-1")
            .text("startTime", "2023-07-10T12:11:26.000Z")
            .text("encrypted", false)
            .with(Element::list("tagSet", [Element::default().text("key", "a").text("value", "b")]));
        let expected = json!({
            "requestId": "r", "snapshotId": "snap-1", "startTime": 1_688_991_086_000_i64, "encrypted": false,
            "tagSet": {"items": [{"key": "a", "value": "b"}]},
        });
        assert_eq!(ec2_elements(&answer, "r"), expected);
        let done = ec2_elements(&Element::default().text("return", true), "r");
        assert_eq!(done, json!({ "_return": true, "requestId": "r" }));
    }

    #[test]
    fn resources_are_found_wherever_they_stand() {
        let mut found = Vec::new();
        let value = json!({ "a": [{ "b": "ami-0123456789abcdef0" }, "i-1"], "c": "snap-01234567", "d": "ami-0123456789abcdef0" });
        resources(&value, &mut found);
        assert_eq!(
            found,
            [
                ("AWS::EC2::Ami", "ami-0123456789abcdef0".to_owned()),
                ("AWS::EC2::Snapshot", "snap-01234567".to_owned())
            ]
        );
    }
}
