//! The probe against servers within this process.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};

use amint_types::Severity;

use crate::probe::services::look;

/// Serves until the test ends: greets, then answers each question by `answer`.
fn serve(greeting: &'static [u8], answer: impl Fn(&[u8]) -> Vec<u8> + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            stream.write_all(greeting).unwrap();
            let mut question = [0; 2048];
            // A client that only listens gives up by itself.
            stream.set_read_timeout(Some(std::time::Duration::from_secs(6))).unwrap();
            let read = stream.read(&mut question).unwrap_or(0);
            if read > 0 {
                drop(stream.write_all(&answer(&question[..read])));
            }
        }
    });
    address
}

/// Answers only to a question that begins with `expected`.
fn only(expected: &'static [u8], answer: &'static [u8]) -> impl Fn(&[u8]) -> Vec<u8> + Send + 'static {
    move |question| if question.starts_with(expected) { answer.to_vec() } else { Vec::new() }
}

fn seen(address: SocketAddr) -> (String, Vec<String>) {
    let found = look(address);
    assert!(found.open.iter().all(|(severity, _)| *severity >= Severity::High));
    (found.service, found.open.into_iter().map(|(_, text)| text).collect())
}

fn is_open(address: SocketAddr, service: &str) -> bool {
    let (name, open) = seen(address);
    assert_eq!(name, service);
    !open.is_empty()
}

fn header_of_basic(pair: &str) -> String {
    use base64::Engine;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
}

#[test]
fn web_server_with_a_usual_password_is_open_and_one_with_another_is_not() {
    let guarded = |pair: &'static str| {
        serve(b"", move |question| {
            let text = String::from_utf8_lossy(question).into_owned();
            if text.contains(&header_of_basic(pair)) {
                b"HTTP/1.1 200 OK\r\nServer: fake\r\n\r\nwelcome".to_vec()
            } else if text.starts_with("GET") {
                b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=x\r\n\r\n".to_vec()
            } else {
                b"HTTP/1.1 400 Bad\r\n\r\n".to_vec()
            }
        })
    };
    let (name, open) = seen(guarded("admin:password"));
    assert_eq!((name.as_str(), open), ("http", vec!["`admin` gets in with a usual password".to_owned()]));
    assert!(!is_open(guarded("admin:a long one of its own"), "http"));
}

#[test]
fn plain_web_server_is_no_finding_and_a_search_engine_is() {
    let page = |body: &'static str| {
        serve(b"", move |question| {
            if question.starts_with(b"GET") {
                format!("HTTP/1.1 200 OK\r\nServer: nginx\r\n\r\n{body}").into_bytes()
            } else {
                b"HTTP/1.1 400 Bad\r\n\r\n".to_vec()
            }
        })
    };
    assert!(!is_open(page("It runs."), "http"));
    assert!(is_open(page("{\"cluster_name\": \"x\"}"), "elasticsearch"));
}

#[test]
fn redis_is_open_only_without_a_password() {
    assert!(is_open(serve(b"", only(b"PING", b"+PONG\r\n")), "redis"));
    assert!(!is_open(serve(b"", only(b"PING", b"-NOAUTH Authentication required.\r\n")), "redis"));
}

#[test]
fn memcached_that_answers_is_open() {
    assert!(is_open(serve(b"", only(b"version", b"VERSION 1.6.38\r\n")), "memcached"));
}

#[test]
fn postgresql_is_open_only_when_it_asks_for_nothing() {
    let asks = |kind: u8| {
        serve(b"", move |question| {
            let is_startup = question.get(4..8) == Some(&[0, 3, 0, 0]);
            if is_startup { vec![b'R', 0, 0, 0, 8, 0, 0, 0, kind] } else { Vec::new() }
        })
    };
    assert!(is_open(asks(0), "postgresql"));
    assert!(!is_open(asks(10), "postgresql"));
}

#[test]
fn mongodb_is_open_only_when_it_lists_its_databases() {
    let says = |body: &'static [u8]| {
        serve(b"", move |question| {
            if question.get(12..16) != Some(&2013_u32.to_le_bytes()) {
                return Vec::new();
            }
            let mut answer = u32::try_from(16 + body.len()).unwrap().to_le_bytes().to_vec();
            answer.extend([0; 8]);
            answer.extend(2013_u32.to_le_bytes());
            answer.extend(body);
            answer
        })
    };
    assert!(is_open(says(b"\0\0\0\0\0\x04databases\0rest"), "mongodb"));
    assert!(!is_open(says(b"\0\0\0\0\0requires authentication"), "mongodb"));
}

#[test]
fn mysql_is_open_only_when_root_needs_no_password() {
    const GREETING: &[u8] = b"\x20\0\0\0\x0a8.0.40\0restofthegreeting";
    let says = |answer: &'static [u8]| {
        serve(GREETING, move |question| {
            let is_login = question.windows(5).any(|part| part == b"root\0");
            if is_login { answer.to_vec() } else { Vec::new() }
        })
    };
    assert!(is_open(says(b"\x07\0\0\x02\0\0\0\x02\0\0\0"), "mysql"));
    assert!(!is_open(says(b"\x09\0\0\x02\xff\x15\x04#28000"), "mysql"));
}

#[test]
fn servers_that_speak_first_are_recognised() {
    assert!(!is_open(serve(b"SSH-2.0-OpenSSH_9.2p1\r\n", |_| Vec::new()), "ssh"));
    assert!(is_open(serve(b"\xff\xfd\x18\xff\xfd\x20", |_| Vec::new()), "telnet"));
    assert!(is_open(serve(b"220 files\r\n", only(b"USER", b"331 ok\r\n230 welcome\r\n")), "ftp"));
    assert!(!is_open(serve(b"220 files\r\n", only(b"USER", b"331 ok\r\n530 no\r\n")), "ftp"));
    assert!(!is_open(serve(b"220 host ESMTP\r\n", |_| Vec::new()), "smtp"));
    assert!(is_open(serve(b"RFB 003.008\n", |_| vec![2, 2, 1]), "vnc"));
    assert!(!is_open(serve(b"RFB 003.008\n", |_| vec![1, 2]), "vnc"));
}

#[test]
fn server_that_says_nothing_is_unknown() {
    assert_eq!(look(serve(b"", |_| Vec::new())).service, "unknown");
}
