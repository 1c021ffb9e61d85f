use amint_types::Digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::operations::Call;
use crate::operations::json::read;
use crate::protocol::Fault;
use crate::trail::Event;

/// How many events a page has unless it is said, and at most.
const PAGE_COUNT_MAX: u64 = 50;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Request {
    #[serde(default)]
    lookup_attributes: Vec<Attribute>,
    start_time: Option<f64>,
    end_time: Option<f64>,
    event_category: Option<String>,
    max_results: Option<u64>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Attribute {
    attribute_key: String,
    attribute_value: String,
}

/// Tells the calls of the account in the region, the newest first.
pub(crate) fn lookup_events(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    let request: Request = read(body)?;
    let attribute = match &request.lookup_attributes[..] {
        [] => None,
        [one] => Some(one),
        _ => return Err(fault("InvalidLookupAttributesException", "You can specify one attribute at most")),
    };
    if let Some(attribute) = attribute {
        check(attribute)?;
    }
    if let Some(category) = &request.event_category {
        let message = format!("Events of the category {category} are not kept here");
        return Err(fault("InvalidEventCategoryException", &message));
    }
    let count = request.max_results.unwrap_or(PAGE_COUNT_MAX);
    if !(1..=PAGE_COUNT_MAX).contains(&count) {
        let message = "MaxResults has to be between 1 and 50";
        return Err(fault("InvalidMaxResultsException", message));
    }
    if let (Some(start), Some(end)) = (request.start_time, request.end_time)
        && start > end
    {
        return Err(fault("InvalidTimeRangeException", "StartTime is after EndTime"));
    }
    let question = question(&request);
    let after = request.next_token.as_deref().map(|token| parse(token, &question)).transpose()?;
    let is_asked = |event: &&Event| {
        let time = event.time.as_duration().as_secs_f64();
        event.account == call.account()
            && event.region == call.region
            && request.start_time.is_none_or(|start| time >= start)
            && request.end_time.is_none_or(|end| time <= end)
            && attribute.is_none_or(|attribute| fits(event, attribute))
    };
    let count = usize::try_from(count).unwrap_or(0);
    let page = call.world.trail.look(after.as_deref(), |newest| {
        let mut found = newest.filter(is_asked);
        let page: Vec<(Value, String)> =
            found.by_ref().take(count).map(|event| (describe(event), event.id.clone())).collect();
        (page, found.next().is_some())
    });
    let (page, is_more) = page.ok_or_else(invalid_token)?;
    let last = page.last().map(|(_, id)| id.clone());
    let mut answer = json!({ "Events": page.into_iter().map(|(event, _)| event).collect::<Vec<_>>() });
    if let Some(id) = last.filter(|_| is_more) {
        answer["NextToken"] = URL_SAFE_NO_PAD.encode(format!("{question}/{id}")).into();
    }
    Ok(answer)
}

fn fault(code: &'static str, message: &str) -> Fault {
    Fault::client(code, message)
}

fn check(attribute: &Attribute) -> Result<(), Fault> {
    const KEYS: [&str; 8] = [
        "AccessKeyId",
        "EventId",
        "EventName",
        "EventSource",
        "ReadOnly",
        "ResourceName",
        "ResourceType",
        "Username",
    ];
    if KEYS.contains(&attribute.attribute_key.as_str()) {
        return Ok(());
    }
    let message = format!("{} is not a valid attribute", attribute.attribute_key);
    Err(fault("InvalidLookupAttributesException", &message))
}

fn fits(event: &Event, attribute: &Attribute) -> bool {
    let value = attribute.attribute_value.as_str();
    match attribute.attribute_key.as_str() {
        "AccessKeyId" => event.key_id == value,
        "EventId" => event.id == value,
        "EventName" => event.name == value,
        "EventSource" => event.source == value,
        "ReadOnly" => event.is_reading.to_string() == value,
        "ResourceName" => event.resources.iter().any(|(_, name)| name == value),
        "ResourceType" => event.resources.iter().any(|(kind, _)| *kind == value),
        _ => event.user_name == value,
    }
}

/// Returns what tells requests apart: a token is of one.
fn question(request: &Request) -> String {
    let attributes = request.lookup_attributes.iter();
    let attributes: Vec<(&str, &str)> =
        attributes.map(|one| (one.attribute_key.as_str(), one.attribute_value.as_str())).collect();
    let text = format!("{attributes:?} {:?} {:?}", request.start_time, request.end_time);
    Digest::of(text.as_bytes()).to_string()[..16].to_owned()
}

fn parse(token: &str, question: &str) -> Result<String, Fault> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let id = text.and_then(|text| text.strip_prefix(question)?.strip_prefix('/').map(str::to_owned));
    id.ok_or_else(invalid_token)
}

fn invalid_token() -> Fault {
    fault("InvalidNextTokenException", "The token is invalid, or of a request with other parameters")
}

fn describe(event: &Event) -> Value {
    let resources = event.resources.iter();
    let resources = resources.map(|(kind, name)| json!({ "ResourceType": kind, "ResourceName": name }));
    json!({
        "EventId": event.id,
        "EventName": event.name,
        "ReadOnly": event.is_reading.to_string(),
        "AccessKeyId": event.key_id,
        "EventTime": event.time.as_second(),
        "EventSource": event.source,
        "Username": event.user_name,
        "Resources": resources.collect::<Vec<_>>(),
        "CloudTrailEvent": event.record,
    })
}
