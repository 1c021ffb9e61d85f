//! Volumes that no guest writes to.

use crate::support::{Bench, between, code, eventually};

fn volume(bench: &Bench, rest: &str) -> String {
    let answer = bench.ec2(&format!("Action=CreateVolume&AvailabilityZone=us-east-1a&{rest}"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    between(&answer.text(), "<volumeId>", "</volumeId>")
}

#[test]
fn a_volume_of_a_snapshot_gives_a_snapshot_of_the_same_blocks() {
    let bench = Bench::new(true);
    let source = bench.snapshot_id();
    let id = volume(&bench, &format!("SnapshotId={source}&VolumeType=gp3&Size=2&ClientToken=once"));
    assert_eq!(volume(&bench, &format!("SnapshotId={source}&VolumeType=gp3&Size=2&ClientToken=once")), id);
    let made = bench.ec2(&format!("Action=CreateSnapshot&VolumeId={id}&Description=mine")).text();
    let snapshot = between(&made, "<snapshotId>", "</snapshotId>");
    let status = || bench.ec2(&format!("Action=DescribeSnapshots&SnapshotId.1={snapshot}")).text();
    eventually("the snapshot", || status().contains("<status>completed</status>"));
    assert_eq!(between(&status(), "<volumeSize>", "</volumeSize>"), "2");
    let blocks = |id: &str| {
        let document = bench.ebs(&format!("/snapshots/{id}/blocks")).json();
        let blocks = document["Blocks"].as_array().unwrap().clone();
        blocks.iter().map(|block| block["BlockIndex"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(blocks(&snapshot), blocks(&source));
    let changed = bench.ebs(&format!("/snapshots/{snapshot}/changedblocks?firstSnapshotId={source}")).json();
    // The last block of the image is short, and the volume's is whole.
    assert_eq!(changed["ChangedBlocks"].as_array().unwrap().len(), 1);
    // The snapshot lasts longer than its volume, and the volume than its source.
    assert_eq!(bench.ec2(&format!("Action=DeleteVolume&VolumeId={id}")).status, 200);
    assert_eq!(
        code(&bench.ec2(&format!("Action=DescribeVolumes&VolumeId.1={id}"))).1,
        "InvalidVolume.NotFound"
    );
    assert_eq!(blocks(&snapshot), blocks(&source));
    let pins: Vec<String> = bench.store().pins().unwrap().into_iter().map(|(name, _)| name).collect();
    assert_eq!(pins, [snapshot]);
}

#[test]
fn volumes_grow_and_wrong_ones_are_refused() {
    let bench = Bench::new(true);
    let id = volume(&bench, "Size=1");
    let modify = |rest: &str| bench.ec2(&format!("Action=ModifyVolume&VolumeId={id}&{rest}"));
    assert_eq!(between(&modify("Size=4").text(), "<targetSize>", "</targetSize>"), "4");
    assert_eq!(code(&modify("Size=3")).1, "InvalidParameterValue");
    assert_eq!(code(&modify("Iops=4000")).1, "InvalidParameterCombination", "gp2 has none of its own");
    let shown = bench.ec2("Action=DescribeVolumes&Filter.1.Name=size&Filter.1.Value.1=4").text();
    assert!(shown.contains(&id) && shown.contains("<status>available</status>"));
    for (rest, expected) in [
        ("AvailabilityZone=us-east-1a", "MissingParameter"),
        ("AvailabilityZone=us-east-1z&Size=1", "InvalidZone.NotFound"),
        ("AvailabilityZone=us-east-1a&Size=0", "InvalidParameterValue"),
        ("AvailabilityZone=us-east-1a&Size=99999", "InvalidParameterValue"),
        ("AvailabilityZone=us-east-1a&SnapshotId=snap-00000000", "InvalidSnapshot.NotFound"),
        ("AvailabilityZone=us-east-1a&Size=1&VolumeType=gp9", "InvalidParameterValue"),
        ("AvailabilityZone=us-east-1a&Size=1&MultiAttachEnabled=true", "UnsupportedOperation"),
        ("AvailabilityZone=us-east-1a&Size=1&Colour=red", "UnknownParameter"),
    ] {
        assert_eq!(
            code(&bench.ec2(&format!("Action=CreateVolume&{rest}"))),
            (400, expected.to_owned()),
            "{rest}"
        );
    }
    assert_eq!(code(&bench.ec2("Action=CreateVolume&AvailabilityZone=us-east-1a&Size=1&DryRun=true")).0, 412);
}
