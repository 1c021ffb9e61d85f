//! The endpoint over real HTTP, with a store of one small image.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

use amint_cloud::{AccessKey, Endpoint, EndpointOptions, World};
use amint_store::{PutRequest, Store};
use amint_types::{Architecture, BLOCK_BYTES, BlockSource, Cancel};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// A disk whose second block is zero and whose last one is short.
struct Disk(Vec<u8>);

impl BlockSource for Disk {
    fn disk_bytes(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_block(&self, index: u64, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        let start = usize::try_from(index * BLOCK_BYTES).unwrap();
        let end = self.0.len().min(start + usize::try_from(BLOCK_BYTES).unwrap());
        let block = &self.0[start..end];
        if block.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        buffer[..block.len()].copy_from_slice(block);
        Ok(Some(block.len()))
    }
}

fn disk() -> Disk {
    let block = usize::try_from(BLOCK_BYTES).unwrap();
    let mut bytes = vec![0; 2 * block + 4096];
    bytes[..block].fill(7);
    bytes[2 * block..].fill(9);
    Disk(bytes)
}

struct Bench {
    _folder: TempDir,
    address: SocketAddr,
}

struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value.trim())
    }
}

impl Bench {
    fn new(is_open: bool) -> Self {
        let folder = TempDir::new().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let request = PutRequest {
            name: "web".parse().unwrap(),
            version: "1.4+b1".parse().unwrap(),
            architecture: Architecture::X86_64,
            created_at: "2026-01-02T03:04:05Z".parse().unwrap(),
            documents: Vec::new(),
        };
        store.put(&request, &disk(), &|_, _| {}, &Cancel::new()).unwrap();
        let key = AccessKey::from_secret_text("AKIAEXAMPLE secret").unwrap();
        let endpoint = Endpoint::new(World::new(store, "us-east-1"), EndpointOptions { key, is_open });
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        listener.set_nonblocking(true).unwrap();
        // Ends with the test's process.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                endpoint.serve(listener).await.unwrap();
            });
        });
        Self { _folder: folder, address }
    }

    fn send(&self, method: &str, target: &str, scope: &str, body: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let authorization = if scope.is_empty() {
            String::new()
        } else {
            format!(
                "Authorization: AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260102/{scope}/aws4_request, \
                 SignedHeaders=host, Signature=00\r\n"
            )
        };
        write!(
            stream,
            "{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{authorization}Content-Length: \
             {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(answer[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head, body: answer[end + 4..].to_vec() }
    }

    fn ec2(&self, body: &str) -> Answer {
        self.send("POST", "/", "us-east-1/ec2", &format!("Version=2016-11-15&{body}"))
    }

    fn ebs(&self, target: &str) -> Answer {
        self.send("GET", target, "us-east-1/ebs", "")
    }

    fn snapshot_id(&self) -> String {
        between(&self.ec2("Action=DescribeImages").text(), "<snapshotId>", "</snapshotId>")
    }
}

fn between(text: &str, start: &str, end: &str) -> String {
    text.split_once(start).unwrap().1.split_once(end).unwrap().0.to_owned()
}

#[test]
fn images_of_the_store_are_amis_with_their_own_snapshot() {
    let bench = Bench::new(true);
    let text = bench.ec2("Action=DescribeImages&Owner.1=self").text();
    assert_eq!(between(&text, "<name>", "</name>"), "web-1.4-b1");
    let image_id = between(&text, "<imageId>", "</imageId>");
    let snapshot_id = between(&text, "<snapshotId>", "</snapshotId>");
    let snapshots = bench.ec2(&format!("Action=DescribeSnapshots&SnapshotId.1={snapshot_id}")).text();
    assert_eq!(between(&snapshots, "<volumeSize>", "</volumeSize>"), "1");
    for (filter, is_found) in [
        ("Filter.1.Name=name&Filter.1.Value.1=web-*", true),
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
        ("Action=RunInstances", 400, "InvalidAction"),
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
