use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::settle::settle;
use super::{Filter, Sort, check_catalog, invalid, pager, read, time, with_token};
use crate::operations::Call;
use crate::protocol::Fault;
use crate::records::{ChangeOutcome, ChangeSet};

/// How many sets a page has at most.
const PAGE_COUNT_MAX: u64 = 20;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Request {
    catalog: String,
    #[serde(default)]
    filter_list: Vec<Filter>,
    sort: Option<Sort>,
    max_results: Option<u64>,
    next_token: Option<String>,
}

/// Lists change sets, the newest first unless it is said.
pub(crate) fn list_change_sets(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    let request: Request = read(body)?;
    check_catalog(&request.catalog)?;
    settle(call)?;
    for filter in &request.filter_list {
        if !matches!(filter.name.as_str(), "ChangeSetName" | "EntityId" | "Status") {
            return Err(invalid(format!("The filter '{}' is not supported", filter.name)));
        }
    }
    let (by, order) = request.sort.map_or((None, None), |sort| (sort.sort_by, sort.sort_order));
    if by.as_deref().is_some_and(|by| by != "StartTime") {
        return Err(invalid("Change sets are sorted by StartTime"));
    }
    let is_ascending = order.as_deref() == Some("ASCENDING");
    let pager = pager(call, request.next_token.as_deref(), request.max_results, PAGE_COUNT_MAX)?;
    let tables = call.tables();
    let is_asked = |set: &&Arc<ChangeSet>| {
        set.account == call.account() && request.filter_list.iter().all(|filter| fits(call, set, filter))
    };
    let key = |set: &&Arc<ChangeSet>| {
        let second = set.started.as_second();
        format!("{:020} {}", if is_ascending { second } else { i64::MAX - second }, set.id)
    };
    let page = pager.page_by(tables.change_sets.values().filter(is_asked), key);
    let entries = page.entries.iter().map(|set| {
        let ids: Vec<&String> = set.changes.iter().filter_map(|change| change.entity_id.as_ref()).collect();
        let mut entry = json!({
            "ChangeSetId": set.id,
            "ChangeSetArn": set.arn(),
            "StartTime": time(set.started),
            "Status": set.status(call.now),
            "EntityIdList": ids,
        });
        if let Some(name) = &set.name {
            entry["ChangeSetName"] = name.as_str().into();
        }
        if set.outcome.is_some() {
            entry["EndTime"] = time(set.ends.min(call.now)).into();
        }
        if set.outcome == Some(ChangeOutcome::Failed) {
            entry["FailureCode"] = "CLIENT_ERROR".into();
        }
        entry
    });
    let answer = json!({ "ChangeSetSummaryList": entries.collect::<Vec<_>>() });
    Ok(with_token(answer, page.next_token))
}

fn fits(call: &Call<'_>, set: &ChangeSet, filter: &Filter) -> bool {
    let has = |value: &str| filter.value_list.iter().any(|wanted| wanted == value);
    match filter.name.as_str() {
        "ChangeSetName" => set.name.as_deref().is_some_and(has),
        "Status" => has(set.status(call.now)),
        _ => set.changes.iter().filter_map(|change| change.entity_id.as_deref()).any(has),
    }
}
