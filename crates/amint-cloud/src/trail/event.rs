use jiff::Timestamp;
use serde_json::{Value, json};

use super::{masks, shapes};
use crate::Service;
use crate::operations::{Caller, CallerKind, is_reading};
use crate::protocol::{Element, Fault, Params};
use crate::service::Protocol;

/// The longest of what was asked and told in a record.
const PART_BYTES_MAX: usize = 100 << 10;
/// The most resources of a record.
const RESOURCES_MAX: usize = 100;

/// A record, and what it is looked up by.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) source: String,
    pub(crate) time: Timestamp,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) is_reading: bool,
    pub(crate) key_id: String,
    pub(crate) user_name: String,
    /// Types and names of resources.
    pub(crate) resources: Vec<(&'static str, String)>,
    /// The record as it stands in files.
    pub(crate) record: String,
}

/// What was asked or told.
pub(crate) enum Told<'a> {
    /// Nothing that a record has.
    Nothing,
    /// Parameters of a Query protocol.
    Params(&'a Params),
    /// Elements of an answer of a Query protocol.
    Elements(&'a Element),
    /// A document.
    Document(&'a Value),
}

/// A call that was answered.
pub(crate) struct Happening<'a> {
    pub(crate) service: Service,
    pub(crate) operation: &'static str,
    pub(crate) region: &'a str,
    pub(crate) caller: &'a Caller,
    pub(crate) time: Timestamp,
    pub(crate) request_id: &'a str,
    pub(crate) user_agent: &'a str,
    pub(crate) asked: Told<'a>,
    pub(crate) told: Result<Told<'a>, &'a Fault>,
}

impl Event {
    /// Tells whether calls of an operation are data events, of which there may be a thousand in a second.
    pub(crate) fn is_left_out(service: Service, operation: &str) -> bool {
        const DATA: [&str; 4] =
            ["GetSnapshotBlock", "ListChangedBlocks", "ListSnapshotBlocks", "PutSnapshotBlock"];
        service == Service::Ebs && DATA.contains(&operation)
    }

    /// Makes the record of a call.
    pub(crate) fn new(happening: &Happening<'_>, id: &str) -> Option<Self> {
        let Happening { service, operation, caller, .. } = happening;
        let is_reading = is_reading(operation);
        // IAM is everywhere, and tells of itself in one region.
        let region = if *service == Service::Iam { "us-east-1" } else { happening.region };
        let mut record = json!({
            "eventVersion": "1.09",
            "userIdentity": identity(caller),
            "eventTime": happening.time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "eventSource": source(*service),
            "eventName": operation,
            "awsRegion": region,
            "sourceIPAddress": "127.0.0.1",
            "userAgent": happening.user_agent.chars().take(1000).collect::<String>(),
            "requestParameters": part("requestParameters", asked(happening)),
            "responseElements": Value::Null,
            "requestID": happening.request_id,
            "eventID": id,
            "readOnly": is_reading,
            "eventType": "AwsApiCall",
            "managementEvent": true,
            "recipientAccountId": caller.account,
            "eventCategory": "Management",
        });
        match &happening.told {
            Ok(told) if !is_reading => {
                record["responseElements"] = part("responseElements", answered(happening, told));
            }
            Ok(_) => {}
            Err(fault) => {
                record["errorCode"] = code(*service, fault).into();
                record["errorMessage"] = fault.message.as_str().into();
                if matches!(fault.code, "AccessDenied" | "AccessDeniedException") {
                    record["requestParameters"] = Value::Null;
                }
            }
        }
        Self::of(&record)
    }

    /// Reads what a record is looked up by.
    pub(crate) fn of(record: &Value) -> Option<Self> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let identity = &record["userIdentity"];
        let session = || identity["arn"].as_str()?.rsplit('/').next().map(str::to_owned);
        let user_name = match identity["type"].as_str() {
            Some("AssumedRole") => session(),
            Some("Root") => Some("root".to_owned()),
            _ => text(&identity["userName"]),
        };
        let mut resources = Vec::new();
        for part in ["requestParameters", "responseElements"] {
            shapes::resources(&record[part], &mut resources);
        }
        resources.truncate(RESOURCES_MAX);
        Some(Self {
            id: text(&record["eventID"])?,
            name: text(&record["eventName"])?,
            source: text(&record["eventSource"])?,
            time: record["eventTime"].as_str()?.parse().ok()?,
            account: text(&record["recipientAccountId"])?,
            region: text(&record["awsRegion"])?,
            is_reading: record["readOnly"].as_bool().unwrap_or(false),
            key_id: text(&identity["accessKeyId"]).unwrap_or_default(),
            user_name: user_name.unwrap_or_default(),
            resources,
            record: record.to_string(),
        })
    }
}

/// Returns how a service calls itself.
fn source(service: Service) -> String {
    let name = if service == Service::Marketplace { "marketplacecatalog" } else { service.as_str() };
    format!("{name}.amazonaws.com")
}

fn identity(caller: &Caller) -> Value {
    let mut identity = json!({
        "principalId": caller.user_id,
        "arn": caller.arn,
        "accountId": caller.account,
        "accessKeyId": caller.key_id,
    });
    match &caller.kind {
        CallerKind::Root => identity["type"] = "Root".into(),
        CallerKind::User(name) => {
            identity["type"] = "IAMUser".into();
            identity["userName"] = name.as_str().into();
        }
        CallerKind::Session(session) => {
            identity["type"] = "AssumedRole".into();
            identity["sessionContext"] = json!({
                "sessionIssuer": {
                    "type": "Role",
                    "principalId": session.role_id,
                    "arn": session.role_arn(),
                    "accountId": session.account,
                    "userName": session.role,
                },
                "attributes": {
                    "creationDate": session.created.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
                    "mfaAuthenticated": "false",
                },
            });
        }
    }
    identity
}

/// Writes the code of an error: EC2's tell whose fault it is.
fn code(service: Service, fault: &Fault) -> String {
    match service.protocol() {
        Protocol::Ec2 if fault.status >= 500 => format!("Server.{}", fault.code),
        Protocol::Ec2 => format!("Client.{}", fault.code),
        _ => fault.code.to_owned(),
    }
}

fn asked(happening: &Happening<'_>) -> Value {
    let Happening { service, operation, .. } = happening;
    let mut asked = match happening.asked {
        Told::Params(params) if *service == Service::Ec2 => shapes::ec2_parameters(operation, params),
        Told::Params(params) => shapes::parameters(params),
        Told::Document(document) => shapes::document(document),
        Told::Elements(_) | Told::Nothing => Value::Null,
    };
    masks::mask(*service, operation, &mut asked);
    asked
}

fn answered(happening: &Happening<'_>, told: &Told<'_>) -> Value {
    let Happening { service, operation, request_id, .. } = happening;
    let mut told = match told {
        Told::Elements(element) if *service == Service::Ec2 => shapes::ec2_elements(element, request_id),
        Told::Elements(element) => shapes::elements(element),
        Told::Document(document) => shapes::document(document),
        Told::Params(_) | Told::Nothing => Value::Null,
    };
    masks::mask(*service, operation, &mut told);
    if told.as_object().is_some_and(serde_json::Map::is_empty) { Value::Null } else { told }
}

/// Leaves out what is too large.
fn part(name: &str, value: Value) -> Value {
    let size = value.to_string().len();
    if size <= PART_BYTES_MAX {
        return value;
    }
    json!({ "omitted": true, "originalSize": size, "reason": format!("{name} too large") })
}
