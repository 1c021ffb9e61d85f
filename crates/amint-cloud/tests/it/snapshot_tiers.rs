//! Snapshots in the archive.

use serde_json::json;

use crate::support::{Bench, DAY};

#[test]
fn an_archived_snapshot_cannot_be_used_until_it_is_restored() {
    let (bench, time) = Bench::timed();
    let id = bench.free_snapshot(&time);
    let status = || {
        let all =
            bench.did(&format!("DescribeSnapshotTierStatus&Filter.1.Name=snapshot-id&Filter.1.Value.1={id}"));
        (all.one("storageTier"), all.one("lastTieringOperationStatus"))
    };
    let is = |tier: &str, operation: &str| assert_eq!(status(), (tier.to_owned(), operation.to_owned()));
    let is_readable = || bench.ebs(&format!("/snapshots/{id}/blocks")).status == 200;
    let restore = |more: &str| format!("RestoreSnapshotTier&SnapshotId={id}&{more}");
    let archive = format!("ModifySnapshotTier&SnapshotId={id}&StorageTier=archive");
    assert_eq!(bench.refused(&restore("PermanentRestore=true")), "IncorrectState");
    assert_eq!(bench.did(&archive).one("snapshotId"), id);
    is("standard", "archival-in-progress");
    assert_eq!(bench.refused(&archive), "IncorrectState");
    time.pass(DAY);
    is("archive", "archival-completed");
    assert_eq!(bench.did(&format!("DescribeSnapshots&SnapshotId.1={id}")).one("storageTier"), "archive");
    for body in [
        format!("CopySnapshot&SourceRegion=us-east-1&SourceSnapshotId={id}"),
        format!("ModifySnapshotAttribute&SnapshotId={id}&UserId.1=111122223333"),
        format!(
            "RegisterImage&Name=web-1&Architecture=x86_64&VirtualizationType=hvm&RootDeviceName=/dev/xvda&\
             BlockDeviceMapping.1.DeviceName=/dev/xvda&BlockDeviceMapping.1.Ebs.SnapshotId={id}"
        ),
    ] {
        assert_eq!(bench.refused(&body), "IncorrectState", "{body}");
    }
    assert_eq!(bench.ebs(&format!("/snapshots/{id}/blocks")).json()["Reason"], "INVALID_SNAPSHOT_ID");
    let upon = json!({ "VolumeSize": 1, "ParentSnapshotId": id }).to_string();
    assert_eq!(bench.send("POST", "/snapshots", "us-east-1/ebs", &upon).status, 400);

    let restored = bench.did(&restore("TemporaryRestoreDays=2"));
    assert_eq!(
        (restored.one("restoreDuration"), restored.one("isPermanentRestore")),
        ("2".to_owned(), "false".to_owned())
    );
    is("archive", "temporary-restore-in-progress");
    time.pass(DAY);
    is("standard", "temporary-restore-completed");
    assert!(is_readable());
    assert_eq!(bench.did("DescribeSnapshots").all("restoreExpiryTime").len(), 1);
    bench.did(&restore("TemporaryRestoreDays=3"));
    time.pass(3 * DAY);
    is("archive", "archival-completed");
    bench.did(&restore("TemporaryRestoreDays=1"));
    time.pass(DAY);
    bench.did(&restore("PermanentRestore=true"));
    is("standard", "permanent-restore-completed");
    time.pass(90 * DAY);
    assert!(is_readable());
}

#[test]
fn what_is_in_use_is_not_archived() {
    let (bench, _) = Bench::timed();
    let (image, snapshot) = (bench.image_id(), bench.snapshot_id());
    let archive = format!("ModifySnapshotTier&SnapshotId={snapshot}");
    assert_eq!(bench.refused(&archive), "InvalidSnapshot.InUse");
    assert_eq!(bench.refused(&format!("{archive}&StorageTier=standard")), "InvalidParameterValue");
    bench.did(&format!("DisableImage&ImageId={image}"));
    assert_eq!(bench.ec2(&format!("Action={archive}&DryRun=true")).code().0, 412);
    bench.did(&archive);
    let restore = format!("RestoreSnapshotTier&SnapshotId={snapshot}");
    assert_eq!(bench.refused(&restore), "InvalidParameterCombination");
    assert_eq!(bench.refused(&format!("{restore}&TemporaryRestoreDays=181")), "InvalidParameterValue");
}
