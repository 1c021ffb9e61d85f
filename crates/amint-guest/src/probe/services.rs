//! What listens on a port, and does it let strangers in?
//!
//! Few tries, each on a connection of its own, only against a guest of our own. A service is known by what it
//! says; of one that is not known only that is told.

use std::net::SocketAddr;

use amint_types::Severity;

use crate::probe::databases::{memcached, mongodb, mysql, postgresql, redis};
use crate::probe::exchange::Service;
use crate::probe::hello::is_tls;
use crate::probe::http;

/// How much of a greeting is shown.
const GREETING_CHARACTERS_MAX: usize = 100;

/// What was found on one port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PortFindings {
    /// What listens: `http`, `ssh`, `unknown`.
    pub(crate) service: String,
    /// What it says by itself, or of itself.
    pub(crate) banner: String,
    /// Whether it speaks TLS.
    pub(crate) is_tls: bool,
    /// How strangers get in, and how bad that is.
    pub(crate) open: Vec<(Severity, String)>,
}

impl PortFindings {
    pub(crate) fn new(service: &str, banner: &str) -> Self {
        let visible = banner.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
        let banner: String = visible.take(GREETING_CHARACTERS_MAX).collect();
        Self { service: service.to_owned(), banner: banner.trim().to_owned(), ..Self::default() }
    }

    pub(crate) fn with(mut self, severity: Severity, text: &str) -> Self {
        self.open.push((severity, text.to_owned()));
        self
    }
}

/// Finds out what listens at `address`, and tries the doors that are known to be left open.
pub(crate) fn look(address: SocketAddr) -> PortFindings {
    let plain = Service { address, is_tls: false };
    // Some services speak first.
    let greeting = plain.converse(|words| words.contains(&b'\n') || words.len() > 4, |_| None);
    match greeting {
        Ok(words) if !words.is_empty() => return greeted(plain, &words),
        Ok(_) => {}
        Err(error) => return PortFindings::new("unknown", &format!("no connection: {error}")),
    }
    if is_tls(address) {
        let found = http::look(Service { address, is_tls: true });
        return PortFindings { is_tls: true, ..found.unwrap_or_else(|| PortFindings::new("tls", "")) };
    }
    let silent: [fn(Service) -> Option<PortFindings>; 5] =
        [http::look, redis, memcached, postgresql, mongodb];
    silent
        .iter()
        .find_map(|look| look(plain))
        .unwrap_or_else(|| PortFindings::new("unknown", "it waits and says nothing"))
}

fn greeted(service: Service, words: &[u8]) -> PortFindings {
    let text = String::from_utf8_lossy(words).into_owned();
    if let Some(found) = mysql(service, words) {
        return found;
    }
    if text.starts_with("SSH-") {
        return PortFindings::new("ssh", &text);
    }
    if text.starts_with("RFB ") {
        return vnc(service, &text);
    }
    if words.first() == Some(&0xff) {
        return PortFindings::new("telnet", "").with(Severity::High, "telnet carries passwords in the clear");
    }
    if text.starts_with("220") {
        return mail_or_files(service, &text);
    }
    PortFindings::new("unknown", &text)
}

/// Tries the anonymous account of file servers (RFC 1635).
fn mail_or_files(service: Service, greeting: &str) -> PortFindings {
    if greeting.to_ascii_uppercase().contains("SMTP") {
        return PortFindings::new("smtp", greeting);
    }
    let answer = service.converse(
        |words| words.contains(&b'\n'),
        |_| Some(b"USER anonymous\r\nPASS guest@example.com\r\n".to_vec()),
    );
    let text = answer.map(|words| String::from_utf8_lossy(&words).into_owned()).unwrap_or_default();
    let found = PortFindings::new(
        if text.starts_with("331") || text.starts_with("230") { "ftp" } else { "unknown" },
        greeting,
    );
    if text.contains("\r\n230") || text.starts_with("230") {
        return found.with(Severity::High, "anybody may log in as `anonymous`");
    }
    found
}

/// Asks a screen server for its kinds of protection (RFC 6143, section 7.1.2).
fn vnc(service: Service, greeting: &str) -> PortFindings {
    let found = PortFindings::new("vnc", greeting);
    let answer = service.converse(|words| words.len() >= 12, |_| Some(b"RFB 003.008\n".to_vec()));
    match answer {
        Ok(kinds)
            if kinds.first().is_some_and(|count| {
                kinds.iter().skip(1).take(usize::from(*count)).any(|kind| *kind == 1)
            }) =>
        {
            found.with(Severity::Critical, "the screen is shown without a password")
        }
        _ => found,
    }
}
