use serde::Deserialize;
use serde_json::{Value, json};

use super::settle::settle;
use super::{check_catalog, own, read, time};
use crate::operations::Call;
use crate::protocol::Fault;
use crate::records::{CatalogChange, ChangeOutcome};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Request {
    pub(super) catalog: String,
    pub(super) change_set_id: String,
}

/// Tells a change set.
pub(crate) fn describe_change_set(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    let request: Request = read(body)?;
    check_catalog(&request.catalog)?;
    settle(call)?;
    let tables = call.tables();
    let set = own(call, &tables, &request.change_set_id)?;
    let mut told = json!({
        "ChangeSetId": set.id,
        "ChangeSetArn": set.arn(),
        "Intent": if set.is_validation { "VALIDATE" } else { "APPLY" },
        "StartTime": time(set.started),
        "Status": set.status(call.now),
        "ChangeSet": set.changes.iter().map(describe).collect::<Vec<_>>(),
    });
    if let Some(name) = &set.name {
        told["ChangeSetName"] = name.as_str().into();
    }
    if set.outcome.is_some() {
        told["EndTime"] = time(set.ends.min(call.now)).into();
    }
    if set.outcome == Some(ChangeOutcome::Failed) {
        told["FailureCode"] = "CLIENT_ERROR".into();
        told["FailureDescription"] = "Change set failed: see the errors of its changes.".into();
    }
    Ok(told)
}

fn describe(change: &CatalogChange) -> Value {
    let errors = change.errors.iter();
    let errors = errors.map(|(code, words)| json!({ "ErrorCode": code, "ErrorMessage": words }));
    let mut told = json!({
        "ChangeType": change.kind,
        "Entity": { "Type": change.entity_type },
        "Details": change.details.to_string(),
        "DetailsDocument": change.details,
        "ErrorDetailList": errors.collect::<Vec<_>>(),
    });
    if let Some(id) = &change.entity_id {
        told["Entity"]["Identifier"] = id.as_str().into();
    }
    if let Some(name) = &change.name {
        told["ChangeName"] = name.as_str().into();
    }
    told
}
