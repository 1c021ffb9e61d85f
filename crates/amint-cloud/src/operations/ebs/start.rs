use std::collections::BTreeSet;

use amint_types::BLOCK_BYTES;
use serde::Deserialize;
use serde_json::json;

use super::{EbsAnswer, EbsRequest, check_standard_tier, invalid};
use crate::operations::{Call, ec2};
use crate::protocol::Fault;
use crate::records::{Snapshot, Tables};
use crate::world::{new_id, snapshot_not_found};

/// The largest volume in GiB.
const VOLUME_GIB_MAX: u64 = 65_536;
/// The most tags of a resource that users give.
const TAGS_MAX: usize = 50;
/// How many snapshots of an account may be on their way (Service Quotas, "Pending snapshots per account").
const PENDING_MAX: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Body {
    volume_size: u64,
    parent_snapshot_id: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
    description: Option<String>,
    client_token: Option<String>,
    encrypted: Option<bool>,
    kms_key_arn: Option<String>,
    timeout: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    #[serde(default)]
    value: String,
}

/// Begins a snapshot that is written block by block.
pub(super) fn start_snapshot(call: &Call<'_>, request: &EbsRequest<'_>) -> Result<EbsAnswer, Fault> {
    let body: Body = serde_json::from_slice(request.body).map_err(|error| {
        invalid("INVALID_PARAMETER_VALUE", format!("The body cannot be understood: {error}"))
    })?;
    check(&body)?;
    let call = Call { operation: "StartSnapshot", ..*call };
    let id = call.world.state.change(|change| {
        let parent = match &body.parent_snapshot_id {
            None => None,
            Some(id) => {
                let parent = change.get::<Snapshot>(id).filter(|parent| {
                    call.owns(&parent.account, &parent.region) && parent.status(call.now) == "completed"
                });
                let parent = parent.ok_or_else(|| snapshot_not_found(id))?;
                check_standard_tier(&call, &parent)?;
                Some(parent)
            }
        };
        if parent.as_ref().is_some_and(|parent| parent.volume_gib > body.volume_size) {
            return Err(invalid("INVALID_VOLUME_SIZE", "The volume is smaller than the parent's"));
        }
        let pending = change.tables().snapshots.values().filter(|snapshot| {
            call.owns(&snapshot.account, &snapshot.region)
                && snapshot.manifest.is_none()
                && snapshot.volume_id.is_none()
                && snapshot.failed.is_none()
        });
        let is_full = pending.count() >= PENDING_MAX;
        let make = |change: &mut crate::state::Change<'_>| {
            if is_full {
                let message = format!("The account has {PENDING_MAX} pending snapshots already");
                return Err(Fault::client("ServiceQuotaExceededException", message).with_status(402));
            }
            let snapshot = begun(&call, change.tables(), &body, parent.as_deref());
            let id = snapshot.id.clone();
            change.put(snapshot);
            Ok(id)
        };
        match &body.client_token {
            None => make(change),
            Some(token) => {
                let parameters = hex::encode(sha2::Digest::finalize(sha2::Digest::chain_update(
                    <sha2::Sha256 as sha2::Digest>::new(),
                    request.body,
                )));
                call.make_once_with(change, token, parameters, make).map_err(conflict)
            }
        }
    })?;
    let snapshot = call.tables().snapshots.get(&id).cloned().ok_or_else(|| snapshot_not_found(&id))?;
    let tags = snapshot.tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value }));
    let mut answer = json!({
        "SnapshotId": snapshot.id,
        "OwnerId": snapshot.account,
        "Status": snapshot.status(call.now),
        "StartTime": snapshot.started.as_second(),
        "VolumeSize": snapshot.volume_gib,
        "BlockSize": BLOCK_BYTES,
        "Description": snapshot.description,
        "Tags": tags.collect::<Vec<_>>(),
    });
    if let Some(parent) = &snapshot.parent {
        answer["ParentSnapshotId"] = parent.as_str().into();
    }
    if let Some(key) = &snapshot.kms_key_id {
        answer["KmsKeyArn"] = key.as_str().into();
    }
    Ok(EbsAnswer::Accepted(201, answer))
}

/// Returns the snapshot as it begins: without a block.
fn begun(call: &Call<'_>, tables: &Tables, body: &Body, parent: Option<&Snapshot>) -> Snapshot {
    let id = new_id("snap");
    let encrypted = parent.filter(|parent| parent.is_encrypted);
    let is_encrypted =
        body.encrypted.unwrap_or(false) || encrypted.is_some() || ec2::is_encrypted_by_default(call, tables);
    let named = body.kms_key_arn.as_deref();
    let named = named.or(encrypted.and_then(|parent| parent.kms_key_id.as_deref()));
    Snapshot {
        account: call.account().to_owned(),
        region: call.region.to_owned(),
        volume_id: None,
        volume_gib: body.volume_size,
        description: body.description.clone().unwrap_or_default(),
        tags: body.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect(),
        started: call.now,
        completed: None,
        manifest: None,
        parent: parent.map(|parent| parent.id.clone()),
        lineage: parent.map_or_else(|| id.clone(), |parent| parent.lineage.clone()),
        timeout_minutes: body.timeout.unwrap_or(60),
        failed: None,
        used_bytes: 0,
        is_encrypted,
        kms_key_id: is_encrypted.then(|| ec2::key_or_default(call, tables, named)),
        users: BTreeSet::new(),
        is_public: false,
        is_of_store: false,
        tiering: None,
        lock: None,
        copied_from: None,
        id,
    }
}

fn check(body: &Body) -> Result<(), Fault> {
    if !(1..=VOLUME_GIB_MAX).contains(&body.volume_size) {
        return Err(invalid("INVALID_VOLUME_SIZE", "VolumeSize is not between 1 and 65536"));
    }
    if body.encrypted.is_some() && body.parent_snapshot_id.is_some() {
        let message = "Encrypted and ParentSnapshotId cannot be used together";
        return Err(invalid("INVALID_PARAMETER_VALUE", message));
    }
    if body.kms_key_arn.is_some() && body.encrypted != Some(true) {
        return Err(invalid("INVALID_PARAMETER_VALUE", "KmsKeyArn needs Encrypted"));
    }
    if body.timeout.is_some_and(|minutes| !(10..=4320).contains(&minutes)) {
        return Err(invalid("INVALID_PARAMETER_VALUE", "Timeout is not between 10 and 4320 minutes"));
    }
    if body.tags.len() > TAGS_MAX
        || body.tags.iter().any(|tag| tag.key.is_empty() || tag.key.starts_with("aws:"))
    {
        return Err(invalid("INVALID_TAG", "The tags are not valid"));
    }
    if body.description.as_ref().is_some_and(|text| text.chars().count() > 255) {
        return Err(invalid("INVALID_PARAMETER_VALUE", "Description is longer than 255 characters"));
    }
    Ok(())
}

/// The EBS direct APIs have an error of their own for a token that is used again.
fn conflict(fault: Fault) -> Fault {
    if fault.code != "IdempotentParameterMismatch" {
        return fault;
    }
    Fault::client("ConflictException", fault.message).with_status(409)
}
