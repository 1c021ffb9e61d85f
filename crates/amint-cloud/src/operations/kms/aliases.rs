use serde::Deserialize;
use serde_json::{Value, json};

use super::{EBS_ALIAS, check_state, ebs_key, find, listed, not_found, own, page};
use crate::operations::Call;
use crate::operations::json::read;
use crate::protocol::Fault;
use crate::records::KmsAlias;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Target {
    alias_name: String,
    target_key_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Name {
    alias_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct List {
    key_id: Option<String>,
    limit: Option<u64>,
    marker: Option<String>,
}

/// Gives a key another name.
pub(crate) fn create_alias(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    point(call, &read(body)?, true)
}

/// Gives the name to another key.
pub(crate) fn update_alias(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    point(call, &read(body)?, false)
}

fn point(call: &Call<'_>, request: &Target, is_new: bool) -> Result<Value, Fault> {
    let name = &request.alias_name;
    check_name(name)?;
    call.world.state.change(|change| {
        let target = own(call, change, &request.target_key_id)?;
        check_state(&target)?;
        let key = KmsAlias::key(call.account(), call.region, name);
        let known = change.get::<KmsAlias>(&key);
        if known.is_some() && is_new {
            let message = format!("An alias with the name {name} already exists");
            return Err(Fault::client("AlreadyExistsException", message));
        }
        if known.is_none() && !is_new {
            return Err(not_found(&format!("Alias {name}")));
        }
        change.put(KmsAlias {
            key,
            account: call.account().to_owned(),
            region: call.region.to_owned(),
            name: name.clone(),
            target: target.id,
            created: known.map_or(call.now, |known| known.created),
        });
        Ok(())
    })?;
    Ok(json!({}))
}

/// Takes a name from a key.
pub(crate) fn delete_alias(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    let request: Name = read(body)?;
    check_name(&request.alias_name)?;
    call.world.state.change(|change| {
        let key = KmsAlias::key(call.account(), call.region, &request.alias_name);
        change.remove::<KmsAlias>(&key).ok_or_else(|| not_found(&format!("Alias {}", request.alias_name)))
    })?;
    Ok(json!({}))
}

/// Lists names of keys: of all, or of one.
pub(crate) fn list_aliases(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    let request: List = read(body)?;
    let tables = call.tables();
    let of_key = request.key_id.as_deref().map(|id| find(call, &tables, id)).transpose()?;
    let of_aws = KmsAlias {
        key: String::new(),
        account: call.account().to_owned(),
        region: call.region.to_owned(),
        name: EBS_ALIAS.to_owned(),
        target: ebs_key(call).id,
        created: jiff::Timestamp::UNIX_EPOCH,
    };
    let own = tables.kms_aliases.values().filter(|one| call.owns(&one.account, &one.region));
    let all = own.map(|alias| KmsAlias::clone(alias)).chain([of_aws]);
    let asked = all.filter(|alias| of_key.as_ref().is_none_or(|key| key.id == alias.target));
    let page = page(call, (request.marker.as_deref(), request.limit), asked, |alias| alias.name.clone())?;
    let entries = page.entries.iter().map(|alias| {
        json!({
            "AliasName": alias.name,
            "AliasArn": alias.arn(),
            "TargetKeyId": alias.target,
            "CreationDate": alias.created.as_second(),
            "LastUpdatedDate": alias.created.as_second(),
        })
    });
    Ok(listed("Aliases", &entries.collect::<Vec<_>>(), page.next_token))
}

fn check_name(name: &str) -> Result<(), Fault> {
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || "/_-".contains(letter);
    let rest = name.strip_prefix("alias/").filter(|rest| !rest.is_empty() && rest.len() <= 250);
    let is_name = rest.is_some_and(|rest| rest.chars().all(is_allowed) && !rest.starts_with("aws/"));
    if is_name {
        return Ok(());
    }
    let message = "Alias must start with the prefix \"alias/\", and not with \"alias/aws/\"";
    Err(Fault::client("InvalidAliasNameException", message))
}
