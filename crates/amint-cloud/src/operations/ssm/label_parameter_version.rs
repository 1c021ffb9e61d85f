use serde::Deserialize;
use serde_json::{Value, json};

use super::{invalid, own};
use crate::operations::Call;
use crate::operations::json::read;
use crate::protocol::Fault;

/// How many labels a version has.
const COUNT_MAX: usize = 10;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Request {
    name: String,
    parameter_version: Option<u64>,
    labels: Vec<String>,
}

/// Gives labels to a version of a parameter; a label that another version has moves.
pub(crate) fn label_parameter_version(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    let request: Request = read(body)?;
    check_count(&request)?;
    let (wrong, right): (Vec<String>, Vec<String>) =
        request.labels.iter().cloned().partition(|label| !is_label(label));
    let number = call.world.state.change(|change| {
        let mut parameter = own(call, change, &request.name)?;
        let newest = parameter.newest().map_or(0, |newest| newest.number);
        let number = request.parameter_version.unwrap_or(newest);
        for version in &mut parameter.versions {
            version.labels.retain(|label| !right.contains(label));
        }
        let version = parameter.versions.iter_mut().find(|version| version.number == number);
        let version = version.ok_or_else(|| no_version(number))?;
        version.labels.extend(right);
        if version.labels.len() > COUNT_MAX {
            let message = "A parameter version can have maximum 10 labels.";
            return Err(Fault::client("ParameterVersionLabelLimitExceeded", message));
        }
        change.put(parameter);
        Ok(number)
    })?;
    Ok(json!({ "InvalidLabels": wrong, "ParameterVersion": number }))
}

/// Takes labels from a version of a parameter.
pub(crate) fn unlabel_parameter_version(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    let request: Request = read(body)?;
    check_count(&request)?;
    let number = request.parameter_version.ok_or_else(|| invalid("ParameterVersion is missing"))?;
    let (removed, unknown) = call.world.state.change(|change| {
        let mut parameter = own(call, change, &request.name)?;
        let version = parameter.versions.iter_mut().find(|version| version.number == number);
        let version = version.ok_or_else(|| no_version(number))?;
        let result: (Vec<String>, Vec<String>) =
            request.labels.iter().cloned().partition(|label| version.labels.remove(label));
        change.put(parameter);
        Ok::<_, Fault>(result)
    })?;
    Ok(json!({ "RemovedLabels": removed, "InvalidLabels": unknown }))
}

fn check_count(request: &Request) -> Result<(), Fault> {
    if (1..=COUNT_MAX).contains(&request.labels.len()) {
        return Ok(());
    }
    Err(invalid("Labels has to have between 1 and 10 entries"))
}

fn no_version(number: u64) -> Fault {
    let message = format!("Systems Manager could not find version {number}.");
    Fault::client("ParameterVersionNotFound", message)
}

/// Tells whether a text can be a label: no number, and no name of AWS's.
fn is_label(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || "_.-".contains(letter);
    (1..=100).contains(&text.len())
        && text.chars().all(is_allowed)
        && !text.starts_with(|letter: char| letter.is_ascii_digit())
        && !lower.starts_with("aws")
        && !lower.starts_with("ssm")
}
