//! Passwords in addresses (RFC 3986, section 3.2.1) and in connection strings.

use crate::kind::{Hit, Window};

const USER_BYTES_MAX: usize = 128;
const PASSWORD_BYTES: std::ops::RangeInclusive<usize> = 3..=256;
/// Hosts that manuals use (RFC 2606), and words that stand for a host.
const SAMPLE_HOSTS: &[&[u8]] = &[
    b"example",
    b"host",
    b"hostname",
    b"server",
    b"proxy",
    b"domain",
    b"your",
    b"my",
    b"foo",
    b"localhost",
    b"site",
    b"address",
    b"test",
];

/// Names and passwords that manuals have used for decades: Oracle's sample schema, and what imitates it.
const SAMPLE_LOGINS: &[(&[u8], &[u8])] = &[(b"scott", b"tiger"), (b"hr", b"hr"), (b"aladdin", b"opensesame")];

/// `scheme://user:password@host`.
pub(crate) fn url(window: &Window<'_>) -> Option<Hit> {
    let ahead = window.ahead().get(3..)?;
    let user_bytes = ahead.iter().take(USER_BYTES_MAX).take_while(|byte| is_user(**byte)).count();
    if ahead.get(user_bytes) != Some(&b':') {
        return None;
    }
    let rest = ahead.get(user_bytes + 1..)?;
    let password_bytes =
        rest.iter().take(PASSWORD_BYTES.end() + 1).take_while(|byte| is_password(**byte)).count();
    if !PASSWORD_BYTES.contains(&password_bytes) || rest.get(password_bytes) != Some(&b'@') {
        return None;
    }
    let password = rest.get(..password_bytes)?;
    let host = rest.get(password_bytes + 1..)?;
    let host_bytes = host
        .iter()
        .take(255)
        .take_while(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(byte))
        .count();
    let host = host.get(..host_bytes)?;
    let scheme = scheme(window.behind(24))?;
    // A port and a name with `@` behind it is no password: `http://host:8080@…` has digits alone.
    if host_bytes == 0 || password.iter().all(u8::is_ascii_digit) && password_bytes < 6 {
        return None;
    }
    let user = ahead.get(..user_bytes)?;
    let is_placeholder = user == password
        || SAMPLE_LOGINS.iter().any(|(name, word)| {
            user.eq_ignore_ascii_case(name) && password.to_ascii_lowercase().starts_with(word)
        })
        || is_sample_host(host)
        || user.first() == Some(&b'<')
        || user.first() == Some(&b'$');
    let start = window.at + 3 + user_bytes + 1;
    Some(Hit {
        start,
        end: start + password_bytes,
        shown: format!("{scheme}://…:"),
        is_placeholder,
        ..Hit::default()
    })
}

fn is_user(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b":/@\"'<>\\^`{|}?#[]()*,;&%$".contains(&byte) || byte == b'%'
}

fn is_password(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"/@\"'<>\\`|?#:(),;".contains(&byte)
}

fn is_sample_host(host: &[u8]) -> bool {
    let host = host.to_ascii_lowercase();
    let first = host.split(|byte| *byte == b'.').next().unwrap_or_default();
    SAMPLE_HOSTS.contains(&first) && host != b"localhost"
        || host.windows(8).any(|part| part == b"example.")
        || [b".test".as_slice(), b".example", b".invalid"].iter().any(|end| host.ends_with(end))
}

/// Returns the scheme that ends `behind`.
fn scheme(behind: &[u8]) -> Option<String> {
    let length =
        behind.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte)).count();
    let scheme = behind.get(behind.len() - length..)?;
    (2..=20)
        .contains(&length)
        .then(|| String::from_utf8_lossy(scheme).into_owned())
        .filter(|text| text.is_ascii())
}

/// `Server=…;User Id=…;Password=…;`, as drivers of databases take it.
pub(crate) fn connection_string(window: &Window<'_>) -> Option<Hit> {
    const SERVERS: &[&[u8]] = &[b"server=", b"data source=", b"host=", b"addr=", b"datasource="];
    // A name of its own: `url.password=e.password;` is a program.
    if window.behind(1).first().is_some_and(|byte| byte.is_ascii_alphanumeric() || b"_.$->".contains(byte)) {
        return None;
    }
    let ahead = window.ahead();
    let name_bytes = ahead.iter().take(16).position(|byte| *byte == b'=')? + 1;
    let rest = ahead.get(name_bytes..)?;
    let ends = |byte: &u8| !byte.is_ascii_graphic() || b";\"'<>&".contains(byte);
    let password_bytes = rest.iter().take(129).position(ends).unwrap_or(rest.len());
    let line_behind = window.behind(256).rsplit(|byte| *byte == b'\n').next()?;
    let line_ahead = rest.get(..rest.len().min(384))?.split(|byte| *byte == b'\n').next()?;
    let mut line = line_behind.to_ascii_lowercase();
    line.extend(line_ahead.to_ascii_lowercase());
    let names_server = SERVERS.iter().any(|name| memchr::memmem::find(&line, name).is_some());
    let is_listed =
        window.behind(1) == b";" || window.behind(2) == b"; " || rest.get(password_bytes) == Some(&b';');
    let is_hit = names_server && is_listed && (4..=128).contains(&password_bytes);
    let start = window.at + name_bytes;
    is_hit.then(|| Hit { start, end: start + password_bytes, ..Hit::default() })
}
