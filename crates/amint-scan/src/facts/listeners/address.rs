//! Who reaches an address that a daemon listens on.

use std::net::IpAddr;

/// Who reaches a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    /// Only programs of the same machine.
    Local,
    /// Whoever reaches one address of the machine.
    Address,
    /// Whoever reaches any address of the machine.
    Everywhere,
}

impl Reach {
    /// Judges an address without its port.
    pub(crate) fn of(address: &str) -> Self {
        let bare = address.trim().trim_matches(['[', ']', '"', '\'']).trim_start_matches('-');
        match bare {
            "" | "*" | "all" | "any" | "::" | "_site_" | "_global_" => return Self::Everywhere,
            "localhost" | "ip6-localhost" | "_local_" | "loopback-only" => return Self::Local,
            _ => {}
        }
        match bare.parse::<IpAddr>() {
            Ok(address) if address.is_unspecified() => Self::Everywhere,
            Ok(address) if address.is_loopback() => Self::Local,
            _ => Self::Address,
        }
    }

    /// Judges several addresses: the widest counts.
    pub(crate) fn of_all<'text>(addresses: impl IntoIterator<Item = &'text str>) -> Option<Self> {
        addresses.into_iter().filter(|address| !address.is_empty()).map(Self::of).max()
    }
}

/// Splits `address:port`, `[address]:port`, `*:port`, `port` and `address`.
pub(super) fn split(text: &str) -> (&str, Option<u16>) {
    if let Ok(port) = text.parse() {
        return ("", Some(port));
    }
    let is_bare_address = text.matches(':').count() > 1 && !text.contains(']');
    match text.rsplit_once(':') {
        Some((address, port)) if !is_bare_address && !port.contains(']') => (address, port.parse().ok()),
        _ => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_judged_by_who_reaches_them() {
        for (text, expected) in [
            ("0.0.0.0", Reach::Everywhere),
            ("[::]", Reach::Everywhere),
            ("*", Reach::Everywhere),
            ("127.0.0.53", Reach::Local),
            ("-::1", Reach::Local),
            ("localhost", Reach::Local),
            ("10.0.0.5", Reach::Address),
        ] {
            assert_eq!(Reach::of(text), expected, "{text}");
        }
        assert_eq!(split("[::]:80"), ("[::]", Some(80)));
        assert_eq!(split("::1"), ("::1", None));
        assert_eq!(split("8080"), ("", Some(8080)));
        assert_eq!(split("a.example:1"), ("a.example", Some(1)));
        assert_eq!(Reach::of_all(["127.0.0.1", "0.0.0.0"]), Some(Reach::Everywhere));
    }
}
