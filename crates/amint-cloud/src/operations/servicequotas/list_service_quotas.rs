use serde::Deserialize;
use serde_json::{Value, json};

use super::{DEFAULTS, quota};
use crate::operations::Call;
use crate::operations::json::read;
use crate::protocol::Fault;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Request {
    service_code: String,
    #[serde(rename = "MaxResults")]
    _count: Option<u64>,
}

/// Lists the quotas of a service, all on one page.
pub(crate) fn list_service_quotas(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    let request: Request = read(body)?;
    let of_service = DEFAULTS.iter().filter(|default| default.service == request.service_code);
    let all: Vec<Value> = of_service.map(|default| quota(call, default, true)).collect();
    if all.is_empty() {
        let message = "The request failed because the specified service does not exist.";
        return Err(Fault::client("NoSuchResourceException", message));
    }
    Ok(json!({ "Quotas": all }))
}
