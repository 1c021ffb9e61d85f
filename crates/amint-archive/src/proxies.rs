//! Which proxy a request goes through, as curl decides it (curl(1), section ENVIRONMENT).

use std::net::IpAddr;

use amint_types::Redacted;

/// Proxies by scheme, and the hosts that are reached without one.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    /// For `http` URIs.
    pub http: Option<Redacted<String>>,
    /// For `https` URIs.
    pub https: Option<Redacted<String>>,
    /// Hosts, domains, addresses and networks without a proxy, separated by commas or spaces; `*` for all.
    pub no_proxy: String,
}

impl Proxies {
    /// Reads the environment of this process.
    pub fn from_env() -> Self {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// Reads variables in the order of curl: small letters first, and `HTTP_PROXY` not at all, since a web server's
    /// visitors can set it through a `Proxy:` header.
    pub fn from_variables(read: impl Fn(&str) -> Option<String>) -> Self {
        let first = |names: &[&str]| {
            let found = names.iter().find_map(|name| read(name)).filter(|value| !value.is_empty());
            found.map(Redacted::new)
        };
        Self {
            http: first(&["http_proxy", "all_proxy", "ALL_PROXY"]),
            https: first(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]),
            no_proxy: ["no_proxy", "NO_PROXY"].iter().find_map(|name| read(name)).unwrap_or_default(),
        }
    }

    /// Returns the proxy for a host.
    pub(crate) fn choose(&self, is_https: bool, host: &str) -> Option<&Redacted<String>> {
        let proxy = if is_https { self.https.as_ref() } else { self.http.as_ref() };
        proxy.filter(|_| !self.is_direct(host))
    }

    fn is_direct(&self, host: &str) -> bool {
        let host = host.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
        let address: Option<IpAddr> = host.parse().ok();
        let mut entries = self.no_proxy.split([',', ' ']).filter(|entry| !entry.is_empty());
        entries.any(|entry| {
            let entry = entry.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
            if entry == "*" {
                return true;
            }
            match address {
                Some(address) => in_network(address, &entry),
                None => is_domain_of(&host, entry.trim_start_matches('.')),
            }
        })
    }
}

/// Tells whether `host` is `domain` or lies below it.
fn is_domain_of(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain)
        .is_some_and(|rest| !domain.is_empty() && (rest.is_empty() || rest.ends_with('.')))
}

/// Tells whether an address is `network`, an address itself or one with the length of a prefix: `10.0.0.0/8`.
fn in_network(address: IpAddr, network: &str) -> bool {
    let (base, length) = match network.split_once('/') {
        Some((base, length)) => (base, length.parse::<u32>().ok()),
        None => (network, Some(128)),
    };
    let (Ok(base), Some(length)) = (base.parse::<IpAddr>(), length) else { return false };
    match (address, base) {
        (IpAddr::V4(address), IpAddr::V4(base)) => {
            let shift = 32_u32.saturating_sub(length);
            address.to_bits().checked_shr(shift) == base.to_bits().checked_shr(shift)
        }
        (IpAddr::V6(address), IpAddr::V6(base)) => {
            let shift = 128_u32.saturating_sub(length);
            address.to_bits().checked_shr(shift) == base.to_bits().checked_shr(shift)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(variables: &[(&str, &str)]) -> Proxies {
        Proxies::from_variables(|name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn chosen(proxies: &Proxies, is_https: bool, host: &str) -> Option<String> {
        proxies.choose(is_https, host).map(|proxy| proxy.expose().clone())
    }

    #[test]
    fn takes_the_proxy_of_the_scheme_before_the_one_for_all() {
        let both =
            proxies(&[("http_proxy", "http://a"), ("ALL_PROXY", "socks5h://b"), ("HTTP_PROXY", "http://c")]);
        assert_eq!(chosen(&both, false, "x.example").as_deref(), Some("http://a"));
        assert_eq!(chosen(&both, true, "x.example").as_deref(), Some("socks5h://b"));
        assert_eq!(chosen(&proxies(&[("HTTP_PROXY", "http://c")]), false, "x.example"), None);
    }

    #[test]
    fn passes_by_the_hosts_named() {
        let some = proxies(&[
            ("http_proxy", "http://a"),
            ("no_proxy", "example, .local,10.0.0.0/8 [::1],192.0.2.7"),
        ]);
        for host in ["example", "a.example", "b.LOCAL.", "10.9.8.7", "[::1]", "192.0.2.7"] {
            assert_eq!(chosen(&some, false, host), None, "{host}");
        }
        for host in ["notexample", "11.0.0.1", "192.0.2.8", "[::2]"] {
            assert!(chosen(&some, false, host).is_some(), "{host}");
        }
        assert_eq!(chosen(&proxies(&[("http_proxy", "http://a"), ("NO_PROXY", "*")]), false, "x"), None);
    }

    #[test]
    fn never_shows_a_password() {
        let text = format!("{:?}", proxies(&[("https_proxy", "http://user:hunter2@proxy.example")]));
        assert!(!text.contains("hunter2"), "{text}");
    }
}
