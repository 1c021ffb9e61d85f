//! Systems Manager: parameters.
//!
//! `SecureString` is refused: nothing is encrypted here, and nobody shall think that something were.

mod add_tags_to_resource;
mod delete_parameters;
mod describe_parameters;
mod get_parameter;
mod get_parameter_history;
mod get_parameters_by_path;
mod label_parameter_version;
mod list_tags_for_resource;
mod public;
mod put_parameter;
mod resolve;

pub(super) use add_tags_to_resource::{add_tags_to_resource, remove_tags_from_resource};
pub(super) use delete_parameters::{delete_parameter, delete_parameters};
pub(super) use describe_parameters::describe_parameters;
pub(super) use get_parameter::{get_parameter, get_parameters};
pub(super) use get_parameter_history::get_parameter_history;
pub(super) use get_parameters_by_path::get_parameters_by_path;
pub(super) use label_parameter_version::{label_parameter_version, unlabel_parameter_version};
pub(super) use list_tags_for_resource::list_tags_for_resource;
pub(super) use put_parameter::put_parameter;
pub(super) use resolve::resolve;

use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::page::Pager;
use crate::operations::Call;
use crate::protocol::Fault;
use crate::records::{Parameter, ParameterVersion, Tables};
use crate::state::Change;

/// What `SecureString` is answered with.
const NO_SECRETS: &str =
    "SecureString is not supported here: nothing is encrypted, so that no secret shall be kept";
const DATA_TYPE_IMAGE: &str = "aws:ec2:image";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Tag {
    key: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Filter {
    key: String,
    option: Option<String>,
    #[serde(default)]
    values: Vec<String>,
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::client("ValidationException", message)
}

fn not_found(name: &str) -> Fault {
    Fault::client("ParameterNotFound", format!("Parameter {name} not found."))
}

/// Refuses names that Systems Manager refuses.
fn check_name(name: &str) -> Result<(), Fault> {
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || "_.-/".contains(letter);
    let lower = name.trim_start_matches('/').to_ascii_lowercase();
    if name.is_empty() || name.len() > 1011 || !name.chars().all(is_allowed) {
        return Err(invalid(
            "Parameter name: only a mix of letters, numbers and the symbols .-_/ is allowed",
        ));
    }
    if lower.starts_with("aws") || lower.starts_with("ssm") {
        return Err(invalid("Parameter name: can't be prefixed with \"aws\" or \"ssm\" (case-insensitive)."));
    }
    if name.contains('/') && !name.starts_with('/') || name.ends_with('/') {
        return Err(invalid(
            "Parameter name must be a fully qualified name: it begins with a slash and ends with none",
        ));
    }
    if name.matches('/').count() > 15 {
        let message = "A hierarchy can have a maximum of 15 levels";
        return Err(Fault::client("HierarchyLevelLimitExceededException", message));
    }
    Ok(())
}

/// Takes name and selector out of `NAME`, `NAME:3`, `NAME:label` or the same with an ARN.
fn parse(text: &str) -> (String, Option<&str>) {
    let (prefix, rest) = text.split_once(":parameter/").map_or((false, text), |(_, rest)| (true, rest));
    let (name, selector) =
        rest.split_once(':').map_or((rest, None), |(name, selector)| (name, Some(selector)));
    // The ARN of a name without a hierarchy has a slash that the name has not.
    let name = if prefix && name.contains('/') { format!("/{name}") } else { name.to_owned() };
    (name, selector)
}

/// Finds a parameter of whoever asks, or one that AWS offers everybody.
fn find(call: &Call<'_>, tables: &Tables, name: &str) -> Option<Arc<Parameter>> {
    if name.starts_with("/aws/") {
        return public::all(call, tables).into_iter().find(|one| one.name == name).map(Arc::new);
    }
    tables.parameters.get(&Parameter::key(call.account(), call.region, name)).cloned()
}

/// Finds a parameter of whoever asks, to be changed.
fn own(call: &Call<'_>, change: &Change<'_>, name: &str) -> Result<Parameter, Fault> {
    let key = Parameter::key(call.account(), call.region, name);
    let found = change.get::<Parameter>(&key).ok_or_else(|| not_found(name))?;
    Ok(Parameter::clone(&found))
}

/// Writes a time as JSON services do.
fn seconds(time: Timestamp) -> Value {
    json!(time.as_duration().as_secs_f64())
}

/// Writes a parameter with its value.
fn describe(parameter: &Parameter, version: &ParameterVersion, selector: Option<&str>) -> Value {
    let mut told = json!({
        "Name": parameter.name,
        "Type": parameter.kind,
        "Value": version.value,
        "Version": version.number,
        "LastModifiedDate": seconds(version.modified),
        "ARN": parameter.arn(),
        "DataType": parameter.data_type,
    });
    if let Some(selector) = selector {
        told["Selector"] = format!(":{selector}").into();
    }
    told
}

/// Reads the page that is asked for.
fn pager(call: &Call<'_>, token: Option<&str>, count: Option<u64>, count_max: u64) -> Result<Pager, Fault> {
    let count = count.unwrap_or(count_max);
    if !(1..=count_max).contains(&count) {
        return Err(invalid(format!("MaxResults has to be between 1 and {count_max}")));
    }
    Pager::at(call, token, Some(count))
        .map_err(|_| Fault::client("InvalidNextToken", "The specified token is not valid."))
}

/// Writes a page.
fn page(name: &str, entries: &[Value], next_token: Option<String>) -> Value {
    let mut answer = json!({ name: entries });
    if let Some(token) = next_token {
        answer["NextToken"] = token.into();
    }
    answer
}
