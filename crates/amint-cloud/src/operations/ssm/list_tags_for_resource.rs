use serde::Deserialize;
use serde_json::{Value, json};

use super::add_tags_to_resource::{check_type, no_resource};
use super::find;
use crate::operations::Call;
use crate::operations::json::read;
use crate::protocol::Fault;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Request {
    resource_type: String,
    resource_id: String,
}

/// Lists the tags of a parameter.
pub(crate) fn list_tags_for_resource(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    let request: Request = read(body)?;
    check_type(&request.resource_type)?;
    let parameter = find(call, &call.tables(), &request.resource_id);
    let parameter = parameter.ok_or_else(|| no_resource(&request.resource_id))?;
    let tags = parameter.tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value }));
    Ok(json!({ "TagList": tags.collect::<Vec<_>>() }))
}
