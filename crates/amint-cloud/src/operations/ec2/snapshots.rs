//! What operations on snapshots share.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::{check_id, ebs_encryption, settings};
use crate::operations::Call;
use crate::protocol::{Fault, Params};
use crate::records::{Snapshot, SnapshotSharing, Tables, Tags};
use crate::state::Change;
use crate::world::new_id;

/// Returns the id of the request's snapshot, of the right form.
pub(super) fn id(params: &Params) -> Result<&str, Fault> {
    let id = params.required("SnapshotId")?;
    check_id("snap", "InvalidSnapshotID.Malformed", id)?;
    Ok(id)
}

pub(super) fn not_found(id: &str) -> Fault {
    Fault::client("InvalidSnapshot.NotFound", format!("The snapshot '{id}' does not exist."))
}

/// Finds a snapshot of whoever asks.
pub(super) fn own(call: &Call<'_>, change: &Change<'_>, id: &str) -> Result<Arc<Snapshot>, Fault> {
    let snapshot = change.get::<Snapshot>(id).filter(|found| call.owns(&found.account, &found.region));
    snapshot.ok_or_else(|| not_found(id))
}

/// Tells whether everybody may make volumes of a snapshot: not while its owner blocks all sharing.
pub(super) fn is_public(tables: &Tables, snapshot: &Snapshot) -> bool {
    snapshot.is_public && {
        let settings = settings::of(tables, &snapshot.account, &snapshot.region);
        settings.snapshot_sharing != SnapshotSharing::BlockAllSharing
    }
}

/// Tells whether an account may make volumes of a snapshot.
pub(super) fn is_usable(tables: &Tables, snapshot: &Snapshot, account: &str) -> bool {
    snapshot.account == account || snapshot.users.contains(account) || is_public(tables, snapshot)
}

/// Refuses a snapshot that lies in the archive. The code and the words are assumed: AWS documents only that it fails.
pub(super) fn check_readable(call: &Call<'_>, snapshot: &Snapshot) -> Result<(), Fault> {
    if snapshot.is_archived(call.now) {
        let message = format!("The snapshot '{}' is archived and must be restored first", snapshot.id);
        return Err(Fault::client("IncorrectState", message));
    }
    Ok(())
}

/// Checks within how many minutes a copy shall be complete, in steps of 15 (EBS user guide, "Time-based copies"): every
/// copy here is complete before that.
pub(super) fn check_minutes(params: &Params, name: &str) -> Result<(), Fault> {
    let minutes = params.number(name)?;
    match minutes.filter(|minutes| minutes % 15 != 0 || !(15..=2880).contains(minutes)) {
        Some(wrong) => Err(Fault::invalid_value(name, &wrong.to_string())),
        None => Ok(()),
    }
}

/// What is asked of a copy.
pub(super) struct CopyOf<'a> {
    pub(super) source: &'a Snapshot,
    pub(super) description: String,
    pub(super) tags: Tags,
    pub(super) is_encrypted: bool,
    pub(super) kms_key_id: Option<&'a str>,
    /// When it is complete.
    pub(super) ready: Timestamp,
    /// Whether it was asked for by itself, and not as part of an image.
    pub(super) is_alone: bool,
}

/// Makes the copy of a snapshot in the region of the call.
///
/// What is encrypted stays so, with the key that is named or the region's own; what is not becomes so when it is asked
/// for or when the account encrypts by default (EBS user guide, "Encryption and snapshot copying").
pub(super) fn copied(call: &Call<'_>, tables: &Tables, copy: CopyOf<'_>) -> Snapshot {
    let settings = settings::own(call, tables);
    let is_encrypted = copy.source.is_encrypted || copy.is_encrypted || settings.is_encrypted_by_default;
    Snapshot {
        id: new_id("snap"),
        account: call.account().to_owned(),
        region: call.region.to_owned(),
        volume_id: None,
        description: copy.description,
        tags: copy.tags,
        started: call.now,
        completed: Some(copy.ready),
        parent: None,
        is_encrypted,
        kms_key_id: is_encrypted.then(|| ebs_encryption::key_or_default(call, tables, copy.kms_key_id)),
        users: BTreeSet::new(),
        is_public: false,
        is_of_store: false,
        tiering: None,
        lock: None,
        copied_from: copy.is_alone.then(|| copy.source.id.clone()),
        ..Snapshot::clone(copy.source)
    }
}
