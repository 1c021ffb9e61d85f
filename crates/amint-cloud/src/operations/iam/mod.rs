//! Identity and Access Management: users, roles, instance profiles and policies as records.
//!
//! Policies are kept and not looked at, but for one kind: the trust policy of a role says who may assume it.

mod access_keys;
mod attached_policies;
mod instance_profiles;
mod managed_policies;
mod profile_roles;
mod role_policies;
mod roles;
pub(crate) mod trust;
mod users;

pub(crate) use access_keys::{create_access_key, delete_access_key, list_access_keys, update_access_key};
pub(crate) use attached_policies::{attach_role_policy, detach_role_policy, list_attached_role_policies};
pub(crate) use instance_profiles::{
    create_instance_profile, delete_instance_profile, find as find_profile, get_instance_profile,
    list_instance_profiles, list_instance_profiles_for_role,
};
pub(crate) use managed_policies::{create_policy, delete_policy, get_policy, get_policy_version};
pub(crate) use profile_roles::{add_role_to_instance_profile, remove_role_from_instance_profile};
pub(crate) use role_policies::{delete_role_policy, get_role_policy, list_role_policies, put_role_policy};
pub(crate) use roles::{
    create_role, delete_role, find as find_role, get_role, list_roles, update_assume_role_policy,
};
pub(crate) use users::{create_user, delete_user, get_user, list_account_aliases, list_users};

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::Call;
use super::page::{Page, Pager};
use crate::protocol::{Element, Fault, Params};
use crate::records::Tags;

/// The longest policy (IAM user guide, "IAM and AWS STS quotas").
const POLICY_BYTES_MAX: usize = 10_240;
const TAGS_MAX: usize = 50;
/// How many entries a page has unless it is said, and at most.
const PAGE_COUNT: u64 = 100;
const PAGE_COUNT_MAX: u64 = 1000;
/// What stands as it is in a policy that is told (RFC 3986).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Returns what a record of an account is found by.
fn key(account: &str, name: &str) -> String {
    format!("{account}/{name}")
}

fn not_found(what: &str, name: &str) -> Fault {
    let message = format!("The {what} with name {name} cannot be found.");
    Fault::client("NoSuchEntity", message).with_status(404)
}

fn exists(what: &str, name: &str) -> Fault {
    let message = format!("{what} with name {name} already exists.");
    Fault::client("EntityAlreadyExists", message).with_status(409)
}

fn conflict(message: &str) -> Fault {
    Fault::client("DeleteConflict", message).with_status(409)
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::client("ValidationError", message)
}

/// Reads a name that has to be there.
fn name<'p>(params: &'p Params, parameter: &str, length_max: usize) -> Result<&'p str, Fault> {
    let name = params.required(parameter)?;
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || "_+=,.@-".contains(letter);
    if name.len() <= length_max && name.chars().all(is_allowed) {
        return Ok(name);
    }
    Err(invalid(format!(
        "The specified value for {parameter} is invalid: at most {length_max} of A-Z a-z 0-9 + = , . @ - _"
    )))
}

/// Reads the path of a principal.
fn path(params: &Params) -> Result<String, Fault> {
    let path = params.get("Path").unwrap_or("/");
    let is_path = path.starts_with('/') && path.ends_with('/') && path.len() <= 512 && path.is_ascii();
    if is_path { Ok(path.to_owned()) } else { Err(invalid("The specified value for path is invalid")) }
}

fn tags(params: &Params) -> Result<Tags, Fault> {
    let mut tags = Tags::new();
    for index in params.indexes("Tags.member") {
        let key = params.required(&format!("Tags.member.{index}.Key"))?;
        let value = params.get(&format!("Tags.member.{index}.Value")).unwrap_or_default();
        if key.len() > 128 || value.len() > 256 || tags.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(Fault::client(
                "InvalidInput",
                format!("The tag '{key}' is too long, or stands twice"),
            ));
        }
    }
    if tags.len() > TAGS_MAX {
        let message = format!("The number of tags has reached its limit of {TAGS_MAX}.");
        return Err(Fault::client("LimitExceeded", message).with_status(409));
    }
    Ok(tags)
}

fn tag_list(tags: &Tags) -> Element {
    let entries = tags.iter().map(|(key, value)| Element::default().text("Key", key).text("Value", value));
    Element::members("Tags", entries)
}

/// Reads a policy: an object with statements.
fn policy<'p>(params: &'p Params, parameter: &str) -> Result<&'p str, Fault> {
    let text = params.required(parameter)?;
    let malformed = |why: &str| Fault::client("MalformedPolicyDocument", format!("The policy {why}"));
    if text.len() > POLICY_BYTES_MAX {
        let message = format!("The policy is longer than {POLICY_BYTES_MAX} bytes");
        return Err(Fault::client("LimitExceeded", message).with_status(409));
    }
    let document: Value = serde_json::from_str(text).map_err(|_| malformed("is no JSON"))?;
    match document.get("Statement") {
        Some(Value::Array(list)) if list.iter().all(Value::is_object) => Ok(text),
        Some(Value::Object(_)) => Ok(text),
        _ => Err(malformed("has no statements")),
    }
}

/// Writes a policy as answers tell it.
fn encoded(policy: &str) -> String {
    utf8_percent_encode(policy, UNRESERVED).to_string()
}

fn time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Takes the page of a request out of entries with keys.
fn page<T>(
    call: &Call<'_>,
    params: &Params,
    entries: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> String,
) -> Result<Page<T>, Fault> {
    let count = params.number("MaxItems")?.unwrap_or(PAGE_COUNT);
    if !(1..=PAGE_COUNT_MAX).contains(&count) {
        return Err(invalid("MaxItems has to be between 1 and 1000"));
    }
    let pager = Pager::at(call, params.get("Marker"), Some(count)).map_err(|_| invalid("Invalid Marker"))?;
    Ok(pager.page_by(entries, key))
}

/// Writes a page.
fn listed(name: &'static str, entries: impl IntoIterator<Item = Element>, next: Option<String>) -> Element {
    Element::default()
        .with(Element::members(name, entries))
        .text("IsTruncated", next.is_some())
        .maybe("Marker", next)
}
