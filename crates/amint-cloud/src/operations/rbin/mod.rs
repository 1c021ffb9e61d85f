//! Recycle Bin: the rules by which what is removed can be had back.

mod create_rule;
mod delete_rule;
mod get_rule;
mod list_rules;
mod lock_rule;
mod tags;
mod update_rule;

use std::collections::BTreeSet;
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::operations::Call;
use crate::protocol::Fault;
use crate::records::{BinKind, RetentionRule, RuleTag, Tags};
use crate::state::Change;

/// The operations that are implemented.
pub(crate) const NAMES: [&str; 10] = [
    "CreateRule",
    "DeleteRule",
    "GetRule",
    "ListRules",
    "ListTagsForResource",
    "LockRule",
    "TagResource",
    "UnlockRule",
    "UntagResource",
    "UpdateRule",
];
/// How many days a rule keeps.
const RETENTION_DAYS: std::ops::RangeInclusive<i64> = 1..=3650;
/// The most tags that a rule may ask for, and that it may exclude.
const RESOURCE_TAGS_MAX: usize = 50;
const EXCLUDED_TAGS_MAX: usize = 5;
const TAGS_MAX: usize = 50;

/// A request of the recycle bin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RbinRequest<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) body: &'a [u8],
}

/// Returns the name of the operation that a request asks for.
pub(crate) fn name(method: &str, path: &str) -> Option<&'static str> {
    let (first, rest) = path.trim_matches('/').split_once('/').unwrap_or((path.trim_matches('/'), ""));
    match (method, first, rest.split_once('/')) {
        ("POST", "list-rules", _) => Some("ListRules"),
        ("POST", "rules", None) if rest.is_empty() => Some("CreateRule"),
        ("GET", "rules", None) => Some("GetRule"),
        ("PATCH", "rules", None) => Some("UpdateRule"),
        ("DELETE", "rules", None) => Some("DeleteRule"),
        ("PATCH", "rules", Some((_, "lock"))) => Some("LockRule"),
        ("PATCH", "rules", Some((_, "unlock"))) => Some("UnlockRule"),
        ("GET", "tags", _) => Some("ListTagsForResource"),
        ("POST", "tags", _) => Some("TagResource"),
        ("DELETE", "tags", _) => Some("UntagResource"),
        _ => None,
    }
}

/// Answers a request: with a status and, unless there is nothing to say, a document.
pub(crate) fn answer(call: &Call<'_>, request: &RbinRequest<'_>) -> Result<(u16, Option<Value>), Fault> {
    let parts: Vec<&str> = request.path.trim_matches('/').splitn(2, '/').collect();
    let rest = parts.get(1).copied().unwrap_or_default();
    match (request.method, parts[0], rest.split_once('/')) {
        ("POST", "list-rules", None) if rest.is_empty() => list_rules::list_rules(call, request),
        ("POST", "rules", None) if rest.is_empty() => create_rule::create_rule(call, request),
        ("GET", "rules", None) => get_rule::get_rule(call, rest),
        ("PATCH", "rules", None) => update_rule::update_rule(call, request, rest),
        ("DELETE", "rules", None) => delete_rule::delete_rule(call, rest),
        ("PATCH", "rules", Some((id, "lock"))) => lock_rule::lock_rule(call, request, id),
        ("PATCH", "rules", Some((id, "unlock"))) => lock_rule::unlock_rule(call, id),
        (method, "tags", _) if !rest.is_empty() => {
            let arn = percent_decode_str(rest).decode_utf8_lossy().into_owned();
            match method {
                "GET" => tags::list_tags_for_resource(call, &arn),
                "POST" => tags::tag_resource(call, request, &arn),
                "DELETE" => tags::untag_resource(call, request, &arn),
                _ => Err(unknown()),
            }
        }
        _ => Err(unknown()),
    }
}

fn unknown() -> Fault {
    Fault::client("UnknownOperationException", "The operation is not known here").with_status(404)
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::client("ValidationException", message).with_reason("INVALID_PARAMETER_VALUE")
}

fn conflict(message: impl Into<String>) -> Fault {
    Fault::client("ConflictException", message).with_status(409).with_reason("INVALID_RULE_STATE")
}

fn not_found() -> Fault {
    Fault::client("ResourceNotFoundException", "The retention rule does not exist.")
        .with_status(404)
        .with_reason("RULE_NOT_FOUND")
}

/// Reads the body of a request.
fn read<T: DeserializeOwned>(request: &RbinRequest<'_>) -> Result<T, Fault> {
    serde_json::from_slice(request.body)
        .map_err(|error| invalid(format!("The body cannot be understood: {error}")))
}

/// Finds a rule of whoever asks.
fn own(call: &Call<'_>, change: &Change<'_>, id: &str) -> Result<Arc<RetentionRule>, Fault> {
    let rule = change.get::<RetentionRule>(id).filter(|rule| call.owns(&rule.account, &rule.region));
    rule.ok_or_else(not_found)
}

/// Refuses to change a rule that is locked.
fn check_unlocked(call: &Call<'_>, rule: &RetentionRule) -> Result<(), Fault> {
    if rule.is_locked(call.now) {
        return Err(conflict(format!("The retention rule {} is locked", rule.id)));
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct RetentionPeriod {
    retention_period_value: i64,
    retention_period_unit: String,
}

impl RetentionPeriod {
    fn days(&self) -> Result<i64, Fault> {
        if self.retention_period_unit != "DAYS" {
            return Err(invalid("RetentionPeriodUnit is not DAYS"));
        }
        if !RETENTION_DAYS.contains(&self.retention_period_value) {
            return Err(invalid("RetentionPeriodValue is not between 1 and 3650"));
        }
        Ok(self.retention_period_value)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct LockConfiguration {
    unlock_delay: UnlockDelay,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct UnlockDelay {
    unlock_delay_value: i64,
    unlock_delay_unit: String,
}

impl LockConfiguration {
    fn days(&self) -> Result<i64, Fault> {
        let delay = &self.unlock_delay;
        if delay.unlock_delay_unit != "DAYS" || !(7..=30).contains(&delay.unlock_delay_value) {
            return Err(invalid("UnlockDelay is not between 7 and 30 DAYS"));
        }
        Ok(delay.unlock_delay_value)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Tag {
    key: String,
    value: String,
}

fn read_tags(list: Vec<Tag>) -> Result<Tags, Fault> {
    let tags: Tags = list.into_iter().map(|tag| (tag.key, tag.value)).collect();
    let is_wrong = |(key, value): (&String, &String)| {
        !(1..=128).contains(&key.chars().count()) || value.chars().count() > 256 || key.starts_with("aws:")
    };
    if tags.len() > TAGS_MAX || tags.iter().any(is_wrong) {
        return Err(invalid("The tags are not valid"));
    }
    Ok(tags)
}

fn read_kind(text: &str) -> Result<BinKind, Fault> {
    match text {
        "EBS_SNAPSHOT" => Ok(BinKind::EbsSnapshot),
        "EC2_IMAGE" => Ok(BinKind::Ec2Image),
        // Nothing would come of a rule for volumes: better say so.
        "EBS_VOLUME" => Err(invalid("Rules for EBS_VOLUME are not supported here")),
        _ => Err(invalid(format!("The resource type {text} is not known"))),
    }
}

fn read_rule_tags(list: Vec<RuleTag>, count_max: usize) -> Result<BTreeSet<RuleTag>, Fault> {
    let is_wrong = |tag: &RuleTag| {
        let value_length = tag.resource_tag_value.as_ref().map_or(0, |value| value.chars().count());
        !(1..=128).contains(&tag.resource_tag_key.chars().count()) || value_length > 256
    };
    if list.len() > count_max || list.iter().any(is_wrong) {
        return Err(invalid("The resource tags are not valid"));
    }
    Ok(list.into_iter().collect())
}

fn check_description(text: &str) -> Result<(), Fault> {
    if text.chars().count() > 255 || text.chars().any(|letter| letter.is_whitespace() && letter != ' ') {
        return Err(invalid("The description is not valid"));
    }
    Ok(())
}

/// Refuses what cannot stand together: only rules for a whole region exclude tags.
fn check_tags(rule: &RetentionRule) -> Result<(), Fault> {
    if rule.is_of_tags() && !rule.excluded_tags.is_empty() {
        return Err(invalid("ExcludeResourceTags cannot be used with ResourceTags"));
    }
    Ok(())
}

fn arn(rule: &RetentionRule) -> String {
    format!("arn:aws:rbin:{}:{}:rule/{}", rule.region, rule.account, rule.id)
}

/// Writes a rule as most answers have it.
fn describe(call: &Call<'_>, rule: &RetentionRule) -> Value {
    let mut answer = json!({
        "Identifier": rule.id,
        "Description": rule.description,
        "ResourceType": rule.kind,
        "RetentionPeriod": { "RetentionPeriodValue": rule.retention_days, "RetentionPeriodUnit": "DAYS" },
        "ResourceTags": rule.resource_tags,
        "ExcludeResourceTags": rule.excluded_tags,
        "Status": if rule.available <= call.now { "available" } else { "pending" },
        "RuleArn": arn(rule),
    });
    if let (Some(lock), Some(state)) = (&rule.lock, rule.lock_state(call.now)) {
        answer["LockState"] = state.into();
        answer["LockConfiguration"] =
            json!({ "UnlockDelay": { "UnlockDelayValue": lock.delay_days, "UnlockDelayUnit": "DAYS" } });
        if let Some(end) = lock.ends {
            answer["LockEndTime"] = end.as_second().into();
        }
    }
    answer
}

fn write_tags(tags: &Tags) -> Value {
    tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect()
}
