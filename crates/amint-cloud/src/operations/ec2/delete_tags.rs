use super::tags;
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};

/// Removes tags from resources: those of the keys, and of the values where a request names some; all without keys.
pub(crate) fn delete_tags(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let mut removed: Vec<(String, Option<String>)> = Vec::new();
    for index in params.indexes("Tag") {
        let key = params.required(&format!("Tag.{index}.Key"))?.to_owned();
        removed.push((key, params.get(&format!("Tag.{index}.Value")).map(str::to_owned)));
    }
    let is_named = |key: &str, value: &str| {
        let fits = |wanted: &Option<String>| wanted.as_deref().is_none_or(|wanted| wanted == value);
        removed.iter().any(|(name, wanted)| name == key && fits(wanted))
    };
    tags::edit_all(call, params, |known| {
        known.retain(|key, value| !removed.is_empty() && !is_named(key, value));
    })
}
