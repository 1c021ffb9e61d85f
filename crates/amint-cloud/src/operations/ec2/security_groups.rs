//! What operations on security groups share.

use std::net::Ipv4Addr;
use std::sync::Arc;

use super::{check_id, tag_set};
use crate::network::Network;
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::{Peer, Rule, SecurityGroup, Tables, Tags};
use crate::state::Change;
use crate::world::new_id;

/// Protocols by their names and numbers.
const PROTOCOLS: [(&str, &str); 4] = [("tcp", "6"), ("udp", "17"), ("icmp", "1"), ("icmpv6", "58")];

/// The group of an account in a region that is there from the start: its members reach each other, and everything outside.
pub(crate) fn default_group(account: &str, region: &str) -> SecurityGroup {
    let network = Network::of(account, region);
    let inward = Rule { is_egress: false, peer: Peer::Group(network.group_id.clone()), ..all_outward() };
    SecurityGroup {
        id: network.group_id,
        account: account.to_owned(),
        region: region.to_owned(),
        name: "default".to_owned(),
        description: "default VPC security group".to_owned(),
        vpc_id: network.vpc_id,
        rules: vec![inward, all_outward()],
        tags: Tags::new(),
    }
}

/// The rule that every new group has.
pub(super) fn all_outward() -> Rule {
    Rule {
        id: new_id("sgr"),
        is_egress: true,
        protocol: "-1".to_owned(),
        ports: None,
        peer: Peer::Ipv4(Ipv4Addr::UNSPECIFIED, 0),
        description: None,
        tags: Tags::new(),
    }
}

pub(super) fn not_found(id: &str) -> Fault {
    Fault::client("InvalidGroup.NotFound", format!("The security group '{id}' does not exist"))
}

/// Finds a group of whoever asks by its name.
pub(super) fn named<'t>(call: &Call<'_>, tables: &'t Tables, name: &str) -> Option<&'t Arc<SecurityGroup>> {
    let mut groups = tables.security_groups.values();
    groups.find(|group| group.name == name && call.owns(&group.account, &group.region))
}

/// Finds the group that a request names by `GroupId` or `GroupName`.
pub(super) fn asked(call: &Call<'_>, change: &Change<'_>, params: &Params) -> Result<SecurityGroup, Fault> {
    let found = match (params.get("GroupId"), params.get("GroupName")) {
        (Some(id), _) => {
            check_id("sg", "InvalidGroupId.Malformed", id)?;
            let own = |group: &Arc<SecurityGroup>| call.owns(&group.account, &group.region);
            change.get::<SecurityGroup>(id).filter(own).ok_or_else(|| not_found(id))?
        }
        (None, Some(name)) => named(call, change.tables(), name).cloned().ok_or_else(|| not_found(name))?,
        (None, None) => return Err(Fault::missing("GroupId")),
    };
    Ok(SecurityGroup::clone(&found))
}

/// Reads the rules of a request: those of `IpPermissions.N`, or the one of the older form.
pub(super) fn rules(
    call: &Call<'_>,
    tables: &Tables,
    params: &Params,
    is_egress: bool,
) -> Result<Vec<Rule>, Fault> {
    let mut rules = Vec::new();
    for index in params.indexes("IpPermissions") {
        rules.extend(permission(call, tables, params, &format!("IpPermissions.{index}."), is_egress)?);
    }
    if let Some(cidr) = params.get("CidrIp") {
        let (protocol, ports) = what(params, "")?;
        rules.push(rule(is_egress, protocol, ports, ipv4(cidr)?, None));
    }
    Ok(rules)
}

fn rule(
    is_egress: bool,
    protocol: String,
    ports: Option<(i32, i32)>,
    peer: Peer,
    description: Option<&str>,
) -> Rule {
    let description = description.map(str::to_owned);
    Rule { id: new_id("sgr"), is_egress, protocol, ports, peer, description, tags: Tags::new() }
}

/// Reads one permission: a rule for each of its peers.
fn permission(
    call: &Call<'_>,
    tables: &Tables,
    params: &Params,
    prefix: &str,
    is_egress: bool,
) -> Result<Vec<Rule>, Fault> {
    let (protocol, ports) = what(params, prefix)?;
    let mut rules = Vec::new();
    let mut add = |peer: Peer, entry: &str| {
        let description = params.get(&format!("{entry}.Description"));
        rules.push(rule(is_egress, protocol.clone(), ports, peer, description));
    };
    let entries = |list: &str| {
        let name = format!("{prefix}{list}");
        params.indexes(&name).into_iter().map(move |index| format!("{name}.{index}"))
    };
    for entry in entries("IpRanges") {
        add(ipv4(params.required(&format!("{entry}.CidrIp"))?)?, &entry);
    }
    for entry in entries("Ipv6Ranges") {
        add(ipv6(params.required(&format!("{entry}.CidrIpv6"))?)?, &entry);
    }
    for entry in entries("PrefixListIds") {
        add(Peer::PrefixList(params.required(&format!("{entry}.PrefixListId"))?.to_owned()), &entry);
    }
    // Terraform's name of the list, and the one of the API's model.
    for entry in entries("Groups").chain(entries("UserIdGroupPairs")) {
        let (id, name) = (params.get(&format!("{entry}.GroupId")), params.get(&format!("{entry}.GroupName")));
        let owner = params.get(&format!("{entry}.UserId"));
        if let Some(owner) = owner.filter(|owner| *owner != call.account()) {
            return Err(Fault::client(
                "InvalidGroup.NotFound",
                format!("The account {owner} has no group here"),
            ));
        }
        let found = match (id, name) {
            (Some(id), _) => {
                tables.security_groups.get(id).filter(|group| call.owns(&group.account, &group.region))
            }
            (None, Some(name)) => named(call, tables, name),
            (None, None) => return Err(Fault::missing(&format!("{entry}.GroupId"))),
        };
        let found = found.ok_or_else(|| not_found(id.or(name).unwrap_or_default()))?;
        add(Peer::Group(found.id.clone()), &entry);
    }
    if rules.is_empty() {
        return Err(Fault::client("InvalidParameterValue", "A permission names no source or destination"));
    }
    Ok(rules)
}

/// Reads protocol and ports.
fn what(params: &Params, prefix: &str) -> Result<(String, Option<(i32, i32)>), Fault> {
    let name = |key: &str| format!("{prefix}{key}");
    let protocol = params.required(&name("IpProtocol"))?.to_ascii_lowercase();
    let number = |key: &str| -> Result<Option<i32>, Fault> {
        let key = name(key);
        params.get(&key).map(|text| text.parse().map_err(|_| Fault::invalid_value(&key, text))).transpose()
    };
    let (from, to) = (number("FromPort")?, number("ToPort")?);
    let known = PROTOCOLS.into_iter().find(|(name, number)| [*name, *number].contains(&protocol.as_str()));
    let invalid = |message: &str| Err(Fault::client("InvalidParameterValue", message));
    match known {
        Some((name @ ("tcp" | "udp"), _)) => match (from, to) {
            // Older clients say all ports so.
            (Some(-1) | None, Some(-1) | None) => Ok((name.to_owned(), Some((0, 65_535)))),
            (Some(from @ 0..=65_535), Some(to @ 0..=65_535)) if from <= to => {
                Ok((name.to_owned(), Some((from, to))))
            }
            _ => invalid("Invalid port range: ports are 0 to 65535, the first before the last"),
        },
        Some((name, _)) => match (from.unwrap_or(-1), to.unwrap_or(-1)) {
            (kind @ -1..=255, code @ -1..=255) => Ok((name.to_owned(), Some((kind, code)))),
            _ => invalid("Invalid type or code of ICMP"),
        },
        None if protocol == "-1" || protocol == "all" => Ok(("-1".to_owned(), None)),
        None if protocol.parse::<u8>().is_ok() => Ok((protocol, None)),
        None => Err(Fault::invalid_value("IpProtocol", &protocol)),
    }
}

fn ipv4(cidr: &str) -> Result<Peer, Fault> {
    let invalid = || Fault::client("InvalidParameterValue", format!("CIDR block {cidr} is malformed"));
    let (address, bits) = cidr.split_once('/').ok_or_else(invalid)?;
    let address: Ipv4Addr = address.parse().map_err(|_| invalid())?;
    let bits: u8 = bits.parse().ok().filter(|bits| *bits <= 32).ok_or_else(invalid)?;
    let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
    Ok(Peer::Ipv4(Ipv4Addr::from(u32::from(address) & mask), bits))
}

fn ipv6(cidr: &str) -> Result<Peer, Fault> {
    let is_right = cidr.split_once('/').is_some_and(|(address, bits)| {
        address.parse::<std::net::Ipv6Addr>().is_ok() && bits.parse::<u8>().is_ok_and(|bits| bits <= 128)
    });
    if is_right {
        return Ok(Peer::Ipv6(cidr.to_owned()));
    }
    Err(Fault::client("InvalidParameterValue", format!("CIDR block {cidr} is malformed")))
}

/// Writes rules as lists of groups do: one permission for all peers of the same ports.
pub(super) fn permissions(name: &'static str, group: &SecurityGroup, is_egress: bool) -> Element {
    let mut kinds: Vec<(&str, Option<(i32, i32)>)> = Vec::new();
    let rules = || group.rules.iter().filter(|rule| rule.is_egress == is_egress);
    for rule in rules() {
        let kind = (rule.protocol.as_str(), rule.ports);
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    let entries = kinds.into_iter().map(|(protocol, ports)| {
        let of_kind = || rules().filter(|rule| (rule.protocol.as_str(), rule.ports) == (protocol, ports));
        let list = |name, write: fn(&SecurityGroup, &Peer) -> Option<Element>| {
            let written = of_kind().filter_map(|rule| {
                Some(write(group, &rule.peer)?.maybe("description", rule.description.as_ref()))
            });
            Element::list(name, written)
        };
        Element::default()
            .text("ipProtocol", protocol)
            .maybe("fromPort", ports.map(|(from, _)| from))
            .maybe("toPort", ports.map(|(_, to)| to))
            .with(list("groups", |group, peer| match peer {
                Peer::Group(id) => {
                    Some(Element::default().text("userId", &group.account).text("groupId", id))
                }
                _ => None,
            }))
            .with(list("ipRanges", |_, peer| match peer {
                Peer::Ipv4(address, bits) => {
                    Some(Element::default().text("cidrIp", format!("{address}/{bits}")))
                }
                _ => None,
            }))
            .with(list("ipv6Ranges", |_, peer| match peer {
                Peer::Ipv6(cidr) => Some(Element::default().text("cidrIpv6", cidr)),
                _ => None,
            }))
            .with(list("prefixListIds", |_, peer| match peer {
                Peer::PrefixList(id) => Some(Element::default().text("prefixListId", id)),
                _ => None,
            }))
    });
    Element::list(name, entries)
}

/// Returns the ARN of a group, or of a rule of it.
pub(super) fn arn(group: &SecurityGroup, kind: &str, id: &str) -> String {
    format!("arn:aws:ec2:{}:{}:{kind}/{id}", group.region, group.account)
}

/// Writes one rule as operations on rules do.
pub(super) fn describe_rule(group: &SecurityGroup, rule: &Rule) -> Element {
    let element = parts(group, rule)
        .text("groupOwnerId", &group.account)
        .text("securityGroupRuleArn", arn(group, "security-group-rule", &rule.id));
    let element = match &rule.peer {
        Peer::Group(id) => element
            .with(Element::new("referencedGroupInfo").text("groupId", id).text("userId", &group.account)),
        _ => element,
    };
    element.with(tag_set(&rule.tags))
}

/// Writes a rule that was revoked.
pub(super) fn describe_revoked(group: &SecurityGroup, rule: &Rule) -> Element {
    match &rule.peer {
        Peer::Group(id) => parts(group, rule).text("referencedGroupId", id),
        _ => parts(group, rule),
    }
}

/// Writes what is told of every rule.
fn parts(group: &SecurityGroup, rule: &Rule) -> Element {
    let element = Element::default()
        .text("securityGroupRuleId", &rule.id)
        .text("groupId", &group.id)
        .text("isEgress", rule.is_egress)
        .text("ipProtocol", &rule.protocol)
        .text("fromPort", rule.ports.map_or(-1, |(from, _)| from))
        .text("toPort", rule.ports.map_or(-1, |(_, to)| to));
    let element = match &rule.peer {
        Peer::Ipv4(address, bits) => element.text("cidrIpv4", format!("{address}/{bits}")),
        Peer::Ipv6(cidr) => element.text("cidrIpv6", cidr),
        Peer::PrefixList(id) => element.text("prefixListId", id),
        Peer::Group(_) => element,
    };
    element.maybe("description", rule.description.as_ref())
}
