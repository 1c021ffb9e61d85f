use serde::Deserialize;
use serde_json::{Value, json};

use super::{Tag, own};
use crate::operations::Call;
use crate::operations::json::read;
use crate::protocol::Fault;
use crate::records::Tags;

const COUNT_MAX: usize = 50;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Add {
    resource_type: String,
    resource_id: String,
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Remove {
    resource_type: String,
    resource_id: String,
    tag_keys: Vec<String>,
}

/// Adds tags to a parameter.
pub(crate) fn add_tags_to_resource(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    let request: Add = read(body)?;
    let tags = request.tags.into_iter().map(|tag| (tag.key, tag.value));
    edit(call, &request.resource_type, &request.resource_id, |known| known.extend(tags))
}

/// Removes tags from a parameter.
pub(crate) fn remove_tags_from_resource(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    let request: Remove = read(body)?;
    edit(call, &request.resource_type, &request.resource_id, |known| {
        known.retain(|key, _| !request.tag_keys.contains(key));
    })
}

/// Refuses other resources than parameters.
pub(super) fn check_type(kind: &str) -> Result<(), Fault> {
    if kind == "Parameter" {
        return Ok(());
    }
    let message = format!("Resources of the type {kind} are not kept here");
    Err(Fault::client("InvalidResourceType", message))
}

pub(super) fn no_resource(id: &str) -> Fault {
    Fault::client("InvalidResourceId", format!("The resource ID {id} is not valid."))
}

fn edit(call: &Call<'_>, kind: &str, id: &str, edit: impl FnOnce(&mut Tags)) -> Result<Value, Fault> {
    check_type(kind)?;
    call.world.state.change(|change| {
        let mut parameter = own(call, change, id).map_err(|_| no_resource(id))?;
        edit(&mut parameter.tags);
        if parameter.tags.len() > COUNT_MAX {
            return Err(Fault::client("TooManyTagsError", "A parameter has at most 50 tags"));
        }
        change.put(parameter);
        Ok(())
    })?;
    Ok(json!({}))
}
