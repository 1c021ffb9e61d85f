//! The metadata service as a guest sees it: real HTTP over a Unix socket, no QEMU.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use amint_types::Architecture;
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{HeaderMap, Request};
use hyper_util::rt::TokioIo;
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use tokio::net::{UnixListener, UnixStream};

use super::*;
use crate::clock::Clock;

const TOKEN: &str = "X-aws-ec2-metadata-token";
const TTL: &str = "X-aws-ec2-metadata-token-ttl-seconds";

struct ManualClock(Mutex<Timestamp>);

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

struct Bench {
    folder: TempDir,
    clock: Arc<ManualClock>,
    service: ImdsService,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

fn metadata() -> Metadata {
    let mac = "0e:11:22:33:44:55".to_owned();
    let key = LoginKey { name: "my-key".to_owned(), openssh: "ssh-ed25519 AAAA me".to_owned() };
    Metadata {
        login_keys: vec![key],
        ..Metadata::for_test(Architecture::X86_64, mac, "2026-01-02T03:04:05Z".parse().unwrap())
    }
}

impl Bench {
    fn new(metadata: &Metadata) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock(Mutex::new("2026-01-02T03:04:05Z".parse().unwrap())));
        let service = ImdsService::new(metadata, Arc::clone(&clock) as Arc<dyn Clock>);
        let listener = UnixListener::bind(folder.path().join("imds")).unwrap();
        tokio::spawn(service.clone().serve(listener));
        Self { folder, clock, service }
    }

    async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let stream = UnixStream::connect(self.folder.path().join("imds")).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let mut request = Request::builder().method(method).uri(path).header("Host", "169.254.169.254");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Empty::<Bytes>::new()).unwrap();
        let response = sender.send_request(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body = String::from_utf8(body.to_vec()).unwrap();
        Answer { status: head.status.as_u16(), headers: head.headers, body }
    }

    async fn token(&self) -> String {
        let answer = self.ask("PUT", "/latest/api/token", &[(TTL, "60")]).await;
        assert_eq!((answer.status, answer.header(TTL)), (200, "60"));
        answer.body
    }

    /// Reads `path` with a token: the body, or the status when it is not 200.
    async fn get(&self, path: &str) -> Result<String, u16> {
        let answer = self.ask("GET", path, &[(TOKEN, &self.token().await)]).await;
        if answer.status == 200 { Ok(answer.body) } else { Err(answer.status) }
    }

    fn advance(&self, seconds: i64) {
        *self.clock.0.lock().unwrap() += SignedDuration::from_secs(seconds);
    }
}

#[tokio::test]
async fn nothing_is_told_without_a_token() {
    let bench = Bench::new(&metadata());
    for path in ["/", "/latest/", "/latest/meta-data/instance-id", "/latest/user-data", "/latest/no-such"] {
        assert_eq!(bench.ask("GET", path, &[]).await.status, 401, "{path}");
        assert_eq!(bench.ask("GET", path, &[(TOKEN, "guess")]).await.status, 401, "{path}");
        assert_eq!(bench.ask("GET", path, &[(TOKEN, "")]).await.status, 401, "{path}");
    }
}

#[tokio::test]
async fn token_needs_a_life_in_the_range_of_ec2() {
    let bench = Bench::new(&metadata());
    assert_eq!(bench.ask("PUT", "/latest/api/token", &[]).await.status, 400);
    for ttl in ["0", "21601", "-1", "", "ten", "1e3"] {
        assert_eq!(bench.ask("PUT", "/latest/api/token", &[(TTL, ttl)]).await.status, 400, "{ttl}");
    }
    let answer = bench.ask("PUT", "/latest/api/token", &[(TTL, "21600")]).await;
    assert_eq!((answer.status, answer.header(TTL)), (200, "21600"));
    assert_eq!(answer.header("content-type"), "text/plain");
    assert_eq!(answer.header("server"), "EC2ws");
}

#[tokio::test]
async fn open_proxies_get_no_token() {
    let bench = Bench::new(&metadata());
    let headers = [(TTL, "60"), ("X-Forwarded-For", "203.0.113.7")];
    assert_eq!(bench.ask("PUT", "/latest/api/token", &headers).await.status, 403);
}

#[tokio::test]
async fn token_ends_when_its_time_is_over() {
    let bench = Bench::new(&metadata());
    let token = bench.token().await;
    bench.advance(59);
    let answer = bench.ask("GET", "/latest/meta-data/instance-id", &[(TOKEN, &token)]).await;
    assert_eq!((answer.status, answer.header(TTL)), (200, "1"));
    bench.advance(1);
    let answer = bench.ask("GET", "/latest/meta-data/instance-id", &[(TOKEN, &token)]).await;
    assert_eq!(answer.status, 401);
}

#[tokio::test]
async fn only_reading_methods_are_allowed() {
    let bench = Bench::new(&metadata());
    let token = bench.token().await;
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let answer = bench.ask(method, "/latest/meta-data/ami-id", &[(TOKEN, &token)]).await;
        assert_eq!((answer.status, answer.header("allow")), (405, "GET, HEAD"), "{method}");
    }
    for method in ["GET", "HEAD", "POST"] {
        let answer = bench.ask(method, "/latest/api/token", &[(TOKEN, &token), (TTL, "60")]).await;
        assert_eq!((answer.status, answer.header("allow")), (405, "PUT"), "{method}");
    }
    let head = bench.ask("HEAD", "/latest/meta-data/mac", &[(TOKEN, &token)]).await;
    assert_eq!((head.status, head.header("content-length"), head.body.as_str()), (200, "17", ""));
}

#[tokio::test]
async fn listings_look_like_those_of_ec2() {
    let bench = Bench::new(&metadata());
    let versions = bench.get("/").await.unwrap();
    assert!(versions.starts_with("2009-04-04\n") && versions.ends_with("\nlatest"), "{versions}");
    for path in ["/latest", "/latest/", "/2021-03-23/"] {
        assert_eq!(bench.get(path).await.unwrap(), "dynamic\nmeta-data", "{path}");
    }
    assert_eq!(
        bench.get("/latest/meta-data/").await.unwrap(),
        "ami-id\nami-launch-index\nami-manifest-path\nblock-device-mapping/\nhostname\ninstance-action\n\
         instance-id\ninstance-life-cycle\ninstance-type\nlocal-hostname\nlocal-ipv4\nmac\nnetwork/\n\
         placement/\nprofile\npublic-keys/\nreservation-id\nsecurity-groups\nservices/\nsystem"
    );
    assert_eq!(bench.get("/latest/meta-data/public-keys/").await.unwrap(), "0=my-key");
    assert_eq!(bench.get("/latest/meta-data/public-keys/0/").await.unwrap(), "openssh-key");
    let macs = bench.get("/2021-03-23/meta-data/network/interfaces/macs/").await.unwrap();
    assert_eq!(macs, "0e:11:22:33:44:55/");
}

#[tokio::test]
async fn every_listed_name_can_be_read() {
    let tags = BTreeMap::from([("Name".to_owned(), "web".to_owned())]);
    let metadata = Metadata { tags: Some(tags), product_codes: vec!["code".to_owned()], ..metadata() };
    let bench = Bench::new(&metadata);
    let mut folders = vec!["/latest/meta-data/".to_owned(), "/latest/dynamic/".to_owned()];
    let mut leaves = 0;
    while let Some(folder) = folders.pop() {
        for name in bench.get(&folder).await.unwrap().lines() {
            let name = name.split_once('=').map_or_else(|| name.to_owned(), |(index, _)| format!("{index}/"));
            let name = if name == "instance-identity" { "instance-identity/".to_owned() } else { name };
            let path = format!("{folder}{name}");
            if name.ends_with('/') {
                folders.push(path);
            } else {
                assert!(bench.get(&path).await.is_ok(), "{path}");
                leaves += 1;
            }
        }
    }
    assert!(leaves > 35, "{leaves}");
}

#[tokio::test]
async fn values_are_those_of_the_instance() {
    let metadata = Metadata {
        user_data: Some(b"#cloud-config\n".to_vec()),
        product_codes: vec!["one".to_owned(), "two".to_owned()],
        ..metadata()
    };
    let bench = Bench::new(&metadata);
    let document = identity_document(&metadata);
    for (path, expected) in [
        ("/latest/meta-data/instance-id", metadata.instance_id.as_str()),
        ("/2009-04-04/meta-data/ami-id", &metadata.ami_id),
        ("/latest/meta-data/public-keys/0/openssh-key", "ssh-ed25519 AAAA me"),
        ("/latest/meta-data/placement/region", "us-east-1"),
        ("/latest/meta-data/product-codes", "one\ntwo"),
        ("/latest/meta-data/services/domain", "amazonaws.com"),
        ("/latest/meta-data/block-device-mapping/root", "/dev/xvda"),
        ("/latest/user-data", "#cloud-config\n"),
        ("/latest/dynamic/instance-identity/document", &document),
    ] {
        assert_eq!(bench.get(path).await.as_deref(), Ok(expected), "{path}");
    }
    let token = bench.token().await;
    let answer = bench.ask("GET", "/latest/user-data", &[(TOKEN, &token)]).await;
    assert_eq!(answer.header("content-type"), "application/octet-stream");
}

#[tokio::test]
async fn what_the_instance_does_not_have_is_not_found() {
    let bench = Bench::new(&metadata());
    for path in [
        "/latest/user-data",
        "/latest/meta-data/iam/",
        "/latest/meta-data/iam/security-credentials/",
        "/latest/meta-data/product-codes",
        "/latest/meta-data/tags/instance",
        "/latest/meta-data/instance-id/",
        "/latest/meta-data/instance-id/more",
        "/latest/meta-data/public-keys/1/openssh-key",
        "/latest/dynamic/instance-identity/signature",
        "/latest/dynamic/instance-identity/pkcs7",
        "/latest/dynamic/instance-identity/rsa2048",
        "/2008-02-01/meta-data/instance-id",
        "/2031-01-01/meta-data/instance-id",
        "/latest/../latest/meta-data",
        "/meta-data/instance-id",
    ] {
        assert_eq!(bench.get(path).await, Err(404), "{path}");
    }
}

#[tokio::test]
async fn signatures_of_every_form_are_true_for_who_trusts_the_local_keys() {
    use amint_identity::{Certificates, Expect, Form, verify};

    let keys = IdentityKeys::new(amint_identity::local::LocalKeys::generate().unwrap());
    let metadata = Metadata { product_codes: vec!["one".to_owned()], ..metadata() };
    let mut bench = Bench::new(&metadata);
    let clock: Arc<dyn Clock> = Arc::clone(&bench.clock) as Arc<dyn Clock>;
    bench.service = ImdsService::signed(&metadata, &keys, clock).unwrap();
    let listener = UnixListener::bind(bench.folder.path().join("signed")).unwrap();
    std::fs::rename(bench.folder.path().join("signed"), bench.folder.path().join("imds")).unwrap();
    tokio::spawn(bench.service.clone().serve(listener));

    let folder = "/latest/dynamic/instance-identity";
    assert_eq!(bench.get(folder).await.as_deref(), Ok("document\npkcs7\nrsa2048\nsignature"));
    let document = bench.get(&format!("{folder}/document")).await.unwrap();
    let list = keys.certificates(&metadata.region, bench.clock.now()).unwrap();
    let local: Arc<Certificates> = Arc::new(Certificates::parse(&list).unwrap());
    for form in Form::ALL {
        let signature = bench.get(&format!("{folder}/{form}")).await.unwrap();
        let expect = Expect::new().forms([form]).product_code("one");
        let trusting = expect.clone().certificates(Arc::clone(&local));
        verify(document.as_bytes(), signature.as_bytes(), &trusting).unwrap();
        assert!(verify(document.as_bytes(), signature.as_bytes(), &expect).is_err(), "{form}");
        let other = document.replace(&metadata.instance_id, "i-0123456789abcdef0");
        assert!(verify(other.as_bytes(), signature.as_bytes(), &trusting).is_err(), "{form}");
    }
}

#[tokio::test]
async fn service_remembers_what_was_asked() {
    let bench = Bench::new(&metadata());
    assert_eq!(bench.service.activity(), Activity::default());
    bench.ask("GET", "/latest/meta-data/public-keys/0/openssh-key", &[]).await;
    assert_eq!(bench.service.activity(), Activity { requests: 1, is_key_read: false });
    bench.get("/latest/meta-data/public-keys/0/openssh-key").await.unwrap();
    assert_eq!(bench.service.activity(), Activity { requests: 3, is_key_read: true });
}

#[tokio::test]
async fn who_is_answered_can_change_while_the_service_runs() {
    let metadata = metadata();
    let bench = Bench::new(&metadata);
    let keys = IdentityKeys::new(amint_identity::local::LocalKeys::generate().unwrap());
    let path = "/latest/meta-data/public-ipv4";
    let metadata = Metadata { public_ipv4: Some([127, 9, 8, 7].into()), ..metadata };
    assert_eq!(bench.ask("GET", path, &[]).await.status, 401);
    let access = ImdsAccess { is_enabled: true, needs_token: false };
    bench.service.update(&metadata, &keys, access).unwrap();
    let answer = bench.ask("GET", path, &[]).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "127.9.8.7"));
    assert_eq!(bench.ask("GET", path, &[(TOKEN, "guess")]).await.status, 401, "a wrong token is never taken");
    let access = ImdsAccess { is_enabled: false, needs_token: true };
    bench.service.update(&metadata, &keys, access).unwrap();
    assert_eq!(bench.ask("PUT", "/latest/api/token", &[(TTL, "60")]).await.status, 403);
}
