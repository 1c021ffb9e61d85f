use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{RbinRequest, arn, invalid, read, read_kind};
use crate::operations::Call;
use crate::operations::page::Pager;
use crate::protocol::Fault;
use crate::records::{RetentionRule, RuleTag};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Body {
    max_results: Option<u64>,
    next_token: Option<String>,
    resource_type: String,
    #[serde(default)]
    resource_tags: Vec<RuleTag>,
    #[serde(default)]
    exclude_resource_tags: Vec<RuleTag>,
    lock_state: Option<String>,
}

/// Lists the rules for one type of resources.
pub(super) fn list_rules(call: &Call<'_>, request: &RbinRequest<'_>) -> Result<(u16, Option<Value>), Fault> {
    let body: Body = read(request)?;
    let kind = read_kind(&body.resource_type)?;
    if body.max_results.is_some_and(|count| !(1..=1000).contains(&count)) {
        return Err(invalid("MaxResults is not between 1 and 1000"));
    }
    let pager = Pager::at(call, body.next_token.as_deref(), body.max_results).map_err(|_| {
        Fault::client("ValidationException", "The token is not valid").with_reason("INVALID_PAGE_TOKEN")
    })?;
    let is_wanted = |rule: &RetentionRule| {
        call.owns(&rule.account, &rule.region)
            && rule.kind == kind
            && body.resource_tags.iter().all(|tag| rule.resource_tags.contains(tag))
            && body.exclude_resource_tags.iter().all(|tag| rule.excluded_tags.contains(tag))
            && body.lock_state.as_deref().is_none_or(|state| rule.lock_state(call.now) == Some(state))
    };
    let tables = call.tables();
    let found = pager.rest(&tables.retention_rules).filter(|rule| is_wanted(rule));
    let page = pager.page(found.map(|rule| Ok(Arc::clone(rule))))?;
    let rules: Vec<Value> = page.entries.iter().map(|rule| summary(call, rule)).collect();
    let mut answer = json!({ "Rules": rules });
    if let Some(token) = page.next_token {
        answer["NextToken"] = token.into();
    }
    Ok((200, Some(answer)))
}

fn summary(call: &Call<'_>, rule: &RetentionRule) -> Value {
    let mut summary = json!({
        "Identifier": rule.id,
        "Description": rule.description,
        "RetentionPeriod": { "RetentionPeriodValue": rule.retention_days, "RetentionPeriodUnit": "DAYS" },
        "RuleArn": arn(rule),
    });
    if let Some(state) = rule.lock_state(call.now) {
        summary["LockState"] = state.into();
    }
    summary
}
