use serde::Deserialize;
use serde_json::{Value, json};

use super::{find, not_found, page, pager, seconds};
use crate::operations::Call;
use crate::operations::json::read;
use crate::protocol::Fault;

/// How many versions a page has at most.
const PAGE_COUNT_MAX: u64 = 50;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Request {
    name: String,
    #[serde(rename = "WithDecryption")]
    _with_decryption: Option<bool>,
    max_results: Option<u64>,
    next_token: Option<String>,
}

/// Tells all versions of a parameter.
pub(crate) fn get_parameter_history(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    let request: Request = read(body)?;
    let pager = pager(call, request.next_token.as_deref(), request.max_results, PAGE_COUNT_MAX)?;
    let parameter = find(call, &call.tables(), &request.name).ok_or_else(|| not_found(&request.name))?;
    let told = pager.page_by(&parameter.versions, |version| format!("{:020}", version.number));
    let entries = told.entries.iter().map(|version| {
        let mut entry = json!({
            "Name": parameter.name,
            "Type": parameter.kind,
            "LastModifiedDate": seconds(version.modified),
            "LastModifiedUser": version.user,
            "Value": version.value,
            "Version": version.number,
            "Labels": version.labels,
            "Tier": parameter.tier,
            "Policies": [],
            "DataType": parameter.data_type,
        });
        if let Some(description) = &version.description {
            entry["Description"] = description.as_str().into();
        }
        entry
    });
    Ok(page("Parameters", &entries.collect::<Vec<_>>(), told.next_token))
}
