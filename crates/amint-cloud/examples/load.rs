//! Drives an endpoint with EBS direct calls, for `bench/cloud`: the same bytes and requests for every endpoint.
//!
//!     load HOST:PORT put BLOCKS THREADS SEED sends a disk; prints MB/s and the snapshot
//!     load HOST:PORT get SNAPSHOT THREADS    reads it back; prints MB/s
//!     load HOST:PORT images COUNT THREADS    registers COUNT images of one snapshot, and lists them by pages

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a tool of benchmarks that may stop at the first surprise"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

const BLOCK_BYTES: usize = 512 * 1024;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        [host, "put", blocks, threads, seed] => {
            put(host, blocks.parse().unwrap(), threads.parse().unwrap(), seed.parse().unwrap());
        }
        [host, "get", snapshot, threads] => get(host, snapshot, threads.parse().unwrap()),
        [host, "images", count, threads] => images(host, count.parse().unwrap(), threads.parse().unwrap()),
        _ => panic!("load HOST:PORT put|get|images …"),
    }
}

/// One connection that is kept.
struct Connection {
    reader: BufReader<TcpStream>,
    host: String,
}

struct Answer {
    head: String,
    body: Vec<u8>,
}

impl Connection {
    fn open(host: &str) -> Self {
        let stream = TcpStream::connect(host).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { reader: BufReader::with_capacity(1 << 20, stream), host: host.to_owned() }
    }

    fn ask(&mut self, method: &str, path: &str, service: &str, headers: &str, body: &[u8]) -> Answer {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n{headers}X-Amz-Date: 20260101T000000Z\r\n\
             X-Amz-Content-SHA256: UNSIGNED-PAYLOAD\r\nAuthorization: AWS4-HMAC-SHA256 \
             Credential=AKIAAMINTBENCH/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature={}\r\n\r\n",
            self.host,
            body.len(),
            "0".repeat(64)
        );
        let stream = self.reader.get_mut();
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            assert!(self.reader.read_line(&mut line).unwrap() > 0, "{method} {path}: no answer");
            if line.trim_end().is_empty() {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            head.push_str(&line);
        }
        let mut body = vec![0; length];
        self.reader.read_exact(&mut body).unwrap();
        if head.to_ascii_lowercase().contains("connection: close") {
            *self = Self::open(&self.host);
        }
        assert!(head.starts_with("HTTP/1.1 2"), "{method} {path}: {head}{}", String::from_utf8_lossy(&body));
        Answer { head, body }
    }
}

/// Returns what stands between two words of an answer.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.split_once(before)?.1.split_once(after).map(|(value, _)| value)
}

/// A block whose bytes nobody can compress or keep once.
fn block(number: usize, seed: u64) -> Vec<u8> {
    let mut state = (number as u64 + 1 + (seed << 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut bytes = Vec::with_capacity(BLOCK_BYTES);
    while bytes.len() < BLOCK_BYTES {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes
}

/// Runs `work` for each number below `count` on `threads` connections.
fn spread(host: &str, count: usize, threads: usize, work: impl Fn(&mut Connection, usize) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut connection = Connection::open(host);
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        break;
                    }
                    work(&mut connection, number);
                }
            });
        }
    });
}

#[expect(clippy::cast_precision_loss, reason = "a figure to read")]
fn rate(blocks: usize, start: Instant) -> f64 {
    (blocks * BLOCK_BYTES) as f64 / 1e6 / start.elapsed().as_secs_f64()
}

fn put(host: &str, count: usize, threads: usize, seed: u64) {
    // Making the bytes and their digests is the client's own affair, and not measured.
    let blocks: Vec<(Vec<u8>, String)> = (0..count)
        .map(|number| {
            let bytes = block(number, seed);
            let digest = STANDARD.encode(Sha256::digest(&bytes));
            (bytes, digest)
        })
        .collect();
    let gib = (count * BLOCK_BYTES).div_ceil(1 << 30);
    let mut connection = Connection::open(host);
    let start = Instant::now();
    let json = "Content-Type: application/json\r\n";
    let begun =
        connection.ask("POST", "/snapshots", "ebs", json, format!("{{\"VolumeSize\": {gib}}}").as_bytes());
    let text = String::from_utf8_lossy(&begun.body).into_owned();
    let snapshot = between(&text, "\"snap-", "\"").map(|rest| format!("snap-{rest}")).unwrap();
    spread(host, count, threads, |connection, number| {
        let (bytes, digest) = &blocks[number];
        let headers = format!(
            "x-amz-Data-Length: {BLOCK_BYTES}\r\nx-amz-Checksum: {digest}\r\nx-amz-Checksum-Algorithm: SHA256\r\n"
        );
        connection.ask("PUT", &format!("/snapshots/{snapshot}/blocks/{number}"), "ebs", &headers, bytes);
    });
    let headers = format!("x-amz-ChangedBlocksCount: {count}\r\n");
    connection.ask("POST", &format!("/snapshots/completion/{snapshot}"), "ebs", &headers, b"");
    println!("{:.0} {snapshot}", rate(count, start));
}

fn get(host: &str, snapshot: &str, threads: usize) {
    let mut connection = Connection::open(host);
    let start = Instant::now();
    let mut tokens: Vec<(String, String)> = Vec::new();
    let mut next: Option<String> = None;
    loop {
        let page = next.map_or(String::new(), |token| format!("&pageToken={token}"));
        let answer = connection.ask(
            "GET",
            &format!("/snapshots/{snapshot}/blocks?maxResults=10000{page}"),
            "ebs",
            "",
            b"",
        );
        let list: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        for found in list["Blocks"].as_array().unwrap() {
            let token = found["BlockToken"].as_str().unwrap();
            let token = token.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
            tokens.push((found["BlockIndex"].to_string(), token));
        }
        match list["NextToken"].as_str() {
            Some(token) => next = Some(token.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")),
            None => break,
        }
    }
    spread(host, tokens.len(), threads, |connection, number| {
        let (index, token) = &tokens[number];
        let path = format!("/snapshots/{snapshot}/blocks/{index}?blockToken={token}");
        let answer = connection.ask("GET", &path, "ebs", "", b"");
        assert_eq!(answer.body.len(), BLOCK_BYTES, "{}", answer.head);
    });
    println!("{:.0}", rate(tokens.len(), start));
}

fn query(connection: &mut Connection, action: &str, parameters: &str) -> String {
    let body = format!("Action={action}&Version=2016-11-15{parameters}");
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let answer = connection.ask("POST", "/", "ec2", form, body.as_bytes());
    String::from_utf8(answer.body).unwrap()
}

fn images(host: &str, count: usize, threads: usize) {
    let mut connection = Connection::open(host);
    let listed = query(&mut connection, "DescribeSnapshots", "&Owner.1=self");
    let snapshot = between(&listed, "<snapshotId>", "<").unwrap().to_owned();
    let start = Instant::now();
    spread(host, count, threads, |connection, number| {
        let parameters = format!(
            "&Name=bench-{number}&RootDeviceName=/dev/xvda&Architecture=x86_64&VirtualizationType=hvm\
             &BlockDeviceMapping.1.DeviceName=/dev/xvda&BlockDeviceMapping.1.Ebs.SnapshotId={snapshot}"
        );
        query(connection, "RegisterImage", &parameters);
    });
    println!("registered {count} in {:.1} s", start.elapsed().as_secs_f64());
    let (start, mut seen, mut pages, mut token) = (Instant::now(), 0, 0, String::new());
    loop {
        let page = query(&mut connection, "DescribeImages", &format!("&Owner.1=self&MaxResults=1000{token}"));
        seen += page.matches("<imageId>").count();
        pages += 1;
        match between(&page, "<nextToken>", "<") {
            Some(next) => {
                let next = next.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
                token = format!("&NextToken={next}");
            }
            None => break,
        }
    }
    println!("listed {seen} in {pages} pages in {:.2} s", start.elapsed().as_secs_f64());
}
