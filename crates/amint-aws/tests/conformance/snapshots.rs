//! Snapshots and volumes: copied, shared, locked, archived and removed.

use std::time::Duration;

use aws_sdk_ec2::client::Waiters;
use aws_sdk_ec2::types::{
    CreateVolumePermission, CreateVolumePermissionModifications, LockMode, LockState, OperationType,
    PermissionGroup, ResourceType, SnapshotAttributeName, SnapshotState, StorageTier, TargetStorageTier,
    TieringOperationStatus, VolumeState, VolumeType,
};

use crate::ebs;
use crate::images::{filter, tagged};
use crate::support::{ACCOUNT, Bench, DAY, OTHER_ACCOUNT, REGION, refused};

pub(crate) const SHARING: &[&str] = &[
    "ec2 CopySnapshot",
    "ec2 DeleteSnapshot",
    "ec2 DescribeSnapshotAttribute",
    "ec2 DescribeSnapshots",
    "ec2 ModifySnapshotAttribute",
    "ec2 ResetSnapshotAttribute",
];

pub(crate) const KEEPING: &[&str] = &[
    "ec2 DescribeFastSnapshotRestores",
    "ec2 DescribeLockedSnapshots",
    "ec2 DescribeSnapshotTierStatus",
    "ec2 LockSnapshot",
    "ec2 ModifySnapshotTier",
    "ec2 RestoreSnapshotTier",
    "ec2 UnlockSnapshot",
];

pub(crate) const VOLUMES: &[&str] = &[
    "ec2 CreateSnapshot",
    "ec2 CreateVolume",
    "ec2 DeleteVolume",
    "ec2 DescribeVolumes",
    "ec2 ModifyVolume",
];

#[test]
fn a_snapshot_is_copied_shared_and_deleted() {
    let bench = Bench::new();
    bench.run(SHARING, async {
        let client = bench.ec2();
        let source = ebs::snapshot(&bench, &[(0, 1)]).await;
        let copied = client
            .copy_snapshot()
            .source_snapshot_id(&source)
            .source_region(REGION)
            .description("copied")
            .encrypted(true)
            .tag_specifications(tagged(ResourceType::Snapshot, "a", "b"))
            .send()
            .await
            .unwrap();
        assert_eq!((copied.tags()[0].key(), copied.tags()[0].value()), (Some("a"), Some("b")));
        let copy = copied.snapshot_id().unwrap();
        let waited = client
            .wait_until_snapshot_completed()
            .snapshot_ids(copy)
            .wait(Duration::from_hours(1))
            .await
            .unwrap();
        let described = waited.into_result().unwrap();
        let shown = &described.snapshots()[0];
        assert_eq!((shown.state(), shown.progress()), (Some(&SnapshotState::Completed), Some("100%")));
        assert_eq!((shown.description(), shown.owner_id()), (Some("copied"), Some(ACCOUNT)));
        assert_eq!((shown.volume_size(), shown.encrypted()), (Some(1), Some(true)));
        assert_eq!(
            (shown.storage_tier(), shown.full_snapshot_size_in_bytes()),
            (Some(&StorageTier::Standard), Some(524_288))
        );
        assert!(shown.start_time().is_some() && shown.completion_time().is_some());
        assert!(shown.volume_id().is_some() && shown.kms_key_id().is_some());

        let modify = || client.modify_snapshot_attribute().snapshot_id(&source);
        let user = CreateVolumePermission::builder().user_id(OTHER_ACCOUNT).build();
        let add = CreateVolumePermissionModifications::builder().add(user).build();
        modify().create_volume_permission(add).send().await.unwrap();
        let name = SnapshotAttributeName::CreateVolumePermission;
        modify()
            .attribute(name.clone())
            .operation_type(OperationType::Add)
            .group_names("all")
            .send()
            .await
            .unwrap();
        let attribute =
            || client.describe_snapshot_attribute().snapshot_id(&source).attribute(name.clone()).send();
        let told = attribute().await.unwrap();
        assert_eq!(told.snapshot_id(), Some(&*source));
        let permissions = told.create_volume_permissions();
        assert!(permissions.iter().any(|one| one.user_id() == Some(OTHER_ACCOUNT)));
        assert!(permissions.iter().any(|one| one.group() == Some(&PermissionGroup::All)));
        let codes = client
            .describe_snapshot_attribute()
            .snapshot_id(&source)
            .attribute(SnapshotAttributeName::ProductCodes);
        assert!(codes.send().await.unwrap().product_codes().is_empty());
        client.reset_snapshot_attribute().snapshot_id(&source).attribute(name.clone()).send().await.unwrap();
        assert!(attribute().await.unwrap().create_volume_permissions().is_empty());

        let pages =
            client.describe_snapshots().owner_ids("self").max_results(5).into_paginator().items().send();
        assert_eq!(pages.collect::<Result<Vec<_>, _>>().await.unwrap().len(), 3);
        client.delete_snapshot().snapshot_id(copy).send().await.unwrap();
        assert_eq!(
            refused(client.delete_snapshot().snapshot_id(copy).send().await),
            "InvalidSnapshot.NotFound"
        );
        assert_eq!(
            refused(client.delete_snapshot().snapshot_id("x").send().await),
            "InvalidSnapshotID.Malformed"
        );
        let of_image = client.describe_images().send().await.unwrap().images()[0].clone();
        let kept = of_image.block_device_mappings()[0].ebs().unwrap().snapshot_id().unwrap();
        assert_eq!(refused(client.delete_snapshot().snapshot_id(kept).send().await), "InvalidSnapshot.InUse");
        let both =
            client.copy_snapshot().source_snapshot_id(&source).source_region(REGION).kms_key_id("alias/x");
        assert_eq!(refused(both.send().await), "InvalidParameterCombination");
    });
}

#[test]
fn a_snapshot_is_locked_and_archived() {
    let bench = Bench::new();
    bench.run(KEEPING, async {
        let client = bench.ec2();
        let id = ebs::snapshot(&bench, &[(0, 1)]).await;
        let lock = |mode: LockMode| client.lock_snapshot().snapshot_id(&id).lock_mode(mode).lock_duration(3);
        let locked = lock(LockMode::Compliance).cool_off_period(2).send().await.unwrap();
        assert_eq!(
            (locked.snapshot_id(), locked.lock_state()),
            (Some(&*id), Some(&LockState::ComplianceCooloff))
        );
        assert_eq!((locked.lock_duration(), locked.cool_off_period()), (Some(3), Some(2)));
        assert!(locked.cool_off_period_expires_on().is_some() && locked.lock_created_on().is_some());
        assert!(locked.lock_expires_on().is_some() && locked.lock_duration_start_time().is_some());
        let listed = client
            .describe_locked_snapshots()
            .filters(filter("lock-state", "compliance-cooloff"))
            .send()
            .await
            .unwrap();
        let one = &listed.snapshots()[0];
        assert_eq!(
            (one.snapshot_id(), one.owner_id(), one.lock_duration()),
            (Some(&*id), Some(ACCOUNT), Some(3))
        );
        assert!(one.lock_created_on().is_some() && one.lock_duration_start_time().is_some());
        assert_eq!(refused(client.delete_snapshot().snapshot_id(&id).send().await), "OperationNotPermitted");
        assert_eq!(
            refused(lock(LockMode::Governance).cool_off_period(1).send().await),
            "InvalidParameterCombination"
        );
        assert_eq!(client.unlock_snapshot().snapshot_id(&id).send().await.unwrap().snapshot_id(), Some(&*id));

        let archived = client
            .modify_snapshot_tier()
            .snapshot_id(&id)
            .storage_tier(TargetStorageTier::Archive)
            .send()
            .await
            .unwrap();
        assert_eq!(archived.snapshot_id(), Some(&*id));
        assert!(archived.tiering_start_time().is_some());
        bench.time.pass(DAY);
        let status = || async {
            let pages = client
                .describe_snapshot_tier_status()
                .filters(filter("snapshot-id", &id))
                .into_paginator()
                .items()
                .send();
            pages.collect::<Result<Vec<_>, _>>().await.unwrap().remove(0)
        };
        let told = status().await;
        assert_eq!((told.snapshot_id(), told.owner_id()), (Some(&*id), Some(ACCOUNT)));
        assert_eq!(
            (told.storage_tier(), told.status()),
            (Some(&StorageTier::Archive), Some(&SnapshotState::Completed))
        );
        assert_eq!(told.last_tiering_operation_status(), Some(&TieringOperationStatus::ArchivalCompleted));
        assert_eq!(told.last_tiering_progress(), Some(100));
        assert!(told.last_tiering_start_time().is_some() && told.archival_complete_time().is_some());
        let restored =
            client.restore_snapshot_tier().snapshot_id(&id).temporary_restore_days(2).send().await.unwrap();
        assert_eq!((restored.snapshot_id(), restored.restore_duration()), (Some(&*id), Some(2)));
        assert_eq!(restored.is_permanent_restore(), Some(false));
        assert!(restored.restore_start_time().is_some());
        bench.time.pass(DAY);
        assert!(status().await.restore_expiry_time().is_some());
        let described = client.describe_snapshots().snapshot_ids(&id).send().await.unwrap();
        assert!(described.snapshots()[0].restore_expiry_time().is_some());
        let permanent =
            client.restore_snapshot_tier().snapshot_id(&id).permanent_restore(true).send().await.unwrap();
        assert_eq!(permanent.is_permanent_restore(), Some(true));
        let again = client.restore_snapshot_tier().snapshot_id(&id).permanent_restore(true).send().await;
        assert_eq!(refused(again), "IncorrectState");
        let none = client.describe_fast_snapshot_restores().send().await.unwrap();
        assert!(none.fast_snapshot_restores().is_empty());
    });
}

#[test]
fn a_volume_is_made_grown_and_stored() {
    let bench = Bench::new();
    bench.run(VOLUMES, async {
        let client = bench.ec2();
        let source = ebs::snapshot(&bench, &[(0, 1), (3, 2)]).await;
        let zone = format!("{REGION}a");
        let create = || {
            client
                .create_volume()
                .availability_zone(&zone)
                .snapshot_id(&source)
                .size(2)
                .volume_type(VolumeType::Gp3)
                .iops(3500)
                .throughput(150)
                .encrypted(false)
                .client_token("once")
                .tag_specifications(tagged(ResourceType::Volume, "a", "b"))
        };
        assert_eq!(refused(create().dry_run(true).send().await), "DryRunOperation");
        let made = create().send().await.unwrap();
        let id = made.volume_id().unwrap();
        assert_eq!(
            (made.size(), made.snapshot_id(), made.availability_zone()),
            (Some(2), Some(&*source), Some(&*zone))
        );
        assert_eq!(
            (made.volume_type(), made.iops(), made.throughput()),
            (Some(&VolumeType::Gp3), Some(3500), Some(150))
        );
        assert_eq!((made.encrypted(), made.multi_attach_enabled()), (Some(false), Some(false)));
        assert_eq!(made.tags()[0].key(), Some("a"));
        assert!(made.create_time().is_some());
        assert_eq!(create().send().await.unwrap().volume_id(), Some(id));
        let waited =
            client.wait_until_volume_available().volume_ids(id).wait(Duration::from_mins(10)).await.unwrap();
        let described = waited.into_result().unwrap();
        assert_eq!(described.volumes()[0].state(), Some(&VolumeState::Available));
        let modified = client.modify_volume().volume_id(id).size(4).iops(4000).send().await.unwrap();
        let change = modified.volume_modification().unwrap();
        assert_eq!(
            (change.volume_id(), change.original_size(), change.target_size()),
            (Some(id), Some(2), Some(4))
        );
        assert_eq!((change.original_iops(), change.target_iops()), (Some(3500), Some(4000)));
        assert_eq!((change.original_throughput(), change.target_throughput()), (Some(150), Some(150)));
        assert_eq!(change.target_volume_type(), Some(&VolumeType::Gp3));
        assert!(change.modification_state().is_some() && change.start_time().is_some());
        let made = client
            .create_snapshot()
            .volume_id(id)
            .description("mine")
            .tag_specifications(tagged(ResourceType::Snapshot, "c", "d"))
            .send()
            .await
            .unwrap();
        assert_eq!(
            (made.volume_id(), made.description(), made.volume_size()),
            (Some(id), Some("mine"), Some(4))
        );
        assert_eq!((made.owner_id(), made.encrypted()), (Some(ACCOUNT), Some(false)));
        assert_eq!(made.tags()[0].value(), Some("d"));
        let snapshot = made.snapshot_id().unwrap();
        client
            .wait_until_snapshot_completed()
            .snapshot_ids(snapshot)
            .wait(Duration::from_hours(1_000))
            .await
            .unwrap();
        client.delete_volume().volume_id(id).send().await.unwrap();
        client.wait_until_volume_deleted().volume_ids(id).wait(Duration::from_hours(1)).await.unwrap();
        assert_eq!(refused(client.delete_volume().volume_id(id).send().await), "InvalidVolume.NotFound");
        let nowhere = client.create_volume().availability_zone("us-east-1z").size(1).send().await;
        assert_eq!(refused(nowhere), "InvalidZone.NotFound");
    });
}
