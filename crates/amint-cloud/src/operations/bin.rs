//! The recycle bin: what is removed and matches a rule stays there, and can be had back, until its time is over.
//!
//! Of several rules that match, the one that keeps longest counts (EBS user guide, "Considerations for Recycle Bin").
//! What lies in the bin is in a table of its own: no other operation finds it.

use jiff::{SignedDuration, Timestamp};

use super::Call;
use crate::protocol::Fault;
use crate::records::{
    BinKind, Binned, FormerImage, Image, RetentionRule, Snapshot, Tables, Tags, UsageReport,
};
use crate::state::Change;
use crate::world::World;

/// Where something went that was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Removed {
    /// Into the bin.
    Binned,
    /// It is gone.
    Gone,
}

/// Removes an image, or moves it into the bin.
pub(crate) fn remove_image(call: &Call<'_>, change: &mut Change<'_>, image: &Image) {
    change.remove::<Image>(&image.id);
    change.put(FormerImage { id: image.id.clone(), image: image.clone(), deregistered: call.now });
    if let Some(exits) = exit(call, change.tables(), BinKind::Ec2Image, &image.tags) {
        change.put(Binned { id: image.id.clone(), record: image.clone(), entered: call.now, exits });
    }
}

/// Removes a snapshot, or moves it into the bin. What is still being written is not held back.
pub(crate) fn remove_snapshot(call: &Call<'_>, change: &mut Change<'_>, snapshot: &Snapshot) -> Removed {
    change.remove::<Snapshot>(&snapshot.id);
    let exits = exit(call, change.tables(), BinKind::EbsSnapshot, &snapshot.tags);
    match exits.filter(|_| snapshot.manifest.is_some()) {
        None => Removed::Gone,
        Some(exits) => {
            let record = snapshot.clone();
            change.put(Binned { id: snapshot.id.clone(), record, entered: call.now, exits });
            Removed::Binned
        }
    }
}

/// Returns until when something stays in the bin that is removed now; none when no rule holds it back.
fn exit(call: &Call<'_>, tables: &Tables, kind: BinKind, tags: &Tags) -> Option<Timestamp> {
    let is_of_this = |rule: &&RetentionRule| {
        call.owns(&rule.account, &rule.region)
            && rule.kind == kind
            && rule.available <= call.now
            && rule.is_match(tags)
    };
    let rules = tables.retention_rules.values().map(AsRef::as_ref).filter(is_of_this);
    let days = rules.map(|rule| rule.retention_days).max()?;
    Some(call.world.clock().after(call.now, SignedDuration::from_hours(24 * days)))
}

impl World {
    /// Lets go of what the bin has kept long enough, and of reports whose time is over.
    pub(crate) fn forget_what_is_over(&self, now: Timestamp) -> Result<(), Fault> {
        let (images, snapshots, reports) = {
            let tables = self.state.read();
            let images: Vec<String> =
                ids(tables.binned_images.values(), |one| one.exits <= now, |one| &one.id);
            let snapshots = ids(tables.binned_snapshots.values(), |one| one.exits <= now, |one| &one.id);
            let reports = ids(tables.usage_reports.values(), |one| one.expires <= now, |one| &one.id);
            (images, snapshots, reports)
        };
        if images.is_empty() && snapshots.is_empty() && reports.is_empty() {
            return Ok(());
        }
        let gone = self.state.change::<_, Fault>(|change| {
            for id in &images {
                change.remove::<Binned<Image>>(id);
            }
            for id in &reports {
                change.remove::<UsageReport>(id);
            }
            // One that was taken out in between keeps its blocks.
            Ok(snapshots
                .into_iter()
                .filter(|id| change.remove::<Binned<Snapshot>>(id).is_some())
                .collect::<Vec<_>>())
        })?;
        for id in &gone {
            // What cannot be forgotten now costs space, nothing else.
            let _ = self.store.unpin(id);
        }
        Ok(())
    }
}

fn ids<'r, T: 'r>(
    records: impl Iterator<Item = &'r std::sync::Arc<T>>,
    is_over: impl Fn(&T) -> bool,
    id: impl Fn(&T) -> &String,
) -> Vec<String> {
    records.filter(|record| is_over(record)).map(|record| id(record).clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::support::Bench;
    use crate::records::{
        AllowedImagesState, ImageCriterion, Lock, LockMode, Protection, RuleLock, RuleTag, Settings,
        SnapshotSharing, TierOperation, Tiering, Watermark,
    };
    use crate::state::{State, StateError};

    fn governed_image(mut image: Image, now: Timestamp) -> Image {
        image.protection = Protection::Cooling { until: now };
        image.watermarks.push(Watermark {
            key: "1:a".to_owned(),
            source_image: image.id.clone(),
            source_region: image.region.clone(),
            source_created: now,
            created: now,
        });
        image
    }

    fn governed_snapshot(mut snapshot: Snapshot, now: Timestamp) -> Snapshot {
        let operation = TierOperation::TemporaryRestore { expires: now };
        snapshot.tiering = Some(Tiering { operation, started: now, ends: now, archived: now });
        snapshot.lock = Some(Lock {
            mode: LockMode::Compliance,
            created: now,
            started: now,
            duration_days: 1,
            cool_off_hours: Some(1),
            cool_off_ends: Some(now),
            expires: now,
        });
        snapshot
    }

    fn rule(now: Timestamp) -> RetentionRule {
        let tag = RuleTag { resource_tag_key: "a".to_owned(), resource_tag_value: None };
        RetentionRule {
            id: "aaaaaaaaaaa".to_owned(),
            account: String::new(),
            region: String::new(),
            description: String::new(),
            kind: BinKind::Ec2Image,
            retention_days: 1,
            resource_tags: [tag].into(),
            excluded_tags: std::collections::BTreeSet::new(),
            tags: Tags::new(),
            available: now,
            lock: Some(RuleLock { delay_days: 7, ends: Some(now) }),
        }
    }

    fn settings(now: Timestamp) -> Settings {
        let mut settings =
            Settings { key: "a/b".to_owned(), images_blocked: Some(now), ..Settings::default() };
        settings.snapshot_sharing = SnapshotSharing::BlockAllSharing;
        settings.allowed_images.state = AllowedImagesState::AuditMode;
        settings.allowed_images.criteria.push(ImageCriterion::default());
        settings
    }

    fn report(now: Timestamp) -> UsageReport {
        UsageReport {
            id: "amiur-1".to_owned(),
            account: String::new(),
            region: String::new(),
            image_id: String::new(),
            resources: Vec::new(),
            accounts: Vec::new(),
            created: now,
            available: now,
            expires: now,
            tags: Tags::new(),
            entries: Vec::new(),
        }
    }

    #[test]
    fn what_was_governed_is_the_same_after_a_restart() {
        let bench = Bench::new();
        let now = bench.call().now;
        let image = governed_image(bench.image(), now);
        let record = bench.world.state.read().snapshots.values().next().unwrap().as_ref().clone();
        let snapshot = governed_snapshot(record, now);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.sqlite");
        let state = State::open(&path).unwrap();
        let put = state.change::<_, StateError>(|change| {
            let (id, exits) = (image.id.clone(), now);
            change.put(FormerImage { id: id.clone(), image: image.clone(), deregistered: now });
            change.put(Binned { id, record: image, entered: now, exits });
            let id = snapshot.id.clone();
            change.put(Binned { id, record: snapshot.clone(), entered: now, exits });
            change.put(snapshot);
            change.put(rule(now));
            change.put(settings(now));
            change.put(report(now));
            Ok(())
        });
        put.unwrap();
        let before = format!("{:?}", state.read());
        drop(state);
        assert_eq!(format!("{:?}", State::open(&path).unwrap().read()), before);
    }
}
