use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use super::Tags;

/// A security group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SecurityGroup {
    pub(crate) id: String,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) vpc_id: String,
    pub(crate) rules: Vec<Rule>,
    pub(crate) tags: Tags,
}

/// One rule: who may reach what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rule {
    /// `sgr-…`.
    pub(crate) id: String,
    pub(crate) is_egress: bool,
    /// `tcp`, `udp`, `icmp`, `icmpv6`, the number of another protocol, or `-1` for all.
    pub(crate) protocol: String,
    /// The first and the last port, or type and code of ICMP; none where the protocol has none.
    pub(crate) ports: Option<(i32, i32)>,
    pub(crate) peer: Peer,
    pub(crate) description: Option<String>,
    pub(crate) tags: Tags,
}

/// Whom a rule is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Peer {
    /// Addresses: the first one, and how many bits all of them share.
    Ipv4(Ipv4Addr, u8),
    /// Addresses of version 6, in the form that they were given.
    Ipv6(String),
    /// Members of a group.
    Group(String),
    /// A managed prefix list.
    PrefixList(String),
}

impl Rule {
    /// Tells whether two rules say the same.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        (self.is_egress, &self.protocol, self.ports, &self.peer)
            == (other.is_egress, &other.protocol, other.ports, &other.peer)
    }

    /// Returns the TCP ports that the rule opens from outside; none for others.
    pub(crate) fn tcp_ports(&self) -> Option<(u16, u16)> {
        if self.is_egress {
            return None;
        }
        let port = |port: i32| u16::try_from(port.clamp(0, 65_535)).unwrap_or(u16::MAX);
        match (self.protocol.as_str(), self.ports) {
            ("-1", _) => Some((0, u16::MAX)),
            ("tcp", Some((first, last))) => Some((port(first), port(last))),
            _ => None,
        }
    }

    /// Tells whether the rule lets an address reach a TCP port. Members of groups are instances, whose networks are apart
    /// from each other here: none of them comes as such.
    pub(crate) fn admits(&self, address: Ipv4Addr, port: u16) -> bool {
        let is_port = self.tcp_ports().is_some_and(|(first, last)| (first..=last).contains(&port));
        let is_peer = match self.peer {
            Peer::Ipv4(network, bits) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(bits.min(32))).unwrap_or(0);
                u32::from(network) & mask == u32::from(address) & mask
            }
            _ => false,
        };
        is_port && is_peer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(protocol: &str, ports: Option<(i32, i32)>, network: [u8; 4], bits: u8) -> Rule {
        Rule {
            id: "sgr-1".to_owned(),
            is_egress: false,
            protocol: protocol.to_owned(),
            ports,
            peer: Peer::Ipv4(network.into(), bits),
            description: None,
            tags: Tags::new(),
        }
    }

    #[test]
    fn only_the_ports_and_addresses_of_the_rule_are_admitted() {
        let ssh = rule("tcp", Some((22, 23)), [127, 0, 0, 0], 8);
        let here = Ipv4Addr::LOCALHOST;
        assert!(ssh.admits(here, 22) && ssh.admits(here, 23) && !ssh.admits(here, 24));
        assert!(!ssh.admits([128, 0, 0, 1].into(), 22));
        assert!(rule("-1", None, [0, 0, 0, 0], 0).admits([203, 0, 113, 9].into(), 65_535));
        assert!(!rule("tcp", Some((0, 65_535)), [203, 0, 113, 9], 32).admits(here, 22));
        assert!(!rule("udp", Some((22, 22)), [0, 0, 0, 0], 0).admits(here, 22));
        let out = Rule { is_egress: true, ..rule("-1", None, [0, 0, 0, 0], 0) };
        assert!(!out.admits(here, 22));
    }
}
