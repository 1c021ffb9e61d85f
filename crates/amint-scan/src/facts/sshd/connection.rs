//! One connection, and whether it meets a condition.

use std::net::IpAddr;

use super::conditions::{Condition, Criterion, is_match_list};

/// What is known of a connection, as `sshd -T -C` is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connection {
    /// The name that is logged in to.
    pub user: String,
    /// The user's groups.
    pub groups: Vec<String>,
    /// The client's name.
    pub host: String,
    /// The client's address.
    pub address: String,
    /// The server's address.
    pub local_address: String,
    /// The server's port.
    pub local_port: u16,
    /// The routing domain.
    pub routing_domain: String,
    /// Whether there is no such user.
    pub is_invalid_user: bool,
}

impl Condition {
    /// Tells whether a connection meets the condition.
    pub fn is_met_by(&self, connection: &Connection) -> bool {
        self.criteria.iter().all(|criterion| is_met(criterion, connection))
    }
}

fn is_met(criterion: &Criterion, connection: &Connection) -> bool {
    let patterns = criterion.patterns.as_str();
    match criterion.kind.as_str() {
        "user" => is_match_list(patterns, &connection.user),
        "group" => is_group_match(patterns, &connection.groups),
        "host" => is_match_list(&patterns.to_ascii_lowercase(), &connection.host.to_ascii_lowercase()),
        "address" => is_address_match(patterns, &connection.address),
        "localaddress" => is_address_match(patterns, &connection.local_address),
        "localport" => patterns.parse() == Ok(connection.local_port),
        "rdomain" => is_match_list(patterns, &connection.routing_domain),
        "invalid-user" => connection.is_invalid_user,
        // Of what a client tells of itself, nothing is known.
        _ => false,
    }
}

/// One group that is forbidden is enough, whatever the others are.
fn is_group_match(patterns: &str, groups: &[String]) -> bool {
    let is_in = |pattern: &str| groups.iter().any(|group| crate::glob::is_match(pattern, group));
    let mut is_found = false;
    for pattern in patterns.split(',') {
        match pattern.strip_prefix('!') {
            Some(forbidden) if is_in(forbidden) => return false,
            Some(_) => {}
            None => is_found |= is_in(pattern),
        }
    }
    is_found
}

fn is_address_match(patterns: &str, address: &str) -> bool {
    let parsed: Option<IpAddr> = address.parse().ok();
    let mut is_found = false;
    for pattern in patterns.split(',') {
        let (is_forbidden, pattern) = match pattern.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, pattern),
        };
        let is_in = match (network(pattern), parsed) {
            (Some((network, bits)), Some(address)) => is_within(network, bits, address),
            _ => crate::glob::is_match(&pattern.to_ascii_lowercase(), &address.to_ascii_lowercase()),
        };
        if is_in && is_forbidden {
            return false;
        }
        is_found |= is_in;
    }
    is_found
}

/// Reads an address, with or without the number of its bits that count.
fn network(text: &str) -> Option<(IpAddr, u32)> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse().ok()?)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.unwrap_or(most);
    (bits <= most).then_some((address, bits))
}

fn is_within(network: IpAddr, bits: u32, address: IpAddr) -> bool {
    let same =
        |left: u128, right: u128, width: u32| bits == 0 || left >> (width - bits) == right >> (width - bits);
    match (network, address) {
        (IpAddr::V4(left), IpAddr::V4(right)) => {
            same(u128::from(left.to_bits()), u128::from(right.to_bits()), 32)
        }
        (IpAddr::V6(left), IpAddr::V6(right)) => same(left.to_bits(), right.to_bits(), 128),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_matched_by_network_and_by_pattern() {
        for (patterns, address, expected) in [
            ("10.0.0.0/8", "10.200.1.1", true),
            ("10.0.0.0/8,!10.200.0.0/16", "10.200.1.1", false),
            ("!10.0.0.1", "10.0.0.2", false),
            ("192.0.2.*", "192.0.2.7", true),
            ("0.0.0.0/0", "192.0.2.7", true),
            ("::/0", "192.0.2.7", false),
            ("2001:db8::/32", "2001:DB8:1::1", true),
            ("2001:db8::1", "2001:db8::1", true),
        ] {
            assert_eq!(is_address_match(patterns, address), expected, "{patterns} {address}");
        }
    }

    #[test]
    fn a_forbidden_group_beats_the_others() {
        let groups = ["wheel".to_owned(), "users".to_owned()];
        assert!(is_group_match("w*", &groups) && !is_group_match("*,!users", &groups));
    }
}
