use serde::Deserialize;
use serde_json::{Value, json};

use super::assessment::{Assessment, FRAMEWORK};
use super::settle::settle;
use super::{check_catalog, invalid, pager, read, with_token};
use crate::operations::Call;
use crate::protocol::Fault;

/// How many assessments a page has at most.
const PAGE_COUNT_MAX: u64 = 100;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Request {
    catalog: String,
    framework_id: Option<String>,
    assessment_target_filter: Option<Target>,
    framework_filters: Option<Value>,
    max_results: Option<u64>,
    next_token: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Target {
    entity_id: Option<String>,
    change_set_id: Option<String>,
}

/// Lists what looks at images came to, without their controls.
pub(crate) fn list_assessments(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    let request: Request = read(body)?;
    check_catalog(&request.catalog)?;
    settle(call)?;
    if request.framework_filters.is_some() {
        return Err(invalid("FrameworkFilters are not supported here"));
    }
    let framework = request.framework_id.as_deref();
    // With its version or without.
    let is_kept = framework.is_none_or(|id| id == FRAMEWORK || FRAMEWORK.split('@').next() == Some(id));
    let target = request.assessment_target_filter.unwrap_or_default();
    let pager = pager(call, request.next_token.as_deref(), request.max_results, PAGE_COUNT_MAX)?;
    let tables = call.tables();
    let own = tables.change_sets.values().filter(|set| is_kept && set.account == call.account());
    let asked = own
        .filter_map(|set| Assessment::of(set))
        .filter(|assessment| assessment.is_of(target.entity_id.as_deref(), target.change_set_id.as_deref()));
    let page = pager.page_by(asked, Assessment::id);
    let entries: Vec<Value> = page.entries.iter().map(|one| one.summary(call.now)).collect();
    Ok(with_token(json!({ "AssessmentSummaryList": entries }), page.next_token))
}
