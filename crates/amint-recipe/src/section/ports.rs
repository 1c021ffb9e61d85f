//! `[[ports]]`: what can be reached from outside.

use std::collections::HashSet;
use std::fmt;
use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::Serialize;

use crate::defaults;
use crate::problems::{Flaw, Problem, Problems};
use crate::table::{Table, values};
use crate::text::{Choice, Cidr, choose, plain};

pub(crate) const KEYS: [&str; 4] = ["port", "protocol", "from", "description"];

/// The numbers of ports.
pub(super) const PORT_NUMBERS: RangeInclusive<u32> = 1..=65535;
/// Most ports, and most blocks of one port: the rules of a security group (default quota of EC2).
const RULE_COUNT_MAX: usize = 60;
/// Most characters of a security group rule's description.
const DESCRIPTION_CHARS_MAX: usize = 255;

/// Says what can be reached from outside: the image listens there, security groups are derived from it (A14).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Port {
    /// The port's number. Port 22 for SSH is open in every image, listed or not.
    #[schemars(range(min = 1, max = 65535))]
    pub port: u16,
    /// The protocol.
    #[schemars(default = "defaults::protocol")]
    pub protocol: Protocol,
    /// Who may reach it: blocks of IPv4 or IPv6 addresses.
    #[schemars(default = "defaults::port_from", length(min = 1))]
    pub from: Vec<Cidr>,
    /// What the port is for; goes into the rule of the security group.
    #[schemars(length(min = 1, max = 255))]
    pub description: Option<String>,
}

/// A transport protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
#[non_exhaustive]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl Protocol {
    /// Returns the lower-case name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl Choice for Protocol {
    const WHAT: &'static str = "a protocol";
    const ALL: &'static [Self] = &[Self::Tcp, Self::Udp];

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Port {
    /// Returns the port of SSH, open to everyone.
    pub(crate) fn ssh() -> Self {
        Self {
            port: defaults::SSH_PORT,
            protocol: defaults::protocol(),
            from: defaults::port_from(),
            description: Some("SSH".to_owned()),
        }
    }
}

pub(crate) fn parse(root: &Table<'_>, problems: &mut Problems<'_>) -> Vec<Port> {
    let tables = root.tables(problems, "ports", "[[ports]]", RULE_COUNT_MAX, &KEYS);
    let mut seen = HashSet::new();
    let mut ports = Vec::with_capacity(tables.len());
    for table in tables {
        table.require(problems, "port");
        let number = table.integer(problems, "port", PORT_NUMBERS);
        let protocol = table.parsed(problems, "protocol", choose::<Protocol>);
        let from = table.parsed_list(problems, "from", RULE_COUNT_MAX, Cidr::parse);
        if from.as_ref().is_some_and(Vec::is_empty) && is_empty_list(&table, problems) {
            let problem =
                Problem::error(table.span_of("from"), "`from` is empty: nobody could reach the port");
            problems.push(problem.hint("leave out the whole `[[ports]]`, or say who may reach it"));
        }
        let description = table.parsed(problems, "description", description);
        let protocol = protocol.map_or_else(defaults::protocol, |protocol| protocol.value);
        let Some(number) = number else { continue };
        let Ok(port) = u16::try_from(number.value) else { continue };
        if !seen.insert((port, protocol)) {
            let message = format!("port {port}/{protocol} is listed twice");
            problems.push(
                Problem::error(number.span, message).hint("put all addresses into `from` of one `[[ports]]`"),
            );
        }
        ports.push(Port {
            port,
            protocol,
            from: from.map_or_else(defaults::port_from, values),
            description: description.map(|text| text.value),
        });
    }
    ports
}

/// Tells a list without entries from one whose entries were all refused.
fn is_empty_list(table: &Table<'_>, problems: &Problems<'_>) -> bool {
    let list = problems.snippet(table.span_of("from"));
    !list.contains(['"', '\''])
}

fn description(text: &str) -> Result<String, Flaw> {
    // The characters that rules of security groups take (`IpRange` `Description` of the EC2 API).
    let is_allowed =
        |character: char| character.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(character);
    let text = plain("description", DESCRIPTION_CHARS_MAX, false)(text)?;
    match text.chars().find(|character| !is_allowed(*character)) {
        Some(refused) => Err(Flaw::new(format!("security groups allow no `{refused}` in a description"))
            .hint("letters, digits, blanks and `._-:/()#,@[]+=&;{}!$*` are allowed")),
        None => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::section::testing::{errors, messages, recipe};

    #[test]
    fn opens_tcp_to_everyone_by_default() {
        let ports = recipe("[[ports]]\nport = 80\n").ports;
        assert_eq!(
            (ports[0].port, ports[0].protocol, &ports[0].from[..]),
            (80, Protocol::Tcp, &[Cidr::ANY_V4][..])
        );
    }

    #[test]
    fn always_opens_ssh() {
        let effective = |section: &str| -> Vec<u16> {
            recipe(section).effective_ports().iter().map(|port| port.port).collect()
        };
        assert_eq!(effective(""), [22]);
        assert_eq!(effective("[[ports]]\nport = 443\n[[ports]]\nport = 80\n"), [22, 80, 443]);
        let own = recipe("[[ports]]\nport = 22\nfrom = [\"10.0.0.0/8\"]\n").effective_ports();
        assert_eq!((own.len(), own[0].from[0].to_string().as_str()), (1, "10.0.0.0/8"));
        assert_eq!(effective("[[ports]]\nport = 22\nprotocol = \"udp\"\n"), [22, 22]);
    }

    #[test]
    fn refuses_numbers_that_are_no_ports() {
        for number in ["0", "65536", "-1", "99999999999999999999"] {
            let found = messages(&format!("[[ports]]\nport = {number}\n"));
            assert_eq!(found, ["`port` must lie between 1 and 65535"], "{number}");
        }
        assert_eq!(errors("[[ports]]\nport = \"80\"\n")[0].2, "write it without quotes: `80`");
    }

    #[test]
    fn reports_each_wrong_block_of_addresses() {
        let found = errors("[[ports]]\nport = 80\nfrom = [\"10.0.0.1/8\", \"all\"]\n");
        let texts: Vec<_> = found.iter().map(|(text, _, _)| text.as_str()).collect();
        assert_eq!(texts, ["\"10.0.0.1/8\"", "\"all\""]);
        assert!(found[0].2.contains("`10.0.0.0/8`"));
        assert_eq!(
            messages("[[ports]]\nport = 80\nfrom = []\n"),
            ["`from` is empty: nobody could reach the port"]
        );
    }

    #[test]
    fn refuses_a_port_twice_but_not_with_two_protocols() {
        assert_eq!(messages("[[ports]]\nport = 53\n[[ports]]\nport = 53\n"), ["port 53/tcp is listed twice"]);
        recipe("[[ports]]\nport = 53\n[[ports]]\nport = 53\nprotocol = \"udp\"\n");
    }

    #[test]
    fn refuses_descriptions_that_ec2_would_refuse() {
        assert_eq!(messages("[[ports]]\nport = 80\ndescription = \"web <public>\"\n").len(), 1);
        recipe("[[ports]]\nport = 80\ndescription = \"web (public), HTTP/1.1\"\n");
    }
}
