//! What has to happen in a region: a function of what is wanted and what is there.

use std::collections::BTreeSet;

use amint_store::Manifest;
use amint_types::{BLOCK_BYTES, Digest};
use serde::Serialize;

use crate::cloud::{CloudImage, CloudSnapshot, SnapshotState};
use crate::keys::{CloudKey, key_problems};
use crate::settings::{Setting, settings};
use crate::tag_policy::tag_problems;
use crate::wanted::{DIGEST_TAG, Wanted};

/// What a region holds that matters to an image.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// The region.
    pub region: String,
    /// The account.
    pub account: String,
    /// Whether new snapshots are encrypted by default.
    pub is_encrypted_by_default: bool,
    /// The account's images of the same name.
    pub same_name: Vec<CloudImage>,
    /// The account's snapshots of older images of the same lineage, and of this one.
    pub lineage: Vec<CloudSnapshot>,
    /// The accounts that may launch the image of the name.
    pub image_accounts: BTreeSet<String>,
    /// The accounts that may use its snapshot.
    pub snapshot_accounts: BTreeSet<String>,
    /// The organizations and units whose accounts may launch it.
    pub image_organizations: BTreeSet<String>,
    /// The key that is wanted here; none when there is none, or no such key.
    pub key: Option<CloudKey>,
    /// The tag policy that holds for the account.
    pub tag_policy: Option<String>,
    /// How many images the account has, and may have; none when nobody asked or was told.
    pub images: Option<(u64, u64)>,
    /// What could not be looked at, and is not needed.
    pub notes: Vec<String>,
}

/// What has to happen in a region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The region.
    pub region: String,
    /// The account.
    pub account: String,
    /// The name of the AMI.
    pub name: String,
    /// Whether new snapshots are encrypted by default.
    pub is_encrypted_by_default: bool,
    /// What to do.
    pub action: Action,
    /// What to set once the image is there.
    pub settings: Vec<Setting>,
    /// What could not be looked at beforehand. It is no part of what is approved.
    #[serde(skip)]
    pub notes: Vec<String>,
}

impl Plan {
    /// Returns the image that is there already.
    pub fn image_id(&self) -> Option<&str> {
        match &self.action {
            Action::Nothing { image_id, .. } | Action::Await { image_id } => Some(image_id),
            _ => None,
        }
    }

    /// Tells whether nothing has to be done at all.
    pub fn is_nothing(&self) -> bool {
        matches!(self.action, Action::Nothing { .. }) && self.settings.is_empty()
    }

    /// Returns the reasons for which it cannot be done.
    pub fn problems(&self) -> &[Problem] {
        match &self.action {
            Action::Refuse { problems } => problems,
            _ => &[],
        }
    }

    /// Returns how many bytes leave this machine.
    pub fn bytes(&self) -> u64 {
        match &self.action {
            Action::Upload(upload) => upload.bytes,
            _ => 0,
        }
    }

    /// Returns how many requests it needs that are not only looks, the least that is possible.
    pub fn requests(&self) -> u64 {
        let action = match &self.action {
            Action::Upload(upload) => upload.requests,
            Action::Register { .. } | Action::Copy(_) => 2,
            Action::Await { .. } => 1,
            Action::Nothing { .. } | Action::Refuse { .. } => 0,
        };
        action + self.settings.len() as u64
    }
}

/// What to do in a region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Action {
    /// The image is there, and as it should be.
    Nothing {
        /// Its id.
        image_id: String,
        /// Its snapshot.
        snapshot_id: Option<String>,
    },
    /// The image was made, and is not ready yet.
    Await {
        /// Its id.
        image_id: String,
    },
    /// The image comes from another region.
    Copy(Copy),
    /// A snapshot with the very blocks is there: only an image is to be made of it.
    Register {
        /// The snapshot.
        snapshot_id: String,
    },
    /// Blocks are to be sent, and an image to be made of them.
    Upload(Upload),
    /// It cannot be done.
    Refuse {
        /// Why: all reasons at once.
        problems: Vec<Problem>,
    },
}

/// From where an image comes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Copy {
    /// The region of the original.
    pub source_region: String,
    /// The original; none when it is yet to be made.
    pub source_image_id: Option<String>,
    /// The bytes that are not sent from here because of it.
    pub bytes: u64,
}

/// Which blocks are to be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Upload {
    /// The size of the volume in GiB.
    pub volume_gib: u64,
    /// The snapshot to begin with.
    pub parent: Option<Parent>,
    /// Whether the snapshot will be encrypted.
    pub is_encrypted: bool,
    /// The ARN of the key that it will be encrypted with, where that is not the account's default.
    pub key: Option<String>,
    /// How many blocks are sent.
    pub blocks: u64,
    /// Their bytes.
    pub bytes: u64,
    /// How many requests that needs, the least that is possible.
    pub requests: u64,
    /// The indexes of the blocks, ascending.
    #[serde(skip)]
    pub indexes: Vec<u64>,
}

/// A snapshot whose blocks are the beginning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Parent {
    /// Its id.
    pub snapshot_id: String,
    /// The digest of its blocks.
    pub digest: Digest,
}

/// Why something cannot be done, and what to try.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// What is wrong.
    pub message: String,
    /// What to try.
    pub hint: String,
}

/// Plans what has to happen in a region. `manifest` is the image's; `known` finds those of older images in the store.
///
/// A parent is only taken when the store knows every block of it: then nothing has to be read from the cloud to know
/// what differs. Without a parent only blocks that carry something are sent; a snapshot that will be encrypted gets all of
/// them, because a block that an encrypted volume lacks does not read as zeros.
pub fn plan(
    wanted: &Wanted,
    observed: &Observed,
    manifest: &Manifest,
    known: &dyn Fn(Digest) -> Option<Manifest>,
) -> Plan {
    let mut notes = observed.notes.clone();
    let mut problems = key_problems(wanted, observed);
    match observed.tag_policy.as_ref().map(|policy| tag_problems(policy, &wanted.tags)) {
        Some(Ok(more)) => problems.extend(more),
        Some(Err(error)) => notes.push(format!("the tag policy cannot be read: {error}")),
        None => {}
    }
    if let Some((count, quota)) = observed.images.filter(|(count, quota)| count >= quota) {
        problems.push(Problem {
            message: format!("the account has {count} images in {}, and may have {quota}", observed.region),
            hint: "deregister some, or ask for a higher quota (`AMIs`, L-B665C33B)".to_owned(),
        });
    }
    let action = match action(wanted, observed, manifest, known) {
        Action::Refuse { problems: more } => Action::Refuse { problems: [problems, more].concat() },
        _ if !problems.is_empty() => Action::Refuse { problems },
        action => action,
    };
    let is_refused = matches!(action, Action::Refuse { .. });
    Plan {
        region: observed.region.clone(),
        account: observed.account.clone(),
        name: wanted.name.clone(),
        is_encrypted_by_default: observed.is_encrypted_by_default,
        action,
        settings: if is_refused { Vec::new() } else { settings(wanted, observed) },
        notes,
    }
}

fn action(
    wanted: &Wanted,
    observed: &Observed,
    manifest: &Manifest,
    known: &dyn Fn(Digest) -> Option<Manifest>,
) -> Action {
    if let Some(image) = observed.same_name.first() {
        return existing(wanted, observed, image);
    }
    let key = observed.key.as_ref().map(|key| &key.arn);
    let digest = wanted.digest.to_string();
    let has_digest = |snapshot: &&CloudSnapshot| snapshot.tags.get(DIGEST_TAG) == Some(&digest);
    let is_usable = |snapshot: &&CloudSnapshot| {
        snapshot.state == SnapshotState::Completed
            && snapshot.volume_gib == wanted.volume_gib
            && (key.is_none() || snapshot.key.as_ref() == key)
    };
    let mut ready = observed.lineage.iter().filter(has_digest).filter(is_usable);
    if let Some(snapshot) = ready.next() {
        return Action::Register { snapshot_id: snapshot.id.clone() };
    }
    Action::Upload(upload(wanted, observed, manifest, known))
}

/// Judges an image that has the name already.
fn existing(wanted: &Wanted, observed: &Observed, image: &CloudImage) -> Action {
    let problem = |message: String, hint: &str| Problem { message, hint: hint.to_owned() };
    let is_same = image.tags.get(DIGEST_TAG) == Some(&wanted.digest.to_string());
    if is_same && image.state == "pending" {
        return Action::Await { image_id: image.id.clone() };
    }
    let problems = if is_same {
        let hint = "deregister it, then publish again; or set right by hand what can be changed";
        let mut differences = wanted.differences(image);
        if observed.key.is_some() && !image.is_encrypted {
            differences.push("it is not encrypted, and a key is wanted".to_owned());
        }
        differences
            .into_iter()
            .map(|text| problem(format!("{} is there, but {text}", image.id), hint))
            .collect()
    } else {
        let message = format!("the name {} is taken by {}, which has other content", wanted.name, image.id);
        vec![problem(message, "raise the version in the recipe, or deregister the other image")]
    };
    if problems.is_empty() {
        Action::Nothing { image_id: image.id.clone(), snapshot_id: image.snapshot_id.clone() }
    } else {
        Action::Refuse { problems }
    }
}

fn upload(
    wanted: &Wanted,
    observed: &Observed,
    manifest: &Manifest,
    known: &dyn Fn(Digest) -> Option<Manifest>,
) -> Upload {
    let key = observed.key.as_ref().map(|key| &key.arn);
    let is_encrypted = observed.is_encrypted_by_default || key.is_some();
    let whole: Vec<u64> = if is_encrypted {
        let end = wanted.volume_gib * (1 << 30) / BLOCK_BYTES;
        (0..end).collect()
    } else {
        used(manifest).collect()
    };
    let mut best: (Option<Parent>, Vec<u64>) = (None, whole);
    for snapshot in &observed.lineage {
        let is_usable = snapshot.state == SnapshotState::Completed
            && snapshot.volume_gib <= wanted.volume_gib
            // What an encrypted snapshot lacks is not zero: it was written whole, and so can be built upon.
            && (snapshot.is_encrypted || !is_encrypted)
            // What is built upon an encrypted snapshot has its key.
            && (key.is_none() || snapshot.key.as_ref() == key);
        let digest = snapshot.tags.get(DIGEST_TAG).and_then(|text| text.parse::<Digest>().ok());
        let Some(digest) = digest.filter(|_| is_usable) else { continue };
        let Some(older) = known(digest) else { continue };
        let mut changed = changed(&older, manifest);
        if snapshot.is_encrypted {
            let (start, end) = (snapshot.volume_gib, wanted.volume_gib);
            let blocks = |gib: u64| gib * (1 << 30) / BLOCK_BYTES;
            changed.extend(blocks(start)..blocks(end));
            changed.sort_unstable();
            changed.dedup();
        }
        if changed.len() < best.1.len() {
            best = (Some(Parent { snapshot_id: snapshot.id.clone(), digest }), changed);
        }
    }
    let (parent, indexes) = best;
    let is_encrypted = is_encrypted
        || parent.as_ref().is_some_and(|parent| {
            observed.lineage.iter().any(|one| one.id == parent.snapshot_id && one.is_encrypted)
        });
    let blocks = indexes.len() as u64;
    Upload {
        volume_gib: wanted.volume_gib,
        key: key.cloned(),
        parent,
        is_encrypted,
        blocks,
        bytes: blocks * BLOCK_BYTES,
        // The blocks, begin and end of the snapshot, a look at each of snapshot and image, and the registration.
        requests: blocks + 5,
        indexes,
    }
}

/// Returns the blocks that carry something.
fn used(manifest: &Manifest) -> impl Iterator<Item = u64> {
    manifest.blocks().iter().zip(0_u64..).filter(|(block, _)| block.is_some()).map(|(_, index)| index)
}

/// Returns the blocks in which two disks differ; what the newer one lacks has to be written as zeros, or the older one's
/// content would show through.
fn changed(older: &Manifest, newer: &Manifest) -> Vec<u64> {
    let block = |manifest: &Manifest, index: usize| manifest.blocks().get(index).copied().flatten();
    let count = older.blocks().len().max(newer.blocks().len());
    let is_cut = |manifest: &Manifest, index: usize| {
        index + 1 == manifest.blocks().len() && !manifest.disk_bytes().is_multiple_of(BLOCK_BYTES)
    };
    (0..count)
        .filter(|index| {
            let (old, new) = (block(older, *index), block(newer, *index));
            // The digest of a cut block is of fewer bytes: only cut alike are they the same block.
            old != new || (old.is_some() && is_cut(older, *index) != is_cut(newer, *index))
        })
        .map(|index| index as u64)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{digest_of, manifest, record, wanted};

    fn snapshot(id: &str, content: &[u8]) -> CloudSnapshot {
        CloudSnapshot {
            id: id.to_owned(),
            state: SnapshotState::Completed,
            volume_gib: 1,
            is_encrypted: false,
            key: None,
            started: "2026-01-01T00:00:00Z".parse().unwrap(),
            tags: [(DIGEST_TAG.to_owned(), digest_of(content).to_string())].into(),
        }
    }

    fn plan_of(observed: &Observed, content: &[u8], older: &[&[u8]]) -> Action {
        let known = |digest| older.iter().find(|one| digest_of(one) == digest).map(|one| manifest(one));
        plan(&wanted(content), observed, &manifest(content), &known).action
    }

    fn indexes(action: Action) -> (Option<String>, Vec<u64>) {
        let Action::Upload(upload) = action else { panic!("an upload is planned: {action:?}") };
        (upload.parent.map(|parent| parent.snapshot_id), upload.indexes)
    }

    #[test]
    fn only_blocks_that_carry_something_are_sent() {
        assert_eq!(indexes(plan_of(&Observed::default(), &[7, 0, 9], &[])), (None, vec![0, 2]));
    }

    #[test]
    fn an_encrypted_snapshot_gets_every_block() {
        let observed = Observed { is_encrypted_by_default: true, ..Observed::default() };
        assert_eq!(indexes(plan_of(&observed, &[7, 0, 9], &[])).1.len(), 2048);
    }

    #[test]
    fn of_older_snapshots_the_nearest_is_built_upon_and_what_became_zero_is_written() {
        let (far, near): (&[u8], &[u8]) = (&[1, 2, 3, 4, 5], &[7, 5, 9, 4, 5]);
        let observed = Observed {
            lineage: vec![snapshot("snap-1", far), snapshot("snap-2", near)],
            ..Observed::default()
        };
        let content: &[u8] = &[7, 0, 9, 4, 5];
        assert_eq!(indexes(plan_of(&observed, content, &[far, near])), (Some("snap-2".to_owned()), vec![1]));
        // Whose blocks the store does not know, or what is not there in whole, is nothing to build upon.
        assert_eq!(indexes(plan_of(&observed, content, &[])).0, None);
        let mut pending = observed.clone();
        pending.lineage[1].state = SnapshotState::Pending;
        assert_eq!(indexes(plan_of(&pending, content, &[far, near])).0, Some("snap-1".to_owned()));
    }

    #[test]
    fn the_same_blocks_are_not_sent_again() {
        let observed = Observed { lineage: vec![snapshot("snap-1", &[7, 0, 9])], ..Observed::default() };
        let action = plan_of(&observed, &[7, 0, 9], &[]);
        assert_eq!(action, Action::Register { snapshot_id: "snap-1".to_owned() });
    }

    #[test]
    fn an_image_that_is_there_is_left_alone_and_a_wrong_one_refused() {
        let content = &[7];
        let right = crate::testing::image_of(&wanted(content), "ami-1", "snap-1");
        let of = |image: CloudImage| {
            plan_of(&Observed { same_name: vec![image], ..Observed::default() }, content, &[])
        };
        assert!(matches!(of(right.clone()), Action::Nothing { image_id, .. } if image_id == "ami-1"));
        let wrong = CloudImage { platform_details: None, has_ena: false, ..right.clone() };
        let Action::Refuse { problems } = of(wrong) else { panic!("must be refused") };
        let texts: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(
            texts,
            [
                "ami-1 is there, but PlatformDetails is not set, wanted Linux/UNIX",
                "ami-1 is there, but ENA support is off, wanted on"
            ]
        );
        let other = CloudImage { tags: wanted(&[8]).tags, ..right };
        let Action::Refuse { problems } = of(other) else { panic!("must be refused") };
        assert!(problems[0].message.contains("is taken by ami-1"), "{problems:?}");
        assert_eq!(record(content).version.to_string(), "1.0.0");
    }
}
