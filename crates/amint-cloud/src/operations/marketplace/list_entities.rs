use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::settle::settle;
use super::{Filter, check_catalog, invalid, pager, read, time, with_token};
use crate::operations::Call;
use crate::protocol::Fault;
use crate::records::Product;

/// How many entities a page has at most.
const PAGE_COUNT_MAX: u64 = 50;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Request {
    catalog: String,
    entity_type: String,
    #[serde(default)]
    filter_list: Vec<Filter>,
    max_results: Option<u64>,
    next_token: Option<String>,
    ownership_type: Option<String>,
}

/// Lists products of whoever asks.
pub(crate) fn list_entities(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    let request: Request = read(body)?;
    check_catalog(&request.catalog)?;
    settle(call)?;
    for filter in &request.filter_list {
        if !matches!(filter.name.as_str(), "EntityId" | "ProductTitle" | "Visibility") {
            return Err(invalid(format!("The filter '{}' is not supported", filter.name)));
        }
    }
    let kind = request.entity_type.split('@').next().unwrap_or_default();
    // There are no entities of other kinds, and nobody shares one.
    let is_kept = kind == "AmiProduct" && request.ownership_type.as_deref() != Some("SHARED");
    let pager = pager(call, request.next_token.as_deref(), request.max_results, PAGE_COUNT_MAX)?;
    let tables = call.tables();
    let is_asked = |product: &&Arc<Product>| {
        is_kept
            && product.account == call.account()
            && request.filter_list.iter().all(|filter| fits(product, filter))
    };
    let page = pager.page_by(tables.products.values().filter(is_asked), |product| product.id.clone());
    let entries = page.entries.iter().map(|product| {
        json!({
            "Name": product.title(),
            "EntityType": "AmiProduct",
            "EntityId": product.id,
            "EntityArn": product.arn(),
            "LastModifiedDate": time(product.modified),
            "Visibility": product.visibility,
            "AmiProductSummary": { "ProductTitle": product.title(), "Visibility": product.visibility },
        })
    });
    Ok(with_token(json!({ "EntitySummaryList": entries.collect::<Vec<_>>() }), page.next_token))
}

fn fits(product: &Product, filter: &Filter) -> bool {
    let value = match filter.name.as_str() {
        "EntityId" => &product.id,
        "ProductTitle" => product.title(),
        _ => &product.visibility,
    };
    filter.value_list.iter().any(|wanted| wanted == value)
}
