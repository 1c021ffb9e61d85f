//! Copies of snapshots.

use crate::support::Bench;

#[test]
fn a_copy_in_another_region_has_the_blocks_once_it_is_complete() {
    let (bench, time) = Bench::timed();
    let source = bench.snapshot_id();
    let there =
        |body: &str| bench.send("POST", "/", "eu-west-1/ec2", &format!("Version=2016-11-15&Action={body}"));
    let copy = there(&format!(
        "CopySnapshot&SourceRegion=us-east-1&SourceSnapshotId={source}&DestinationRegion=eu-west-1&PresignedUrl=x&\
         Encrypted=true&KmsKeyId=alias/mine&Description=words&TagSpecification.1.ResourceType=snapshot&\
         TagSpecification.1.Tag.1.Key=k&TagSpecification.1.Tag.1.Value=v"
    ));
    assert_eq!((copy.one("key"), copy.one("value")), ("k".to_owned(), "v".to_owned()));
    let id = copy.one("snapshotId");
    let shown = || there(&format!("DescribeSnapshots&SnapshotId.1={id}"));
    assert_eq!(
        (shown().one("status"), shown().one("description")),
        ("pending".to_owned(), "words".to_owned())
    );
    time.pass(60);
    assert_eq!(
        (shown().one("status"), shown().one("kmsKeyId")),
        ("completed".to_owned(), "alias/mine".to_owned())
    );
    let blocks = bench.send("GET", &format!("/snapshots/{id}/blocks"), "eu-west-1/ebs", "").json();
    assert_eq!(blocks["Blocks"].as_array().unwrap().len(), 2);
}

#[test]
fn what_cannot_be_copied_is_refused() {
    let (bench, time) = Bench::timed();
    let source = bench.snapshot_id();
    let copy = |more: &str| format!("CopySnapshot&SourceRegion=us-east-1&SourceSnapshotId={source}{more}");
    for (body, code) in [
        (copy("&KmsKeyId=alias/mine"), "InvalidParameterCombination"),
        (copy("&CompletionDurationMinutes=20"), "InvalidParameterValue"),
        (copy("&DestinationRegion=eu-west-1"), "InvalidParameterValue"),
        (copy("&DestinationOutpostArn=arn:x"), "UnsupportedOperation"),
        (copy("&Colour=red"), "UnknownParameter"),
        (
            "CopySnapshot&SourceRegion=mars-1&SourceSnapshotId=snap-00000000".to_owned(),
            "InvalidParameterValue",
        ),
        (
            "CopySnapshot&SourceRegion=eu-west-1&SourceSnapshotId=snap-00000000".to_owned(),
            "InvalidSnapshot.NotFound",
        ),
    ] {
        assert_eq!(bench.refused(&body), code, "{body}");
    }
    assert_eq!(bench.ec2(&format!("Action={}", copy("&DryRun=true"))).code().0, 412);
    assert!(bench.store().pins().unwrap().is_empty(), "what was refused keeps nothing in the store");

    let encrypted = bench.did(&copy("&Encrypted=true")).one("snapshotId");
    let again =
        |more: &str| format!("CopySnapshot&SourceRegion=us-east-1&SourceSnapshotId={encrypted}{more}");
    assert_eq!(bench.refused(&again("")), "IncorrectState", "it is pending");
    time.pass(60);
    assert_eq!(bench.refused(&again("&Encrypted=false")), "InvalidParameterValue");
    let copies =
        |count: usize| (0..count).map(|_| bench.did(&again("")).one("snapshotId")).collect::<Vec<_>>();
    let made = copies(20);
    let shown = bench.did(&format!("DescribeSnapshots&SnapshotId.1={}", made[0]));
    assert_eq!(shown.one("kmsKeyId"), "arn:aws:kms:us-east-1:123456789012:alias/aws/ebs");
    assert_eq!(bench.refused(&again("")), "ResourceLimitExceeded");
    time.pass(60);
    copies(1);
}
