//! Key Management Service: keys as names with policies. Nothing is encrypted, so `Encrypt`, `Decrypt` and the like are not
//! there.

mod aliases;
mod grants;
mod key_policies;
mod key_states;
mod keys;

pub(super) use aliases::{create_alias, delete_alias, list_aliases, update_alias};
pub(super) use grants::{create_grant, list_grants, retire_grant, revoke_grant};
pub(super) use key_policies::{get_key_policy, list_key_policies, put_key_policy};
pub(super) use key_states::{cancel_key_deletion, disable_key, enable_key, schedule_key_deletion};
pub(super) use keys::{create_key, describe_key, list_keys};

use std::sync::Arc;

use amint_types::Digest;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::page::{Page, Pager};
use crate::operations::Call;
use crate::protocol::Fault;
use crate::records::{KmsAlias, KmsKey, Tables, Tags};
use crate::state::Change;

/// The alias of the key that AWS keeps for volumes of an account.
const EBS_ALIAS: &str = "alias/aws/ebs";
const POLICY_BYTES_MAX: usize = 32_768;
/// How many entries a page has unless it is said, and at most.
const PAGE_COUNT: u64 = 100;
const PAGE_COUNT_MAX: u64 = 1000;

fn invalid(message: impl Into<String>) -> Fault {
    Fault::client("ValidationException", message)
}

fn not_found(what: &str) -> Fault {
    Fault::client("NotFoundException", format!("{what} is not found."))
}

/// Writes a UUID of 16 bytes.
fn uuid(bytes: &[u8]) -> String {
    let digits = hex::encode(&bytes[..16]);
    format!("{}-{}-{}-{}-{}", &digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..])
}

fn random<const COUNT: usize>() -> Result<[u8; COUNT], Fault> {
    let mut bytes = [0; COUNT];
    getrandom::fill(&mut bytes).map_err(|_| Fault::internal())?;
    Ok(bytes)
}

/// Returns the key that AWS keeps for volumes of whoever asks: its id follows from account and region.
fn ebs_key(call: &Call<'_>) -> KmsKey {
    let digest = Digest::of(format!("kms\0{}\0{}", call.account(), call.region).as_bytes());
    KmsKey {
        id: uuid(digest.as_bytes()),
        account: call.account().to_owned(),
        region: call.region.to_owned(),
        description: "Default key that protects my EBS volumes when no other key is defined".to_owned(),
        created: Timestamp::UNIX_EPOCH,
        is_enabled: true,
        deletion: None,
        is_of_aws: true,
        policy: usual_policy(call.account()),
        grants: Vec::new(),
        tags: Tags::new(),
    }
}

/// Returns the policy that lets the account do everything.
fn usual_policy(account: &str) -> String {
    json!({
        "Version": "2012-10-17",
        "Id": "key-default-1",
        "Statement": [{
            "Sid": "Enable IAM User Permissions",
            "Effect": "Allow",
            "Principal": { "AWS": format!("arn:aws:iam::{account}:root") },
            "Action": "kms:*",
            "Resource": "*",
        }],
    })
    .to_string()
}

/// Finds a key of whoever asks by its id, its ARN, or an alias of it.
fn find(call: &Call<'_>, tables: &Tables, text: &str) -> Result<Arc<KmsKey>, Fault> {
    let unknown = || not_found(&format!("Key '{text}'"));
    let own = format!("arn:aws:kms:{}:{}:", call.region, call.account());
    let name = text.strip_prefix(&own).unwrap_or(text);
    let name = name.strip_prefix("key/").unwrap_or(name);
    if name == EBS_ALIAS || name == ebs_key(call).id {
        return Ok(Arc::new(ebs_key(call)));
    }
    let id = if name.starts_with("alias/") {
        let key = KmsAlias::key(call.account(), call.region, name);
        &tables.kms_aliases.get(&key).ok_or_else(|| not_found(&format!("Alias {own}{name}")))?.target
    } else {
        name
    };
    let key = tables.kms_keys.get(id).filter(|key| call.owns(&key.account, &key.region));
    key.filter(|key| !key.is_gone(call.now)).cloned().ok_or_else(unknown)
}

/// Finds a key of whoever asks, to be changed: none of those that AWS keeps.
fn own(call: &Call<'_>, change: &Change<'_>, text: &str) -> Result<KmsKey, Fault> {
    let key = find(call, change.tables(), text)?;
    if key.is_of_aws {
        let message = format!("{} is kept by AWS, and cannot be changed", key.arn());
        return Err(Fault::client("AccessDeniedException", message));
    }
    Ok(KmsKey::clone(&key))
}

/// Refuses to work with a key that is going.
fn check_state(key: &KmsKey) -> Result<(), Fault> {
    if key.deletion.is_none() {
        return Ok(());
    }
    Err(Fault::client("KMSInvalidStateException", format!("{} is pending deletion.", key.arn())))
}

/// Refuses a policy that is none.
fn check_policy(text: &str) -> Result<(), Fault> {
    let document: Option<Value> = serde_json::from_str(text).ok();
    let has_statements = document.is_some_and(|document| !document["Statement"].is_null());
    if has_statements && text.len() <= POLICY_BYTES_MAX {
        return Ok(());
    }
    Err(Fault::client(
        "MalformedPolicyDocumentException",
        "The policy is no JSON, has no statements, or is too long",
    ))
}

/// Takes the page of a request.
fn page<T>(
    call: &Call<'_>,
    (marker, limit): (Option<&str>, Option<u64>),
    entries: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> String,
) -> Result<Page<T>, Fault> {
    let limit = limit.unwrap_or(PAGE_COUNT);
    if !(1..=PAGE_COUNT_MAX).contains(&limit) {
        return Err(invalid("Limit has to be between 1 and 1000"));
    }
    let pager = Pager::at(call, marker, Some(limit));
    let pager = pager.map_err(|_| Fault::client("InvalidMarkerException", "The marker is invalid."))?;
    Ok(pager.page_by(entries, key))
}

/// Writes a page.
fn listed(name: &str, entries: &[Value], next: Option<String>) -> Value {
    let mut answer = json!({ name: entries, "Truncated": next.is_some() });
    if let Some(next) = next {
        answer["NextMarker"] = next.into();
    }
    answer
}
