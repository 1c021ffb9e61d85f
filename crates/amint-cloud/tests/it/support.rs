//! An endpoint over real HTTP.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use amint_cloud::{AccessKey, Clock, Endpoint, EndpointOptions, MachineOptions, World, WorldOptions};
use amint_guest::imds::IdentityKeys;
use amint_identity::local::LocalKeys;
use amint_store::{PutRequest, Store};
use amint_types::{Architecture, BLOCK_BYTES, BlockSource, Cancel};
use jiff::Timestamp;
use serde_json::Value;
use tempfile::TempDir;

/// A disk whose second block is zero and whose last one is short.
pub(crate) struct Disk(pub(crate) Vec<u8>);

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

pub(crate) fn disk() -> Disk {
    let block = usize::try_from(BLOCK_BYTES).unwrap();
    let mut bytes = vec![0; 2 * block + 4096];
    bytes[..block].fill(7);
    bytes[2 * block..].fill(9);
    Disk(bytes)
}

/// An endpoint of its own, with a store of one image.
pub(crate) struct Bench {
    folder: TempDir,
    pub(crate) address: SocketAddr,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Returns the status and the code of an error.
    pub(crate) fn code(&self) -> (u16, String) {
        (self.status, between(&self.text(), "<Code>", "</Code>"))
    }

    /// Returns the texts of all elements of a name.
    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        let (start, end) = (format!("<{name}>"), format!("</{name}>"));
        let text = self.text();
        let parts = text.split(&start).skip(1);
        parts.map(|part| part.split(&end).next().unwrap().to_owned()).collect()
    }

    /// Returns the text of the only element of a name.
    pub(crate) fn one(&self, name: &str) -> String {
        let mut all = self.all(name);
        assert_eq!(all.len(), 1, "{name} in {}", self.text());
        all.remove(0)
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value.trim())
    }
}

impl Bench {
    pub(crate) fn new(is_open: bool) -> Self {
        Self::with(is_open, WorldOptions::default())
    }

    /// Makes one whose time the test moves.
    pub(crate) fn timed() -> (Self, Time) {
        Self::timed_with("")
    }

    /// Makes one whose time the test moves, and where something goes wrong.
    pub(crate) fn timed_with(chaos: &str) -> (Self, Time) {
        let (clock, time) = Self::clock();
        let chaos = chaos.parse().unwrap();
        (Self::with(true, WorldOptions { clock, chaos, ..WorldOptions::default() }), time)
    }

    /// Makes a clock that the test moves.
    pub(crate) fn clock() -> (Clock, Time) {
        let time = Time(Arc::new(AtomicI64::new(1_800_000_000)));
        let now = Arc::clone(&time.0);
        (Clock::with(1, move || Timestamp::from_second(now.load(Ordering::SeqCst)).unwrap()), time)
    }

    /// Makes one whose world behaves as told: with a clock that the test moves, or small pages.
    pub(crate) fn with(is_open: bool, options: WorldOptions) -> Self {
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
        let endpoint = Endpoint::new(World::open(store, options).unwrap(), EndpointOptions { key, is_open });
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
        Self { folder, address }
    }

    /// Makes one whose instances have machines; none, and a word about it, where QEMU is not installed.
    pub(crate) fn with_machines(count_max: u32) -> Option<(Self, TempDir)> {
        if std::process::Command::new("qemu-system-x86_64").arg("--version").output().is_err() {
            eprintln!("SKIPPED: qemu-system-x86_64 is not installed");
            return None;
        }
        let folder = TempDir::new().unwrap();
        let options =
            WorldOptions { machines: Some(machines(&folder, count_max)), ..WorldOptions::default() };
        Some((Self::with(true, options), folder))
    }

    pub(crate) fn send(&self, method: &str, target: &str, scope: &str, body: &str) -> Answer {
        self.send_with(method, target, scope, "", body.as_bytes())
    }

    /// Sends a request with further headers, each ended as HTTP ends lines.
    pub(crate) fn send_with(
        &self,
        method: &str,
        target: &str,
        scope: &str,
        headers: &str,
        body: &[u8],
    ) -> Answer {
        self.send_by("AKIAEXAMPLE", method, target, scope, headers, body)
    }

    /// Sends a request of whoever has a key.
    fn send_by(
        &self,
        key: &str,
        method: &str,
        target: &str,
        scope: &str,
        headers: &str,
        body: &[u8],
    ) -> Answer {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let authorization = if scope.is_empty() {
            String::new()
        } else {
            format!(
                "Authorization: AWS4-HMAC-SHA256 Credential={key}/20260102/{scope}/aws4_request, \
                 SignedHeaders=host, Signature=00\r\n"
            )
        };
        write!(
            stream,
            "{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{authorization}{headers}Content-Length: \
             {}\r\n\r\n",
            body.len()
        )
        .unwrap();
        // A request that is refused early is answered before it was read.
        let _ = stream.write_all(body);
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(answer[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head, body: answer[end + 4..].to_vec() }
    }

    pub(crate) fn ec2(&self, body: &str) -> Answer {
        self.send("POST", "/", "us-east-1/ec2", &format!("Version=2016-11-15&{body}"))
    }

    /// Asks a service of the Query protocol as whoever has a key, with the token of its session.
    pub(crate) fn query_by(&self, by: (&str, &str), scope: &str, body: &str) -> Answer {
        let (key, token) = by;
        let token =
            if token.is_empty() { String::new() } else { format!("X-Amz-Security-Token: {token}\r\n") };
        self.send_by(key, "POST", "/", scope, &token, format!("Action={body}").as_bytes())
    }

    /// Asks a service of JSON 1.1.
    pub(crate) fn target(&self, scope: &str, target: &str, body: &Value) -> Answer {
        let headers = format!("X-Amz-Target: {target}\r\nContent-Type: application/x-amz-json-1.1\r\n");
        self.send_with("POST", "/", scope, &headers, body.to_string().as_bytes())
    }

    /// Does what has to succeed.
    pub(crate) fn did(&self, body: &str) -> Answer {
        let answer = self.ec2(&format!("Action={body}"));
        assert_eq!(answer.status, 200, "{body}: {}", answer.text());
        answer
    }

    /// Does what has to fail, and returns the code.
    pub(crate) fn refused(&self, body: &str) -> String {
        let answer = self.ec2(&format!("Action={body}"));
        assert_eq!(answer.status, 400, "{body}: {}", answer.text());
        answer.code().1
    }

    pub(crate) fn image_id(&self) -> String {
        self.did("DescribeImages").one("imageId")
    }

    /// Copies the snapshot of the store's image: an image has the one, and none has the other.
    pub(crate) fn free_snapshot(&self, time: &Time) -> String {
        let source = self.snapshot_id();
        let copy = self.did(&format!("CopySnapshot&SourceRegion=us-east-1&SourceSnapshotId={source}"));
        time.pass(60);
        copy.one("snapshotId")
    }

    pub(crate) fn ebs(&self, target: &str) -> Answer {
        self.send("GET", target, "us-east-1/ebs", "")
    }

    /// Opens the store of the endpoint once more.
    pub(crate) fn store(&self) -> Store {
        Store::open(self.folder.path()).unwrap()
    }

    pub(crate) fn snapshot_id(&self) -> String {
        between(&self.ec2("Action=DescribeImages").text(), "<snapshotId>", "</snapshotId>")
    }
}

/// The time of an endpoint.
pub(crate) struct Time(Arc<AtomicI64>);

/// Seconds of a day.
pub(crate) const DAY: i64 = 86_400;

impl Time {
    pub(crate) fn pass(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

pub(crate) fn machines(folder: &TempDir, count_max: u32) -> MachineOptions {
    MachineOptions {
        folder: folder.path().to_owned(),
        // No guest here comes so far as to ask for its metadata.
        bridge: vec!["/bin/false".into()],
        identity: IdentityKeys::new(LocalKeys::generate().unwrap()),
        count_max,
        memory_mib_max: 2048,
        is_let_out: false,
    }
}
/// Waits for what has to come.
pub(crate) fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_mins(1);
    while !is_so() {
        assert!(Instant::now() < end, "{what} does not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}
pub(crate) fn code(answer: &Answer) -> (u16, String) {
    (answer.status, between(&answer.text(), "<Code>", "</Code>"))
}
pub(crate) fn between(text: &str, start: &str, end: &str) -> String {
    text.split_once(start).unwrap().1.split_once(end).unwrap().0.to_owned()
}
