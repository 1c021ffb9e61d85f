use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{DATA_TYPE_IMAGE, NO_SECRETS, Tag, check_name, invalid};
use crate::operations::Call;
use crate::operations::json::read;
use crate::protocol::Fault;
use crate::records::{Parameter, ParameterVersion, Tables, Tags};

/// How long values are, by tier.
const STANDARD_BYTES_MAX: usize = 4096;
const ADVANCED_BYTES_MAX: usize = 8192;
/// How many versions are kept.
const VERSIONS_MAX: usize = 100;
/// How many parameters an account has in a region.
const COUNT_MAX: usize = 10_000;
const TAGS_MAX: usize = 50;
const DESCRIPTION_MAX: usize = 1024;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Request {
    name: String,
    description: Option<String>,
    value: String,
    #[serde(rename = "Type")]
    kind: Option<String>,
    #[serde(default)]
    overwrite: bool,
    #[serde(default)]
    tags: Vec<Tag>,
    tier: Option<String>,
    data_type: Option<String>,
}

/// Makes a parameter, or a new version of one.
pub(crate) fn put_parameter(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    let request: Request = read(body)?;
    check(&request)?;
    let tags: Tags = request.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect();
    let (number, tier) = call.world.state.change(|change| {
        let key = Parameter::key(call.account(), call.region, &request.name);
        let known = change.get::<Parameter>(&key).map(|known| Parameter::clone(&known));
        if known.is_some() && !request.overwrite {
            let message = "The parameter already exists. To overwrite this value, set the overwrite option in the \
                           request to true.";
            return Err(Fault::client("ParameterAlreadyExists", message));
        }
        let known = match known {
            None => new(call, change.tables(), &request, &tags),
            Some(known) => Ok(known),
        };
        let mut parameter = known?;
        if let Some(kind) = &request.kind {
            parameter.kind.clone_from(kind);
        }
        parameter.data_type = request.data_type.clone().unwrap_or_else(|| "text".to_owned());
        set_tier(&mut parameter, &request)?;
        if parameter.data_type == DATA_TYPE_IMAGE {
            check_image(call, change.tables(), &parameter.kind, &request.value)?;
        }
        let number = parameter.newest().map_or(1, |newest| newest.number + 1);
        make_room(&mut parameter)?;
        parameter.versions.push(ParameterVersion {
            number,
            value: request.value.clone(),
            description: request.description.clone(),
            modified: call.now,
            user: call.caller.arn.clone(),
            labels: BTreeSet::new(),
        });
        let tier = parameter.tier.clone();
        change.put(parameter);
        Ok((number, tier))
    })?;
    Ok(json!({ "Version": number, "Tier": tier }))
}

/// Makes a parameter without versions.
fn new(call: &Call<'_>, tables: &Tables, request: &Request, tags: &Tags) -> Result<Parameter, Fault> {
    let own = |one: &&Arc<Parameter>| call.owns(&one.account, &one.region);
    if tables.parameters.values().filter(own).count() >= COUNT_MAX {
        let message = format!("There are {COUNT_MAX} parameters already");
        return Err(Fault::client("ParameterLimitExceeded", message));
    }
    let kind = request.kind.clone();
    Ok(Parameter {
        key: Parameter::key(call.account(), call.region, &request.name),
        account: call.account().to_owned(),
        region: call.region.to_owned(),
        name: request.name.clone(),
        kind: kind.ok_or_else(|| invalid("A parameter type is required when you create a parameter."))?,
        data_type: "text".to_owned(),
        tier: "Standard".to_owned(),
        versions: Vec::new(),
        tags: tags.clone(),
    })
}

fn check(request: &Request) -> Result<(), Fault> {
    check_name(&request.name)?;
    match request.kind.as_deref() {
        None | Some("String" | "StringList") => {}
        Some("SecureString") => return Err(Fault::client("UnsupportedParameterType", NO_SECRETS)),
        Some(other) => return Err(invalid(format!("'{other}' is no type of parameters"))),
    }
    match request.data_type.as_deref() {
        None | Some("text" | DATA_TYPE_IMAGE) => {}
        Some(other) => return Err(invalid(format!("The data type '{other}' is not supported here"))),
    }
    if request.overwrite && !request.tags.is_empty() {
        return Err(invalid("Invalid request: tags and overwrite can't be used together."));
    }
    if request.tags.len() > TAGS_MAX || request.tags.iter().any(|tag| tag.key.starts_with("aws:")) {
        return Err(invalid("There are more than 50 tags, or one begins with aws:"));
    }
    if request.description.as_ref().is_some_and(|text| text.len() > DESCRIPTION_MAX) {
        return Err(invalid("Description is longer than 1024 characters"));
    }
    if request.value.is_empty() {
        return Err(invalid("Value is empty"));
    }
    Ok(())
}

/// Finds the tier of a value; a parameter does not go back to the standard one.
fn set_tier(parameter: &mut Parameter, request: &Request) -> Result<(), Fault> {
    let is_long = request.value.len() > STANDARD_BYTES_MAX;
    let is_advanced = match request.tier.as_deref() {
        Some("Advanced") => true,
        Some("Intelligent-Tiering") => is_long,
        None | Some("Standard") => parameter.tier == "Advanced",
        Some(other) => return Err(invalid(format!("'{other}' is no tier"))),
    };
    if request.tier.as_deref() == Some("Standard") && parameter.tier == "Advanced" {
        return Err(invalid("This parameter uses the advanced-parameter tier. You can't downgrade it"));
    }
    let most = if is_advanced { ADVANCED_BYTES_MAX } else { STANDARD_BYTES_MAX };
    if request.value.len() > most {
        return Err(invalid(format!("The value is longer than {most} bytes, which its tier allows")));
    }
    if is_advanced {
        "Advanced".clone_into(&mut parameter.tier);
    }
    Ok(())
}

/// Refuses what is no image of the region that whoever asks can launch.
fn check_image(call: &Call<'_>, tables: &Tables, kind: &str, id: &str) -> Result<(), Fault> {
    let image = tables.images.get(id).filter(|image| image.region == call.region);
    let is_usable = image.is_some_and(|image| image.is_usable_by(call.account()));
    if kind == "String" && is_usable {
        return Ok(());
    }
    Err(invalid(format!("The value '{id}' is no image of {} that this account can use", call.region)))
}

/// Drops the oldest version where there are too many, unless it has a label.
fn make_room(parameter: &mut Parameter) -> Result<(), Fault> {
    if parameter.versions.len() < VERSIONS_MAX {
        return Ok(());
    }
    if parameter.versions[0].labels.is_empty() {
        parameter.versions.remove(0);
        return Ok(());
    }
    let message = "The oldest version can't be deleted because it has a label associated with it. Move the label to \
                   another version of the parameter, and try again.";
    Err(Fault::client("ParameterMaxVersionLimitExceeded", message))
}
