use serde::Deserialize;
use serde_json::Value;

use super::assessment::Assessment;
use super::settle::settle;
use super::{check_catalog, own, pager, read, with_token};
use crate::operations::Call;
use crate::protocol::Fault;

/// How many controls a page has at most.
const PAGE_COUNT_MAX: u64 = 100;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Request {
    catalog: String,
    assessment_identifier: String,
    max_results: Option<u64>,
    next_token: Option<String>,
}

/// Tells an assessment with its controls.
pub(crate) fn describe_assessment(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    let request: Request = read(body)?;
    check_catalog(&request.catalog)?;
    settle(call)?;
    let pager = pager(call, request.next_token.as_deref(), request.max_results, PAGE_COUNT_MAX)?;
    let identifier = request.assessment_identifier.as_str();
    let unknown = || super::not_found(&format!("assessment '{identifier}'"));
    let tables = call.tables();
    let set = Assessment::change_set_id(identifier).and_then(|id| own(call, &tables, id).ok());
    let assessment = set.and_then(|set| Assessment::of(set)).ok_or_else(unknown)?;
    let page = pager.page_by(assessment.controls(), |control| {
        control["ControlId"].as_str().unwrap_or_default().to_owned()
    });
    let mut answer = assessment.summary(call.now);
    answer["ControlAssessments"] = page.entries.into();
    Ok(with_token(answer, page.next_token))
}
