//! Through a proxy, as curl goes.

use amint_archive::{ArchiveError, Proxies};
use amint_types::Redacted;

use super::server::{Fault, Server};
use super::support::{Bench, chain, wanted};

fn proxies(server: &Server, no_proxy: &str) -> Proxies {
    let uri = format!("http://user:hunter%402@{}", server.address());
    Proxies { http: Some(Redacted::new(uri)), https: None, no_proxy: no_proxy.to_owned() }
}

#[test]
fn asks_a_proxy_for_the_whole_uri_of_a_host_that_only_it_knows() {
    let mut bench = Bench::new();
    bench.package("a", b"a");
    bench.package("b", b"b");
    bench.settings.proxies = proxies(&bench.server, "");
    // One connection, used for both.
    bench.settings.connections = 1;
    let files = [
        wanted("a", b"a", &["http://mirror.invalid/pool/a.deb"]),
        wanted("b", b"b", &["http://mirror.invalid/pool/b.deb"]),
    ];
    bench.get(&files).unwrap();
    let requests = bench.server.requests();
    let mut targets: Vec<_> = requests.iter().map(|request| request.target.as_str()).collect();
    targets.sort_unstable();
    assert_eq!(targets, ["http://mirror.invalid/pool/a.deb", "http://mirror.invalid/pool/b.deb"]);
    for request in &requests {
        assert_eq!(request.header("host"), Some("mirror.invalid"));
        assert_eq!(request.header("proxy-authorization"), Some("Basic dXNlcjpodW50ZXJAMg=="));
    }
}

#[test]
fn passes_a_proxy_by_for_hosts_that_need_none() {
    let mut bench = Bench::new();
    let file = bench.package("a", b"a");
    let proxy = Server::start();
    bench.settings.proxies = proxies(&proxy, "localhost,127.0.0.0/8");
    bench.get(&[file]).unwrap();
    assert!(proxy.requests().is_empty());
    assert_eq!(bench.server.requests()[0].target, "/pool/a.deb");
}

#[test]
fn tells_what_a_proxy_says_but_not_its_password() {
    let mut bench = Bench::new();
    let file = bench.package("a", b"a");
    let proxy = Server::start();
    proxy.fail("/pool/a.deb", [Fault::Status(407, "")]);
    bench.settings.proxies = proxies(&proxy, "");
    let error = bench.get(std::slice::from_ref(&file)).unwrap_err();
    assert!(chain(&error).contains("407"), "{error:?}");
    assert!(!chain(&error).contains("hunter"), "{error:?}");
    let bad = Redacted::new("gopher://user:hunter2@proxy.example".to_owned());
    bench.settings.proxies = Proxies { http: Some(bad), ..Proxies::default() };
    let error = bench.get(&[file]).unwrap_err();
    assert!(matches!(error, ArchiveError::Proxy { scheme: "http" }), "{error:?}");
    assert!(!chain(&error).contains("hunter"), "{error:?}");
}
