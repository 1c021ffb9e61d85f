//! Images of the store, their blocks, and who is let in.

use amint_types::BLOCK_BYTES;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::support::{Bench, between, disk};

#[test]
fn images_of_the_store_are_amis_with_their_own_snapshot() {
    let bench = Bench::new(true);
    let text = bench.ec2("Action=DescribeImages&Owner.1=self").text();
    assert_eq!(between(&text, "<name>", "</name>"), "store/web-1.4-b1");
    let image_id = between(&text, "<imageId>", "</imageId>");
    let snapshot_id = between(&text, "<snapshotId>", "</snapshotId>");
    let snapshots = bench.ec2(&format!("Action=DescribeSnapshots&SnapshotId.1={snapshot_id}")).text();
    assert_eq!(between(&snapshots, "<volumeSize>", "</volumeSize>"), "1");
    for (filter, is_found) in [
        ("Filter.1.Name=name&Filter.1.Value.1=store/web-*", true),
        ("Filter.1.Name=tag:amint:name&Filter.1.Value.1=db", false),
        ("Filter.1.Name=block-device-mapping.snapshot-id&Filter.1.Value.1=snap-1", false),
        ("Owner.1=amazon", false),
        ("ExecutableBy.1=all", false),
        (&format!("ImageId.1={image_id}"), true),
    ] {
        let answer = bench.ec2(&format!("Action=DescribeImages&{filter}"));
        assert_eq!((answer.status, answer.text().contains(&image_id)), (200, is_found), "{filter}");
    }
    let elsewhere = bench.send("POST", "/", "eu-west-1/ec2", "Action=DescribeImages");
    assert!(elsewhere.text().contains("<imagesSet></imagesSet>"), "{}", elsewhere.text());
}

#[test]
fn what_cannot_be_done_is_refused_as_ec2_refuses_it() {
    let bench = Bench::new(true);
    for (body, status, code) in [
        ("Action=RunScheduledInstances", 400, "InvalidAction"),
        ("Action=DescribeImages&Onwer.1=self", 400, "UnknownParameter"),
        ("Action=DescribeImages&ImageId.1=ami-x", 400, "InvalidAMIID.Malformed"),
        ("Action=DescribeImages&ImageId.1=ami-00000000", 400, "InvalidAMIID.NotFound"),
        ("Action=DescribeImages&Filter.1.Name=colour&Filter.1.Value.1=red", 400, "InvalidParameterValue"),
        ("Action=DescribeImages&MaxResults=0", 400, "InvalidParameterValue"),
        ("Action=DescribeImages&DryRun=true", 412, "DryRunOperation"),
        ("Action=DescribeSnapshots&SnapshotId.1=snap-00000000", 400, "InvalidSnapshot.NotFound"),
        ("Nothing=1", 400, "MissingAction"),
    ] {
        let answer = bench.ec2(body);
        assert_eq!(
            (answer.status, between(&answer.text(), "<Code>", "</Code>").as_str()),
            (status, code),
            "{body}"
        );
        assert!(answer.text().contains("<RequestID>"), "{}", answer.text());
    }
    let unknown = bench.send("POST", "/", "us-east-1/s3", "");
    assert_eq!(between(&unknown.text(), "<Code>", "</Code>"), "InvalidAction");
    let large = bench.send("POST", "/", "us-east-1/ec2", &"x".repeat((1 << 20) + 1));
    assert_eq!(large.status, 413);
}

#[test]
fn blocks_of_a_snapshot_are_those_of_the_image() {
    let bench = Bench::new(true);
    let id = bench.snapshot_id();
    let list = bench.ebs(&format!("/snapshots/{id}/blocks?maxResults=100")).json();
    assert_eq!((list["BlockSize"].as_u64(), list["VolumeSize"].as_u64()), (Some(BLOCK_BYTES), Some(1)));
    let blocks = list["Blocks"].as_array().unwrap();
    let indexes: Vec<u64> = blocks.iter().map(|block| block["BlockIndex"].as_u64().unwrap()).collect();
    assert_eq!(indexes, [0, 2], "a block of zeros is not there");
    let mut expected = disk().0;
    expected.resize(3 * usize::try_from(BLOCK_BYTES).unwrap(), 0);
    for (block, index) in blocks.iter().zip(indexes) {
        let token: String = percent(block["BlockToken"].as_str().unwrap());
        let answer = bench.ebs(&format!("/snapshots/{id}/blocks/{index}?blockToken={token}"));
        let start = usize::try_from(index * BLOCK_BYTES).unwrap();
        assert!(answer.body == expected[start..start + usize::try_from(BLOCK_BYTES).unwrap()], "{index}");
        assert_eq!(answer.header("x-amz-checksum"), STANDARD.encode(Sha256::digest(&answer.body)));
        assert_eq!(answer.header("x-amz-data-length"), BLOCK_BYTES.to_string());
    }
    let changed = bench.ebs(&format!("/snapshots/{id}/changedblocks")).json();
    assert_eq!(changed["ChangedBlocks"].as_array().unwrap().len(), 2);
    let same = bench.ebs(&format!("/snapshots/{id}/changedblocks?firstSnapshotId={id}")).json();
    assert_eq!(same["ChangedBlocks"].as_array().unwrap().len(), 0);
}

fn percent(text: &str) -> String {
    text.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}

#[test]
fn wrong_tokens_and_unknown_snapshots_are_refused_with_their_reason() {
    let bench = Bench::new(true);
    let id = bench.snapshot_id();
    for (target, status, reason) in [
        (format!("/snapshots/{id}/blocks/0?blockToken=AAAA"), 400, "INVALID_BLOCK_TOKEN"),
        (format!("/snapshots/{id}/blocks/1?blockToken=AAAA"), 400, "INVALID_BLOCK"),
        (format!("/snapshots/{id}/blocks?pageToken=AAAA"), 400, "INVALID_PAGE_TOKEN"),
        (format!("/snapshots/{id}/blocks?maxResults=5"), 400, "INVALID_PARAMETER_VALUE"),
        ("/snapshots/snap-00000000/blocks".to_owned(), 404, "SNAPSHOT_NOT_FOUND"),
    ] {
        let answer = bench.ebs(&target);
        assert_eq!((answer.status, answer.json()["Reason"].as_str()), (status, Some(reason)), "{target}");
    }
    assert_eq!(bench.ebs("/nothing").header("x-amzn-errortype"), "UnknownOperationException");
}

#[test]
fn only_true_signatures_are_believed() {
    let bench = Bench::new(false);
    let answer = bench.ec2("Action=DescribeImages");
    // The scope is of long ago, and the signature of nobody.
    assert_eq!(answer.status, 403);
    assert!(!answer.text().contains("secret"));
    let unsigned = bench.send("POST", "/", "", "Action=DescribeImages");
    assert_eq!(between(&unsigned.text(), "<Code>", "</Code>"), "MissingAuthenticationToken");
}
