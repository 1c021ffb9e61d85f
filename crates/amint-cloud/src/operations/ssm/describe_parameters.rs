use serde::Deserialize;
use serde_json::{Value, json};

use super::get_parameters_by_path::is_below;
use super::{Filter, page, pager, seconds};
use crate::operations::Call;
use crate::operations::json::read;
use crate::protocol::Fault;
use crate::records::Parameter;

/// How many parameters a page has at most.
const PAGE_COUNT_MAX: u64 = 50;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Request {
    /// The older form of filters: values are beginnings of names, or wholes of the rest.
    #[serde(default)]
    filters: Vec<Filter>,
    #[serde(default)]
    parameter_filters: Vec<Filter>,
    max_results: Option<u64>,
    next_token: Option<String>,
}

/// Lists parameters without their values.
pub(crate) fn describe_parameters(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    let mut request: Request = read(body)?;
    for mut filter in request.filters.drain(..) {
        if filter.key == "Name" {
            filter.option = Some("BeginsWith".to_owned());
        }
        request.parameter_filters.push(filter);
    }
    for filter in &request.parameter_filters {
        check(filter)?;
    }
    let pager = pager(call, request.next_token.as_deref(), request.max_results, PAGE_COUNT_MAX)?;
    let tables = call.tables();
    let is_asked = |parameter: &Parameter| {
        call.owns(&parameter.account, &parameter.region)
            && request.parameter_filters.iter().all(|filter| is_match(filter, parameter))
    };
    let found = tables.parameters.values().filter(|parameter| is_asked(parameter));
    let told = pager.page_by(found, |parameter| parameter.name.clone());
    let entries: Vec<Value> = told.entries.iter().map(|parameter| describe(parameter)).collect();
    Ok(page("Parameters", &entries, told.next_token))
}

fn check(filter: &Filter) -> Result<(), Fault> {
    let options: &[&str] = match filter.key.as_str() {
        "Name" => &["Equals", "BeginsWith", "Contains"],
        "Path" => &["Recursive", "OneLevel"],
        "DataType" | "Tier" | "Type" => &["Equals"],
        key if key.starts_with("tag:") => &["Equals"],
        key => {
            let message = format!("The filter '{key}' is not supported");
            return Err(Fault::client("InvalidFilterKey", message));
        }
    };
    if filter.option.as_deref().is_some_and(|option| !options.contains(&option)) {
        let message = format!("The option of the filter '{}' is not valid", filter.key);
        return Err(Fault::client("InvalidFilterOption", message));
    }
    if filter.values.is_empty() && !filter.key.starts_with("tag:") {
        return Err(Fault::client(
            "InvalidFilterValue",
            format!("The filter '{}' has no values", filter.key),
        ));
    }
    Ok(())
}

fn is_match(filter: &Filter, parameter: &Parameter) -> bool {
    let has = |value: &str| filter.values.iter().any(|wanted| wanted == value);
    let option = filter.option.as_deref();
    match filter.key.as_str() {
        "Name" => filter.values.iter().any(|wanted| match option {
            Some("BeginsWith") => parameter.name.starts_with(wanted),
            Some("Contains") => parameter.name.contains(wanted),
            _ => parameter.name == *wanted,
        }),
        "Path" => {
            filter.values.iter().any(|path| is_below(&parameter.name, path, option == Some("Recursive")))
        }
        "DataType" => has(&parameter.data_type),
        "Tier" => has(&parameter.tier),
        "Type" => has(&parameter.kind),
        key => {
            let value = key.strip_prefix("tag:").and_then(|key| parameter.tags.get(key));
            value.is_some_and(|value| filter.values.is_empty() || has(value))
        }
    }
}

fn describe(parameter: &Parameter) -> Value {
    let mut told = json!({
        "Name": parameter.name,
        "ARN": parameter.arn(),
        "Type": parameter.kind,
        "Tier": parameter.tier,
        "Policies": [],
        "DataType": parameter.data_type,
    });
    if let Some(newest) = parameter.newest() {
        told["Version"] = newest.number.into();
        told["LastModifiedDate"] = seconds(newest.modified);
        told["LastModifiedUser"] = newest.user.as_str().into();
        if let Some(description) = &newest.description {
            told["Description"] = description.as_str().into();
        }
    }
    told
}
