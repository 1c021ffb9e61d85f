use serde::Deserialize;
use serde_json::{Value, json};

use super::{check_policy, ebs_key, find, invalid, listed, page, random, usual_policy, uuid};
use crate::operations::Call;
use crate::operations::json::read;
use crate::protocol::Fault;
use crate::records::{KmsKey, Tags};

/// How many keys an account has in a region.
const COUNT_MAX: usize = 10_000;
const TAGS_MAX: usize = 50;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Create {
    policy: Option<String>,
    description: Option<String>,
    key_usage: Option<String>,
    #[serde(alias = "CustomerMasterKeySpec")]
    key_spec: Option<String>,
    origin: Option<String>,
    multi_region: Option<bool>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Tag {
    tag_key: String,
    tag_value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Describe {
    key_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct List {
    limit: Option<u64>,
    marker: Option<String>,
}

/// Makes a key.
pub(crate) fn create_key(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    let request: Create = read(body)?;
    let unsupported =
        |what: &str| Fault::client("UnsupportedOperationException", format!("{what} is not supported here"));
    for (value, only, what) in [
        (&request.key_usage, "ENCRYPT_DECRYPT", "This KeyUsage"),
        (&request.key_spec, "SYMMETRIC_DEFAULT", "This KeySpec"),
        (&request.origin, "AWS_KMS", "This Origin"),
    ] {
        if value.as_deref().is_some_and(|value| value != only) {
            return Err(unsupported(what));
        }
    }
    if request.multi_region == Some(true) {
        return Err(unsupported("MultiRegion"));
    }
    if let Some(policy) = &request.policy {
        check_policy(policy)?;
    }
    if request.tags.len() > TAGS_MAX || request.tags.iter().any(|tag| tag.tag_key.starts_with("aws:")) {
        return Err(Fault::client("TagException", "There are more than 50 tags, or one begins with aws:"));
    }
    let description = request.description.unwrap_or_default();
    if description.len() > 8192 {
        return Err(invalid("Description is longer than 8192 characters"));
    }
    let tags: Tags = request.tags.into_iter().map(|tag| (tag.tag_key, tag.tag_value)).collect();
    let key = KmsKey {
        id: uuid(&random::<16>()?),
        account: call.account().to_owned(),
        region: call.region.to_owned(),
        description,
        created: call.now,
        is_enabled: true,
        deletion: None,
        is_of_aws: false,
        policy: request.policy.unwrap_or_else(|| usual_policy(call.account())),
        grants: Vec::new(),
        tags,
    };
    let answer = json!({ "KeyMetadata": describe(&key) });
    call.world.state.change(|change| {
        let own = change.tables().kms_keys.values().filter(|one| call.owns(&one.account, &one.region));
        if own.count() >= COUNT_MAX {
            return Err(Fault::client("LimitExceededException", "There are too many keys already"));
        }
        change.put(key);
        Ok(())
    })?;
    Ok(answer)
}

/// Tells a key.
pub(crate) fn describe_key(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    let request: Describe = read(body)?;
    let key = find(call, &call.tables(), &request.key_id)?;
    Ok(json!({ "KeyMetadata": describe(&key) }))
}

/// Lists the keys of whoever asks.
pub(crate) fn list_keys(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    let request: List = read(body)?;
    let tables = call.tables();
    let own =
        tables.kms_keys.values().filter(|key| call.owns(&key.account, &key.region) && !key.is_gone(call.now));
    let all = own.map(|key| KmsKey::clone(key)).chain([ebs_key(call)]);
    let page = page(call, (request.marker.as_deref(), request.limit), all, |key| key.id.clone())?;
    let entries = page.entries.iter().map(|key| json!({ "KeyId": key.id, "KeyArn": key.arn() }));
    Ok(listed("Keys", &entries.collect::<Vec<_>>(), page.next_token))
}

fn describe(key: &KmsKey) -> Value {
    let mut told = json!({
        "AWSAccountId": key.account,
        "KeyId": key.id,
        "Arn": key.arn(),
        "CreationDate": key.created.as_second(),
        "Enabled": key.state() == "Enabled",
        "Description": key.description,
        "KeyUsage": "ENCRYPT_DECRYPT",
        "KeyState": key.state(),
        "Origin": "AWS_KMS",
        "KeyManager": if key.is_of_aws { "AWS" } else { "CUSTOMER" },
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
        "MultiRegion": false,
    });
    if let Some(deletion) = key.deletion {
        told["DeletionDate"] = deletion.as_second().into();
    }
    told
}
