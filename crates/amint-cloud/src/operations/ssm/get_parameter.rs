use serde::Deserialize;
use serde_json::{Value, json};

use super::{describe, find, invalid, not_found, parse};
use crate::operations::Call;
use crate::operations::json::read;
use crate::protocol::Fault;

/// How many parameters one request names.
const COUNT_MAX: usize = 10;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct One {
    name: String,
    /// Has nothing to decrypt.
    #[serde(rename = "WithDecryption")]
    _with_decryption: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Many {
    names: Vec<String>,
    #[serde(rename = "WithDecryption")]
    _with_decryption: Option<bool>,
}

/// Tells a parameter.
pub(crate) fn get_parameter(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    let request: One = read(body)?;
    Ok(json!({ "Parameter": told(call, &request.name)? }))
}

/// Tells several parameters, and which of them there are not.
pub(crate) fn get_parameters(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    let request: Many = read(body)?;
    if request.names.is_empty() || request.names.len() > COUNT_MAX {
        return Err(invalid("Names has to have between 1 and 10 entries"));
    }
    let (mut found, mut unknown) = (Vec::new(), Vec::new());
    for name in &request.names {
        match told(call, name) {
            Ok(parameter) => found.push(parameter),
            Err(_) => unknown.push(name),
        }
    }
    Ok(json!({ "Parameters": found, "InvalidParameters": unknown }))
}

fn told(call: &Call<'_>, name: &str) -> Result<Value, Fault> {
    let (plain, selector) = parse(name);
    let parameter = find(call, &call.tables(), &plain).ok_or_else(|| not_found(name))?;
    let version = parameter.version(selector).ok_or_else(|| {
        let message =
            format!("Systems Manager could not find version {} of {plain}.", selector.unwrap_or(""));
        Fault::client("ParameterVersionNotFound", message)
    })?;
    Ok(describe(&parameter, version, selector))
}
