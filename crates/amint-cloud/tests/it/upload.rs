//! A disk that is sent block by block, and the image that is made of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use amint_cloud::{Clock, WorldOptions};
use amint_types::BLOCK_BYTES;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{Answer, Bench, between, code};

const BLOCK: usize = 512 << 10;
const EBS: &str = "us-east-1/ebs";
const NOW: i64 = 1_800_000_000;

/// An endpoint whose time the test moves.
fn bench() -> (Bench, Arc<AtomicI64>) {
    let time = Arc::new(AtomicI64::new(NOW));
    let now = Arc::clone(&time);
    let clock = Clock::with(1, move || Timestamp::from_second(now.load(Ordering::SeqCst)).unwrap());
    (Bench::with(true, WorldOptions { clock, ..WorldOptions::default() }), time)
}

fn start(bench: &Bench, body: &Value) -> Answer {
    bench.send("POST", "/snapshots", EBS, &body.to_string())
}

fn started(bench: &Bench, body: &Value) -> String {
    let answer = start(bench, body);
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()["SnapshotId"].as_str().unwrap().to_owned()
}

fn put(bench: &Bench, id: &str, index: u64, bytes: &[u8], checksum: &str) -> Answer {
    let headers = format!(
        "x-amz-Data-Length: {}\r\nx-amz-Checksum: {checksum}\r\nx-amz-Checksum-Algorithm: SHA256\r\n",
        bytes.len()
    );
    bench.send_with("PUT", &format!("/snapshots/{id}/blocks/{index}"), EBS, &headers, bytes)
}

fn checksum(bytes: &[u8]) -> String {
    STANDARD.encode(Sha256::digest(bytes))
}

fn put_filled(bench: &Bench, id: &str, index: u64, fill: u8) {
    let bytes = vec![fill; BLOCK];
    let answer = put(bench, id, index, &bytes, &checksum(&bytes));
    assert_eq!((answer.status, answer.header("x-amz-checksum")), (201, checksum(&bytes).as_str()));
}

fn complete(bench: &Bench, id: &str, fills: &[u8]) -> Answer {
    let all: Vec<u8> = fills.iter().flat_map(|fill| Sha256::digest(vec![*fill; BLOCK])).collect();
    let headers = format!(
        "x-amz-ChangedBlocksCount: {}\r\nx-amz-Checksum: {}\r\nx-amz-Checksum-Algorithm: SHA256\r\n\
         x-amz-Checksum-Aggregation-Method: LINEAR\r\n",
        fills.len(),
        checksum(&all)
    );
    bench.send_with("POST", &format!("/snapshots/completion/{id}"), EBS, &headers, b"")
}

fn reason(answer: &Answer) -> (u16, String) {
    (answer.status, answer.json()["Reason"].as_str().unwrap_or_default().to_owned())
}

fn indexes(answer: &Answer, list: &str) -> Vec<u64> {
    let document = answer.json();
    document[list].as_array().unwrap().iter().map(|block| block["BlockIndex"].as_u64().unwrap()).collect()
}

#[test]
fn a_disk_that_was_sent_becomes_an_image_with_that_very_snapshot() {
    let (bench, time) = bench();
    let id = started(
        &bench,
        &json!({ "VolumeSize": 1, "Description": "mine", "Tags": [{"Key": "a", "Value": "b"}] }),
    );
    put_filled(&bench, &id, 2047, 9);
    put_filled(&bench, &id, 0, 7);
    let pending = bench.ec2(&format!("Action=DescribeSnapshots&SnapshotId.1={id}")).text();
    assert_eq!(between(&pending, "<status>", "</status>"), "pending");
    assert_eq!(
        reason(&bench.ebs(&format!("/snapshots/{id}/blocks"))).0,
        404,
        "a pending snapshot cannot be read"
    );
    assert_eq!(complete(&bench, &id, &[7, 9]).status, 202);

    let register = format!(
        "Action=RegisterImage&Name=mine-1&Architecture=x86_64&VirtualizationType=hvm&RootDeviceName=/dev/xvda&\
         BlockDeviceMapping.1.DeviceName=/dev/xvda&BlockDeviceMapping.1.Ebs.SnapshotId={id}&\
         BlockDeviceMapping.1.Ebs.VolumeType=gp3&EnaSupport=true&BootMode=uefi-preferred&ImdsSupport=v2.0&\
         TagSpecification.1.ResourceType=image&TagSpecification.1.Tag.1.Key=k&TagSpecification.1.Tag.1.Value=v"
    );
    let early = bench.ec2(&register);
    assert_eq!(code(&early), (400, "InvalidParameterValue".to_owned()), "the snapshot is pending");
    time.fetch_add(5, Ordering::SeqCst);
    let image = bench.ec2(&register);
    assert_eq!(image.status, 200, "{}", image.text());
    let image = between(&image.text(), "<imageId>", "</imageId>");
    let shown = bench.ec2(&format!("Action=DescribeImages&ImageId.1={image}")).text();
    for (element, value) in [
        ("snapshotId", id.as_str()),
        ("bootMode", "uefi-preferred"),
        ("enaSupport", "true"),
        ("imdsSupport", "v2.0"),
        ("volumeSize", "1"),
        ("platformDetails", "Linux/UNIX"),
        ("key", "k"),
    ] {
        assert_eq!(between(&shown, &format!("<{element}>"), &format!("</{element}>")), value);
    }

    let list = bench.ebs(&format!("/snapshots/{id}/blocks"));
    assert_eq!(indexes(&list, "Blocks"), [0, 2047]);
    let token =
        list.json()["Blocks"][1]["BlockToken"].as_str().unwrap().replace('+', "%2B").replace('/', "%2F");
    let block = bench.ebs(&format!("/snapshots/{id}/blocks/2047?blockToken={token}"));
    assert!(block.body == vec![9; BLOCK]);

    assert_eq!(code(&bench.ec2(&register)), (400, "InvalidAMIName.Duplicate".to_owned()));
    let delete = format!("Action=DeleteSnapshot&SnapshotId={id}");
    assert_eq!(code(&bench.ec2(&delete)), (400, "InvalidSnapshot.InUse".to_owned()));
    let dry = bench.ec2(&format!("Action=DeregisterImage&ImageId={image}&DryRun=true"));
    assert_eq!(code(&dry), (412, "DryRunOperation".to_owned()));
    let gone = bench.ec2(&format!("Action=DeregisterImage&ImageId={image}&DeleteAssociatedSnapshots=true"));
    assert_eq!(between(&gone.text(), "<returnCode>", "</returnCode>"), "success");
    let again = bench.ec2(&format!("Action=DeregisterImage&ImageId={image}"));
    assert_eq!(code(&again), (400, "InvalidAMIID.Unavailable".to_owned()));
    assert_eq!(code(&bench.ec2(&delete)), (400, "InvalidSnapshot.NotFound".to_owned()));
}

#[test]
fn a_snapshot_upon_another_has_its_blocks_and_tells_what_changed() {
    let (bench, time) = bench();
    let first = started(&bench, &json!({ "VolumeSize": 1 }));
    put_filled(&bench, &first, 0, 1);
    put_filled(&bench, &first, 1, 2);
    assert_eq!(complete(&bench, &first, &[1, 2]).status, 202);
    time.fetch_add(5, Ordering::SeqCst);
    let second = started(&bench, &json!({ "VolumeSize": 2, "ParentSnapshotId": first }));
    put_filled(&bench, &second, 1, 0);
    put_filled(&bench, &second, 3000, 3);
    assert_eq!(complete(&bench, &second, &[0, 3]).status, 202);
    time.fetch_add(5, Ordering::SeqCst);
    assert_eq!(indexes(&bench.ebs(&format!("/snapshots/{second}/blocks")), "Blocks"), [0, 3000]);
    let changed = bench.ebs(&format!("/snapshots/{second}/changedblocks?firstSnapshotId={first}"));
    assert_eq!(indexes(&changed, "ChangedBlocks"), [1, 3000]);
    let other = started(&bench, &json!({ "VolumeSize": 1 }));
    assert_eq!(complete(&bench, &other, &[]).status, 202);
    time.fetch_add(5, Ordering::SeqCst);
    let unrelated = bench.ebs(&format!("/snapshots/{second}/changedblocks?firstSnapshotId={other}"));
    assert_eq!(reason(&unrelated), (400, "UNRELATED_SNAPSHOTS".to_owned()));
    // The first may go: the second keeps what it has of it.
    assert_eq!(bench.ec2(&format!("Action=DeleteSnapshot&SnapshotId={first}")).status, 200);
    assert_eq!(indexes(&bench.ebs(&format!("/snapshots/{second}/blocks")), "Blocks"), [0, 3000]);
}

#[test]
fn a_token_makes_one_snapshot_and_wrong_requests_are_refused() {
    let (bench, _) = bench();
    let body = json!({ "VolumeSize": 1, "ClientToken": "once" });
    let id = started(&bench, &body);
    assert_eq!(started(&bench, &body), id);
    let conflict = start(&bench, &json!({ "VolumeSize": 2, "ClientToken": "once" }));
    assert_eq!((conflict.status, conflict.header("x-amzn-errortype")), (409, "ConflictException"));
    for (body, expected) in [
        (json!({ "VolumeSize": 0 }), "INVALID_VOLUME_SIZE"),
        (json!({ "VolumeSize": 1, "Timeout": 5 }), "INVALID_PARAMETER_VALUE"),
        (
            json!({ "VolumeSize": 1, "Encrypted": true, "ParentSnapshotId": "snap-00000000" }),
            "INVALID_PARAMETER_VALUE",
        ),
        (json!({ "VolumeSize": 1, "Tags": [{"Key": "aws:x", "Value": ""}] }), "INVALID_TAG"),
        (json!({ "VolumeSize": 1, "Colour": "red" }), "INVALID_PARAMETER_VALUE"),
    ] {
        assert_eq!(reason(&start(&bench, &body)), (400, expected.to_owned()), "{body}");
    }
    let bytes = vec![1; BLOCK];
    for (answer, expected) in [
        (put(&bench, &id, 0, &bytes, &checksum(b"other")), "INVALID_PARAMETER_VALUE"),
        (put(&bench, &id, 2048, &bytes, &checksum(&bytes)), "INVALID_BLOCK"),
        (put(&bench, &id, 0, &bytes[1..], &checksum(&bytes[1..])), "INVALID_PARAMETER_VALUE"),
        (complete(&bench, &id, &[1]), "INVALID_PARAMETER_VALUE"),
    ] {
        assert_eq!(reason(&answer), (400, expected.to_owned()));
    }
    put_filled(&bench, &id, 0, 1);
    assert_eq!(reason(&complete(&bench, &id, &[2])).0, 400, "the checksum is of other blocks");
    assert_eq!(complete(&bench, &id, &[1]).status, 202);
    assert_eq!(reason(&put(&bench, &id, 0, &bytes, &checksum(&bytes))).1, "INVALID_SNAPSHOT_ID");
    assert_eq!(put(&bench, "snap-00000000", 0, &bytes, &checksum(&bytes)).status, 404);
    assert_eq!(BLOCK as u64, BLOCK_BYTES);
}

#[test]
fn a_snapshot_that_waits_too_long_is_given_up() {
    let (bench, time) = bench();
    let id = started(&bench, &json!({ "VolumeSize": 1, "Timeout": 10 }));
    time.fetch_add(599, Ordering::SeqCst);
    put_filled(&bench, &id, 0, 1);
    time.fetch_add(601, Ordering::SeqCst);
    assert_eq!(reason(&complete(&bench, &id, &[1])), (400, "WRITE_REQUEST_TIMEOUT".to_owned()));
    let shown = bench.ec2(&format!("Action=DescribeSnapshots&SnapshotId.1={id}")).text();
    assert_eq!(between(&shown, "<status>", "</status>"), "error");
}

#[test]
fn tags_are_added_and_removed_on_all_resources_or_on_none() {
    let bench = Bench::new(true);
    let images = bench.ec2("Action=DescribeImages").text();
    let (image, snapshot) =
        (between(&images, "<imageId>", "</imageId>"), between(&images, "<snapshotId>", "</snapshotId>"));
    let tag = |ids: &str| bench.ec2(&format!("Action=CreateTags&{ids}&Tag.1.Key=team&Tag.1.Value=x"));
    let has = |filter: &str| bench.ec2(&format!("Action=DescribeImages&{filter}")).text().contains(&image);
    let failed = tag(&format!("ResourceId.1={image}&ResourceId.2=snap-00000000"));
    assert_eq!(code(&failed), (400, "InvalidSnapshot.NotFound".to_owned()));
    assert!(!has("Filter.1.Name=tag:team&Filter.1.Value.1=x"));
    assert_eq!(tag(&format!("ResourceId.1={image}&ResourceId.2={snapshot}")).status, 200);
    assert!(has("Filter.1.Name=tag:team&Filter.1.Value.1=x"));
    let told = bench.ec2("Action=DescribeTags&Filter.1.Name=key&Filter.1.Value.1=team&MaxResults=5").text();
    for id in [&image, &snapshot] {
        assert!(told.contains(&format!("<resourceId>{id}</resourceId>")), "{told}");
    }
    let narrow =
        "Filter.1.Name=resource-type&Filter.1.Value.1=image&Filter.2.Name=tag:team&Filter.2.Value.1=y";
    assert!(!bench.ec2(&format!("Action=DescribeTags&{narrow}")).text().contains("<resourceId>"));
    let other = bench.ec2(&format!("Action=DeleteTags&ResourceId.1={image}&Tag.1.Key=team&Tag.1.Value=y"));
    assert_eq!(other.status, 200);
    assert!(has("Filter.1.Name=tag-key&Filter.1.Value.1=team"), "the value was another one");
    bench.ec2(&format!("Action=DeleteTags&ResourceId.1={image}&Tag.1.Key=team"));
    assert!(!has("Filter.1.Name=tag-key&Filter.1.Value.1=team"));
    let reserved =
        bench.ec2(&format!("Action=CreateTags&ResourceId.1={image}&Tag.1.Key=aws:x&Tag.1.Value=y"));
    assert_eq!(code(&reserved), (400, "InvalidParameterValue".to_owned()));
}

#[test]
fn a_copy_in_another_region_has_blocks_of_its_own_and_is_made_once() {
    let (bench, time) = bench();
    let images = bench.ec2("Action=DescribeImages").text();
    let source = between(&images, "<imageId>", "</imageId>");
    let there = |body: &str| bench.send("POST", "/", "eu-west-1/ec2", &format!("Version=2016-11-15&{body}"));
    let copy = format!(
        "Action=CopyImage&Name=copy-1&SourceImageId={source}&SourceRegion=us-east-1&ClientToken=t&CopyImageTags=true"
    );
    let id = between(&there(&copy).text(), "<imageId>", "</imageId>");
    assert_eq!(between(&there(&copy).text(), "<imageId>", "</imageId>"), id);
    let changed = there(&format!("{copy}&Description=x"));
    assert_eq!(code(&changed), (400, "IdempotentParameterMismatch".to_owned()));
    let shown = there(&format!("Action=DescribeImages&ImageId.1={id}")).text();
    assert_eq!(between(&shown, "<imageState>", "</imageState>"), "pending");
    assert_eq!(between(&shown, "<sourceImageId>", "</sourceImageId>"), source);
    assert!(shown.contains("amint:name"), "its tags were asked for");
    time.fetch_add(60, Ordering::SeqCst);
    let shown = there(&format!("Action=DescribeImages&ImageId.1={id}")).text();
    assert_eq!(between(&shown, "<imageState>", "</imageState>"), "available");
    let snapshot = between(&shown, "<snapshotId>", "</snapshotId>");
    assert_ne!(snapshot, between(&images, "<snapshotId>", "</snapshotId>"));
    let blocks = bench.send("GET", &format!("/snapshots/{snapshot}/blocks"), "eu-west-1/ebs", "");
    assert_eq!(indexes(&blocks, "Blocks"), [0, 2]);
}

#[test]
fn what_was_not_done_keeps_nothing_in_the_store() {
    let bench = Bench::new(true);
    let images = bench.ec2("Action=DescribeImages").text();
    let (source, snapshot) =
        (between(&images, "<imageId>", "</imageId>"), between(&images, "<snapshotId>", "</snapshotId>"));
    let copy = format!("Action=CopyImage&Name=copy-1&SourceImageId={source}&SourceRegion=us-east-1");
    let register = format!(
        "Action=RegisterImage&Name=mine-1&Architecture=x86_64&VirtualizationType=hvm&RootDeviceName=/dev/xvda&\
         BlockDeviceMapping.1.DeviceName=/dev/xvda&BlockDeviceMapping.1.Ebs.SnapshotId={snapshot}"
    );
    for request in [&copy, &register] {
        assert_eq!(bench.ec2(&format!("{request}&DryRun=true")).status, 412);
        assert_eq!(code(&bench.ec2(&format!("{request}&Colour=red"))).1, "UnknownParameter");
    }
    assert!(bench.store().pins().unwrap().is_empty());
    assert_eq!(bench.ec2(&register).status, 200);
    assert_eq!(bench.ec2(&format!("{register}&DryRun=true")).status, 400, "the name is taken");
    let pins = bench.store().pins().unwrap();
    assert_eq!(pins.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), [snapshot.as_str()]);
}
