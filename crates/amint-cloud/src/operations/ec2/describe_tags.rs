use super::filters;
use crate::operations::Call;
use crate::operations::page::{Pager, USUAL};
use crate::protocol::{Element, Fault, Params};
use crate::records::{Tables, Tags};

/// The filters that there are besides `tag:KEY` (API reference, `DescribeTags`).
const FILTERS: [&str; 4] = ["key", "resource-id", "resource-type", "value"];

/// A tag of a resource.
struct One<'t> {
    id: &'t str,
    kind: &'static str,
    key: &'t str,
    value: &'t str,
}

/// Lists the tags of all resources of an account, by resource and key.
pub(crate) fn describe_tags(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let filters = filters(params, &FILTERS)?;
    let pager = Pager::new(call, params, USUAL)?;
    let tables = call.tables();
    let is_wanted = |one: &One<'_>| {
        filters.iter().all(|filter| match filter.name.as_str() {
            "key" | "tag-key" => filter.is_match(one.key),
            "resource-id" => filter.is_match(one.id),
            "resource-type" => filter.is_match(one.kind),
            "value" => filter.is_match(one.value),
            // `tag:KEY`: that key, with one of those values.
            name => name.strip_prefix("tag:") == Some(one.key) && filter.is_match(one.value),
        })
    };
    let found = all(call, &tables).into_iter().filter(is_wanted);
    let page = pager.page_by(found, |one| format!("{} {}", one.id, one.key));
    let entries = page.entries.iter().map(|one| {
        Element::default()
            .text("resourceId", one.id)
            .text("resourceType", one.kind)
            .text("key", one.key)
            .text("value", one.value)
    });
    Ok(Element::default().with(Element::list("tagSet", entries)).maybe("nextToken", page.next_token))
}

fn all<'t>(call: &Call<'_>, tables: &'t Tables) -> Vec<One<'t>> {
    let mut found = Vec::new();
    let mut add = |id: &'t str, kind: &'static str, tags: &'t Tags| {
        found.extend(tags.iter().map(|(key, value)| One { id, kind, key, value }));
    };
    // Every record with tags has an account and a region.
    macro_rules! add_all {
        ($($table:ident $kind:literal;)*) => {
            $(for one in tables.$table.values().filter(|one| call.owns(&one.account, &one.region)) {
                add(&one.id, $kind, &one.tags);
            })*
        };
    }
    add_all! {
        images "image";
        instances "instance";
        key_pairs "key-pair";
        launch_templates "launch-template";
        security_groups "security-group";
        snapshots "snapshot";
        usage_reports "image-usage-report";
        volumes "volume";
    }
    for instance in tables.instances.values().filter(|one| call.owns(&one.account, &one.region)) {
        if let Some(spot) = &instance.spot {
            add(&spot.id, super::spot::KIND, &spot.tags);
        }
    }
    found
}
