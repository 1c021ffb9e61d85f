use serde::Deserialize;
use serde_json::{Value, json};

use super::{find, quota};
use crate::operations::Call;
use crate::operations::json::read;
use crate::protocol::Fault;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Request {
    service_code: String,
    quota_code: String,
}

/// Tells a quota as it is for the account.
pub(crate) fn get_service_quota(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    get(call, body, true)
}

/// Tells a quota as AWS has it for new accounts.
pub(crate) fn get_aws_default_service_quota(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    get(call, body, false)
}

fn get(call: &Call<'_>, body: &[u8], is_applied: bool) -> Result<Value, Fault> {
    let request: Request = read(body)?;
    let default = find(&request.service_code, &request.quota_code)?;
    Ok(json!({ "Quota": quota(call, default, is_applied) }))
}
