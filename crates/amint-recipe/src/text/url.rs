//! Addresses of mirrors and of things to test (RFC 3986, the few forms that are needed).

use crate::problems::Flaw;

/// Most characters of an address.
const URL_CHARS_MAX: usize = 2048;

/// The part of an address that stands for the machine under test.
const HOST_PLACEHOLDER: &str = "{host}";

/// The form of an address to test, for JSON Schema.
pub(crate) const TEST_PATTERN: &str =
    r"^https?://(\{host\}|[A-Za-z0-9.\[\]:-]+)(:[0-9]{1,5})?([/?][^\s#]*)?$";

/// What an `http` test's address, such as `http://{host}/healthz`, says about host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TestUrl {
    host: String,
    port: u16,
}

impl TestUrl {
    /// Tells whether the host is the machine under test.
    pub(crate) fn is_machine(&self) -> bool {
        self.host == HOST_PLACEHOLDER
    }

    /// Returns the port, written or implied by the scheme.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn parse(text: &str) -> Result<Self, Flaw> {
        let (scheme, authority, _) = split(text, &["http", "https"])?;
        let (host, port) = split_port(text, authority)?;
        if host.is_empty() {
            return Err(Flaw::new(format!("`{text}` names no host"))
                .hint("write `{host}` for the machine under test"));
        }
        if host != HOST_PLACEHOLDER && !is_host(host) {
            return Err(Flaw::new(format!("`{host}` is not a host"))
                .hint("write `{host}` for the machine under test"));
        }
        let implied = if scheme == "https" { 443 } else { 80 };
        Ok(Self { host: host.to_owned(), port: port.unwrap_or(implied) })
    }
}

/// Reads the address of a package mirror: `http`, `https` or `file`.
pub(crate) fn mirror_url(text: &str) -> Result<String, Flaw> {
    let (scheme, authority, target) = split(text, &["http", "https", "file"])?;
    if scheme == "file" {
        if !authority.is_empty() || !target.starts_with('/') {
            return Err(Flaw::new(format!("`{text}` names no absolute path"))
                .hint("write three slashes: `file:///srv/debian`"));
        }
    } else {
        let (host, _) = split_port(text, authority)?;
        if !is_host(host) {
            return Err(Flaw::new(format!("`{host}` is not a host")));
        }
    }
    if target.contains('?') {
        return Err(Flaw::new(format!("`{text}` has a query"))
            .hint("a mirror is the folder that holds `dists/` and `pool/`"));
    }
    Ok(text.to_owned())
}

/// Splits an address into scheme, authority and the rest.
fn split<'t>(text: &'t str, schemes: &[&'static str]) -> Result<(&'static str, &'t str, &'t str), Flaw> {
    if text.len() > URL_CHARS_MAX {
        return Err(Flaw::new(format!("the address has more than {URL_CHARS_MAX} characters")));
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Flaw::new("the address has blanks or characters outside ASCII")
            .hint("write them percent-encoded, such as `%20`"));
    }
    let found = schemes.iter().find_map(|scheme| {
        let rest = text.strip_prefix(scheme)?.strip_prefix("://")?;
        Some((*scheme, rest))
    });
    let Some((scheme, rest)) = found else {
        let starts: Vec<_> = schemes.iter().map(|scheme| format!("`{scheme}://`")).collect();
        return Err(Flaw::new(format!("`{text}` is not an address that can be used"))
            .hint(format!("it starts with {}", starts.join(" or "))));
    };
    if text.contains('#') {
        return Err(Flaw::new(format!("`{text}` has a fragment, which is never sent"))
            .hint("leave out `#` and what follows"));
    }
    let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    if authority.contains('@') {
        return Err(Flaw::new("the address holds a user name or password, and a recipe is no place for one"));
    }
    Ok((scheme, authority, target))
}

fn split_port<'t>(text: &str, authority: &'t str) -> Result<(&'t str, Option<u16>), Flaw> {
    // A colon within brackets belongs to an IPv6 address.
    let host_end = authority.rfind(']').map_or(0, |index| index + 1);
    let Some(colon) = authority[host_end..].find(':').map(|index| index + host_end) else {
        return Ok((authority, None));
    };
    let port = &authority[colon + 1..];
    let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
    match port.parse::<u16>() {
        Ok(port) if is_number && port > 0 => Ok((&authority[..colon], Some(port))),
        _ => {
            Err(Flaw::new(format!("`{text}` has a port that is none"))
                .hint("a port lies between 1 and 65535"))
        }
    }
}

fn is_host(text: &str) -> bool {
    if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return inner.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let is_label = |label: &str| {
        let is_edge = |edge: Option<u8>| edge.is_some_and(|byte| byte.is_ascii_alphanumeric());
        label.len() <= 63
            && is_edge(label.bytes().next())
            && is_edge(label.bytes().last())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_addresses_of_tests_apart() {
        for (text, host, port) in [
            ("https://{host}:8443/a?b=c", "{host}", 8443),
            ("http://{host}", "{host}", 80),
            ("https://{host}?x", "{host}", 443),
            ("http://[::1]:81/", "[::1]", 81),
            ("http://web.example/", "web.example", 80),
        ] {
            let url = TestUrl::parse(text).unwrap();
            assert_eq!((url.host.as_str(), url.port(), url.is_machine()), (host, port, host == "{host}"));
        }
    }

    #[test]
    fn refuses_addresses_that_cannot_be_asked_for() {
        for text in [
            "",
            "{host}/x",
            "ftp://{host}/",
            "http://",
            "http://:80/",
            "http://{host}:0/",
            "http://{host}:99999/",
            "http://{host}:+1/",
            "http://{host}/ x",
            "http://{host}/#top",
            "http://a:b@{host}/",
            "http://{hots}/",
            "http://-a/",
            "http://[::g]/",
        ] {
            assert!(TestUrl::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn reads_mirrors_of_three_schemes() {
        for text in ["https://mirror.example/debian", "http://192.0.2.1:3142/debian/", "file:///srv/debian"] {
            assert_eq!(mirror_url(text).unwrap(), text);
        }
        for text in [
            "mirror.example/debian",
            "rsync://mirror.example/debian",
            "https://user:secret@mirror.example/debian",
            "file://srv/debian",
            "file://",
            "https:///debian",
            "https://mirror.example/debian?x=1",
            "https://mirror.example/a b",
        ] {
            assert!(mirror_url(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn does_not_repeat_a_password() {
        let flaw = mirror_url("https://user:hunter2@mirror.example/").unwrap_err();
        assert!(!flaw.message.contains("hunter2"), "{}", flaw.message);
    }
}
