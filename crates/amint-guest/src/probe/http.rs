//! Web servers: who they are, and whether a usual password opens them.

use std::fmt::Write as _;

use amint_types::Severity;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::probe::exchange::Service;
use crate::probe::services::PortFindings;

/// The pairs that are tried where a server asks for one: few, and the most common.
const USUAL_PASSWORDS: [(&str, &str); 6] = [
    ("admin", "admin"),
    ("admin", "password"),
    ("admin", ""),
    ("root", "root"),
    ("user", "user"),
    ("guest", "guest"),
];
/// Services that anyone may command when they answer at all: the path, words of the answer, what it is.
const OPEN_DOORS: [(&str, &str, &str, &str); 4] = [
    ("/", "\"cluster_name\"", "elasticsearch", "a search engine answers without a password"),
    ("/version", "\"ApiVersion\"", "docker", "Docker takes commands from anyone"),
    ("/version", "\"etcdserver\"", "etcd", "a configuration store answers without a password"),
    ("/api/kernels", "\"kernel", "jupyter", "notebooks run code for anyone"),
];

/// Asks for the front page; none where no web server answers.
pub(crate) fn look(service: Service) -> Option<PortFindings> {
    let front = get(service, "/", None)?;
    let server = front.header("server").unwrap_or_default().to_owned();
    let mut found = PortFindings::new("http", &format!("{} {server}", front.status));
    if front.status == 401 {
        let asks = front.header("www-authenticate").unwrap_or_default().to_ascii_lowercase();
        if asks.starts_with("basic") {
            let opening = USUAL_PASSWORDS.iter().find(|pair| {
                get(service, "/", Some(**pair)).is_some_and(|answer| (200..400).contains(&answer.status))
            });
            if let Some((user, _)) = opening {
                found = found.with(Severity::Critical, &format!("`{user}` gets in with a usual password"));
            }
        }
        return Some(found);
    }
    for (path, words, name, text) in OPEN_DOORS {
        let answer = if path == "/" { Some(front.clone()) } else { get(service, path, None) };
        if answer.is_some_and(|answer| answer.status == 200 && answer.body.contains(words)) {
            name.clone_into(&mut found.service);
            found = found.with(Severity::Critical, text);
        }
    }
    Some(found)
}

#[derive(Clone, Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let line = |line: &'_ str| -> Option<(usize, usize)> {
            let (key, value) = line.split_once(':')?;
            key.trim().eq_ignore_ascii_case(name).then_some((key.len() + 1, value.len()))
        };
        self.head.lines().find_map(|text| line(text).map(|(at, length)| text[at..at + length].trim()))
    }
}

fn get(service: Service, path: &str, login: Option<(&str, &str)>) -> Option<Answer> {
    let mut request =
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAccept: */*\r\n");
    if let Some((user, password)) = login {
        let pair = STANDARD.encode(format!("{user}:{password}"));
        // Writing to a string cannot fail.
        let _ = write!(request, "Authorization: Basic {pair}\r\n");
    }
    request.push_str("\r\n");
    let bytes = service.ask(request.as_bytes(), |_| false).ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok()?;
    Some(Answer { status, head: head.to_owned(), body: body.to_owned() })
}
