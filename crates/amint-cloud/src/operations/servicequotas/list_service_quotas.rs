use serde::Deserialize;
use serde_json::{Value, json};

use super::{DEFAULTS, quota};
use crate::operations::Call;
use crate::operations::json::read;
use crate::operations::page::Pager;
use crate::protocol::Fault;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Request {
    service_code: String,
    max_results: Option<u64>,
    next_token: Option<String>,
}

/// How many entries a page has at most (`ListServiceQuotas`, `MaxResults`).
const PAGE_MAX: u64 = 100;

/// Lists the quotas of a service.
pub(crate) fn list_service_quotas(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    let request: Request = read(body)?;
    let of_service = || DEFAULTS.iter().filter(|default| default.service == request.service_code);
    if of_service().next().is_none() {
        let message = "The request failed because the specified service does not exist.";
        return Err(Fault::client("NoSuchResourceException", message));
    }
    let count = request.max_results;
    if count.is_some_and(|count| !(1..=PAGE_MAX).contains(&count)) {
        let message = "Invalid input: MaxResults has to be between 1 and 100";
        return Err(Fault::client("IllegalArgumentException", message));
    }
    let pager = Pager::at(call, request.next_token.as_deref(), count).map_err(|_| {
        Fault::client("InvalidPaginationTokenException", "The provided NextToken is not valid.")
    })?;
    let page = pager.page_by(of_service(), |default| default.code.to_owned());
    let quotas: Vec<Value> = page.entries.iter().map(|default| quota(call, default, true)).collect();
    let mut answer = json!({ "Quotas": quotas });
    if let Some(next) = page.next_token {
        answer["NextToken"] = next.into();
    }
    Ok(answer)
}
