//! AWS Marketplace Catalog: products whose versions are AMIs.
//!
//! A change set is looked at when it comes, as far as its form goes, and judged when its time is over: by the images,
//! roles and products that there are then. Nothing runs for it: whoever asks next finds it ended.

mod assessment;
mod cancel_change_set;
mod changes;
mod delivery;
mod describe_assessment;
mod describe_change_set;
mod describe_entity;
mod list_assessments;
mod list_change_sets;
mod list_entities;
mod settle;
mod start_change_set;

pub(super) use cancel_change_set::cancel_change_set;
pub(super) use describe_assessment::describe_assessment;
pub(super) use describe_change_set::describe_change_set;
pub(super) use describe_entity::describe_entity;
pub(super) use list_assessments::list_assessments;
pub(super) use list_change_sets::list_change_sets;
pub(super) use list_entities::list_entities;
pub(super) use start_change_set::start_change_set;

use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Call;
use super::page::Pager;
use crate::protocol::Fault;
use crate::records::{ChangeSet, Tables};

const CATALOG: &str = "AWSMarketplace";
const PRODUCT_TYPE: &str = "AmiProduct@1.0";
/// Where images of products have to be.
const REGION: &str = "us-east-1";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Filter {
    name: String,
    #[serde(default)]
    value_list: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Sort {
    sort_by: Option<String>,
    sort_order: Option<String>,
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::client("ValidationException", message).with_status(422)
}

fn not_found(what: &str) -> Fault {
    Fault::client("ResourceNotFoundException", format!("The {what} does not exist.")).with_status(404)
}

/// Reads the document of a request.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Fault> {
    super::json::read(body).map_err(|fault| fault.with_status(422))
}

fn check_catalog(name: &str) -> Result<(), Fault> {
    if name == CATALOG { Ok(()) } else { Err(not_found(&format!("catalog '{name}'"))) }
}

/// Finds a change set of whoever asks.
fn own<'t>(call: &Call<'_>, tables: &'t Tables, id: &str) -> Result<&'t Arc<ChangeSet>, Fault> {
    let found = tables.change_sets.get(id).filter(|set| set.account == call.account());
    found.ok_or_else(|| not_found(&format!("change set '{id}'")))
}

fn pager(call: &Call<'_>, token: Option<&str>, count: Option<u64>, count_max: u64) -> Result<Pager, Fault> {
    let count = count.unwrap_or(count_max);
    if !(1..=count_max).contains(&count) {
        return Err(invalid(format!("MaxResults has to be between 1 and {count_max}")));
    }
    Pager::at(call, token, Some(count)).map_err(|_| invalid("NextToken is invalid"))
}

/// Makes an id as the catalog has them.
fn id(prefix: &str, length: usize) -> Result<String, Fault> {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut random = vec![0; length];
    getrandom::fill(&mut random).map_err(|_| Fault::internal())?;
    let letters = random.iter().map(|byte| char::from(LETTERS[usize::from(byte & 31)]));
    Ok(prefix.chars().chain(letters).collect())
}

fn time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Adds the token of the next page.
fn with_token(mut answer: Value, token: Option<String>) -> Value {
    if let Some(token) = token {
        answer["NextToken"] = token.into();
    }
    answer
}
