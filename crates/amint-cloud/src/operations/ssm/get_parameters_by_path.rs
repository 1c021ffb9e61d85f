use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::{Filter, describe, invalid, page, pager, public};
use crate::operations::Call;
use crate::operations::json::read;
use crate::protocol::Fault;
use crate::records::{Parameter, ParameterVersion};

/// How many parameters a page has at most.
const PAGE_COUNT_MAX: u64 = 10;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Request {
    path: String,
    #[serde(default)]
    recursive: bool,
    #[serde(default)]
    parameter_filters: Vec<Filter>,
    #[serde(rename = "WithDecryption")]
    _with_decryption: Option<bool>,
    max_results: Option<u64>,
    next_token: Option<String>,
}

/// Tells the parameters below a path.
pub(crate) fn get_parameters_by_path(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    let request: Request = read(body)?;
    if !request.path.starts_with('/') {
        return Err(invalid("The parameter path must begin with a slash"));
    }
    for filter in &request.parameter_filters {
        if !matches!(filter.key.as_str(), "Type" | "Label") {
            let message = format!("The filter '{}' is not supported by GetParametersByPath", filter.key);
            return Err(Fault::client("InvalidFilterKey", message));
        }
    }
    let pager = pager(call, request.next_token.as_deref(), request.max_results, PAGE_COUNT_MAX)?;
    let tables = call.tables();
    let own = tables.parameters.values().filter(|one| call.owns(&one.account, &one.region)).cloned();
    let all: Vec<Arc<Parameter>> = if request.path.starts_with("/aws/") {
        public::all(call, &tables).into_iter().map(Arc::new).collect()
    } else {
        own.collect()
    };
    let found = all.iter().filter(|one| is_below(&one.name, &request.path, request.recursive));
    let found = found.filter_map(|one| Some((one, wanted(one, &request.parameter_filters)?)));
    let told = pager.page_by(found, |(one, _)| one.name.clone());
    let entries: Vec<Value> =
        told.entries.iter().map(|(one, version)| describe(one, version, None)).collect();
    Ok(page("Parameters", &entries, told.next_token))
}

/// Tells whether a name is below a path: right below it, or anywhere.
pub(super) fn is_below(name: &str, path: &str, is_anywhere: bool) -> bool {
    let prefix = format!("{}/", path.trim_end_matches('/'));
    name.strip_prefix(&prefix).is_some_and(|rest| is_anywhere || !rest.contains('/'))
}

/// Returns the version that filters ask for.
fn wanted<'p>(parameter: &'p Parameter, filters: &[Filter]) -> Option<&'p ParameterVersion> {
    let mut version = parameter.newest();
    for filter in filters {
        if filter.key == "Label" {
            let has = |one: &&ParameterVersion| filter.values.iter().any(|label| one.labels.contains(label));
            version = parameter.versions.iter().rev().find(has);
        } else if !filter.values.contains(&parameter.kind) {
            return None;
        }
    }
    version
}
