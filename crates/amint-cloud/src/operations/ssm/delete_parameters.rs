use serde::Deserialize;
use serde_json::{Value, json};

use super::{invalid, not_found};
use crate::operations::Call;
use crate::operations::json::read;
use crate::protocol::Fault;
use crate::records::Parameter;

/// How many parameters one request names.
const COUNT_MAX: usize = 10;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct One {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Many {
    names: Vec<String>,
}

/// Removes a parameter.
pub(crate) fn delete_parameter(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    let request: One = read(body)?;
    let removed = remove(call, std::slice::from_ref(&request.name))?;
    if removed.is_empty() { Err(not_found(&request.name)) } else { Ok(json!({})) }
}

/// Removes several parameters, and tells which of them there were not.
pub(crate) fn delete_parameters(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    let request: Many = read(body)?;
    if request.names.is_empty() || request.names.len() > COUNT_MAX {
        return Err(invalid("Names has to have between 1 and 10 entries"));
    }
    let removed = remove(call, &request.names)?;
    let unknown: Vec<&String> = request.names.iter().filter(|name| !removed.contains(name)).collect();
    Ok(json!({ "DeletedParameters": removed, "InvalidParameters": unknown }))
}

fn remove(call: &Call<'_>, names: &[String]) -> Result<Vec<String>, Fault> {
    call.world.state.change(|change| {
        let mut removed = Vec::new();
        for name in names {
            let key = Parameter::key(call.account(), call.region, name);
            if change.remove::<Parameter>(&key).is_some() {
                removed.push(name.clone());
            }
        }
        Ok(removed)
    })
}
