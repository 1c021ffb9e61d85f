use serde::Deserialize;
use serde_json::{Value, json};

use super::{check_state, find, invalid, listed, own, page, random};
use crate::operations::Call;
use crate::operations::json::read;
use crate::protocol::Fault;
use crate::records::KmsGrant;

/// How many grants a key has.
const COUNT_MAX: usize = 1000;
/// What a grant can allow with keys of this kind.
const OPERATIONS: [&str; 10] = [
    "CreateGrant",
    "Decrypt",
    "DescribeKey",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncryptFrom",
    "ReEncryptTo",
    "RetireGrant",
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Create {
    key_id: String,
    grantee_principal: String,
    retiring_principal: Option<String>,
    operations: Vec<String>,
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct One {
    key_id: String,
    grant_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct List {
    key_id: String,
    grant_id: Option<String>,
    grantee_principal: Option<String>,
    limit: Option<u64>,
    marker: Option<String>,
}

/// Writes down that somebody may use a key. With the same name the same grant is told again.
pub(crate) fn create_grant(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    let request: Create = read(body)?;
    if request.operations.is_empty() {
        return Err(invalid("Operations is empty"));
    }
    if let Some(wrong) = request.operations.iter().find(|name| !OPERATIONS.contains(&name.as_str())) {
        return Err(invalid(format!("'{wrong}' is nothing that a grant allows with such a key")));
    }
    let id = hex::encode(random::<32>()?);
    let id = call.world.state.change(|change| {
        let mut key = own(call, change, &request.key_id)?;
        check_state(&key)?;
        if !key.is_enabled {
            return Err(Fault::client("DisabledException", format!("{} is disabled.", key.arn())));
        }
        let is_same = |grant: &&KmsGrant| {
            request.name.is_some()
                && grant.name == request.name
                && grant.grantee == request.grantee_principal
                && grant.operations == request.operations
        };
        if let Some(known) = key.grants.iter().find(is_same) {
            return Ok(known.id.clone());
        }
        if key.grants.len() >= COUNT_MAX {
            return Err(Fault::client("LimitExceededException", "The key has too many grants"));
        }
        key.grants.push(KmsGrant {
            id: id.clone(),
            name: request.name,
            grantee: request.grantee_principal,
            retiring: request.retiring_principal,
            operations: request.operations,
            created: call.now,
        });
        change.put(key);
        Ok(id)
    })?;
    Ok(json!({ "GrantId": id, "GrantToken": format!("amint-{id}") }))
}

/// Lists the grants of a key.
pub(crate) fn list_grants(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    let request: List = read(body)?;
    let key = find(call, &call.tables(), &request.key_id)?;
    let is_asked = |grant: &&KmsGrant| {
        request.grant_id.as_ref().is_none_or(|id| *id == grant.id)
            && request.grantee_principal.as_ref().is_none_or(|grantee| *grantee == grant.grantee)
    };
    let asked = key.grants.iter().filter(is_asked);
    let page = page(call, (request.marker.as_deref(), request.limit), asked, |grant| grant.id.clone())?;
    let entries = page.entries.iter().map(|grant| {
        let mut entry = json!({
            "KeyId": key.arn(),
            "GrantId": grant.id,
            "CreationDate": grant.created.as_second(),
            "GranteePrincipal": grant.grantee,
            "IssuingAccount": format!("arn:aws:iam::{}:root", key.account),
            "Operations": grant.operations,
        });
        if let Some(name) = &grant.name {
            entry["Name"] = name.as_str().into();
        }
        if let Some(retiring) = &grant.retiring {
            entry["RetiringPrincipal"] = retiring.as_str().into();
        }
        entry
    });
    Ok(listed("Grants", &entries.collect::<Vec<_>>(), page.next_token))
}

/// Takes a grant back.
pub(crate) fn revoke_grant(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    remove(call, body)
}

/// Gives a grant back.
pub(crate) fn retire_grant(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    remove(call, body)
}

fn remove(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    let request: One = read(body)?;
    call.world.state.change(|change| {
        let mut key = own(call, change, &request.key_id)?;
        let count = key.grants.len();
        key.grants.retain(|grant| grant.id != request.grant_id);
        if key.grants.len() == count {
            let message = format!("Grant ID {} is not found.", request.grant_id);
            return Err(Fault::client("NotFoundException", message));
        }
        change.put(key);
        Ok(())
    })?;
    Ok(json!({}))
}
