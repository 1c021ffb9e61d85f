use super::{find, parse};
use crate::operations::Call;
use crate::protocol::Fault;
use crate::records::Tables;

/// Returns the id of an image where `resolve:ssm:NAME`, with a version or a label, names a parameter with it; any other text
/// stays as it is.
pub(crate) fn resolve(call: &Call<'_>, tables: &Tables, text: &str) -> Result<String, Fault> {
    let Some(name) = text.strip_prefix("resolve:ssm:") else { return Ok(text.to_owned()) };
    let (plain, selector) = parse(name);
    let parameter = find(call, tables, &plain).filter(|parameter| parameter.kind == "String");
    let value = parameter.as_ref().and_then(|parameter| parameter.version(selector));
    let value = value.ok_or_else(|| {
        let message =
            format!("Parameter {name} could not be resolved: there is no such parameter, version or label");
        Fault::client("InvalidParameterValue", message)
    })?;
    Ok(value.value.clone())
}
