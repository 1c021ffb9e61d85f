//! Stores that are left without a password.

use amint_types::Severity;

use crate::probe::exchange::Service;
use crate::probe::services::PortFindings;

const OPEN: &str = "it answers without a password";

/// Asks Redis whether it is there; a protected one says that it wants a password.
pub(crate) fn redis(service: Service) -> Option<PortFindings> {
    let answer = service.ask(b"PING\r\n", |words| words.contains(&b'\n')).ok()?;
    let text = String::from_utf8_lossy(&answer).into_owned();
    let found = PortFindings::new("redis", &text);
    if text.starts_with("+PONG") {
        return Some(found.with(Severity::Critical, OPEN));
    }
    ["-NOAUTH", "-DENIED", "-WRONGPASS"].iter().any(|word| text.starts_with(word)).then_some(found)
}

/// Asks memcached for its version (its `protocol.txt`).
pub(crate) fn memcached(service: Service) -> Option<PortFindings> {
    let answer = service.ask(b"version\r\n", |words| words.contains(&b'\n')).ok()?;
    let text = String::from_utf8_lossy(&answer).into_owned();
    text.starts_with("VERSION ").then(|| PortFindings::new("memcached", &text).with(Severity::Critical, OPEN))
}

/// Tries to begin a session as `postgres` (`PostgreSQL`, "Message Formats").
pub(crate) fn postgresql(service: Service) -> Option<PortFindings> {
    let body = b"\0\x03\0\0user\0postgres\0database\0postgres\0\0";
    let mut question = u32::try_from(body.len() + 4).ok()?.to_be_bytes().to_vec();
    question.extend(body);
    let answer = service.ask(&question, |words| words.len() >= 9).ok()?;
    let found = PortFindings::new("postgresql", "");
    match *answer.first()? {
        // `R` asks for something; 0 asks for nothing.
        b'R' if answer.get(5..9) == Some(&[0; 4]) => {
            Some(found.with(Severity::Critical, "`postgres` is let in without a password"))
        }
        b'R' if answer.len() >= 9 && answer[1..4] == [0; 3] => Some(found),
        b'E' if answer.get(1..3) == Some(&[0; 2]) => Some(found),
        _ => None,
    }
}

/// Asks `MongoDB` for its databases, which a protected one does not tell (its "Wire Protocol": `OP_MSG`).
pub(crate) fn mongodb(service: Service) -> Option<PortFindings> {
    let mut document: Vec<u8> = Vec::new();
    document.extend(b"\x10listDatabases\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0\0");
    let mut body = vec![0; 5];
    body.extend(u32::try_from(document.len() + 4).ok()?.to_le_bytes());
    body.extend(document);
    let mut question = u32::try_from(body.len() + 16).ok()?.to_le_bytes().to_vec();
    question.extend([7, 0, 0, 0, 0, 0, 0, 0]);
    question.extend(2013_u32.to_le_bytes());
    question.extend(body);
    let is_enough = |words: &[u8]| {
        words.first_chunk::<4>().is_some_and(|length| {
            usize::try_from(u32::from_le_bytes(*length)).is_ok_and(|length| words.len() >= length)
        })
    };
    let answer = service.ask(&question, is_enough).ok()?;
    if answer.get(12..16) != Some(&2013_u32.to_le_bytes()) {
        return None;
    }
    let has = |words: &[u8]| answer.windows(words.len()).any(|part| part == words);
    let found = PortFindings::new("mongodb", "");
    Some(if has(b"\x04databases\0") { found.with(Severity::Critical, OPEN) } else { found })
}

/// Recognises `MySQL` and `MariaDB` by their greeting and tries `root` without a password ("Connection Phase" of
/// `MySQL`).
pub(crate) fn mysql(service: Service, greeting: &[u8]) -> Option<PortFindings> {
    // Length, number 0, protocol 10, version up to a zero byte.
    if greeting.get(3..5) != Some(&[0, 10]) {
        return None;
    }
    let version: Vec<u8> = greeting[5..].iter().copied().take_while(|byte| *byte != 0).collect();
    let found = PortFindings::new("mysql", &String::from_utf8_lossy(&version));
    // Protocol 4.1, secure connection, plugin authentication; an empty answer to the challenge.
    let mut login = 0x0008_8200_u32.to_le_bytes().to_vec();
    login.extend(0x0100_0000_u32.to_le_bytes());
    login.push(33);
    login.extend([0; 23]);
    login.extend(b"root\0\0mysql_native_password\0");
    let mut packet = u32::try_from(login.len()).ok()?.to_le_bytes()[..3].to_vec();
    packet.push(1);
    packet.extend(login);
    let answer = service.converse(|words| words.len() > 4, |_| Some(packet)).ok()?;
    Some(match answer.get(4) {
        Some(0) => found.with(Severity::Critical, "`root` is let in without a password"),
        _ => found,
    })
}
