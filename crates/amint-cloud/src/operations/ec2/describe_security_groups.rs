use std::sync::Arc;

use super::{check_known, filters, passes, security_groups, tag_set};
use crate::operations::Call;
use crate::operations::page::{Pager, USUAL};
use crate::protocol::{Element, Fault, Params};
use crate::records::{Peer, Rule, SecurityGroup};

/// The filters that there are besides those of tags (API reference, `DescribeSecurityGroups`).
const FILTERS: [&str; 19] = [
    "description",
    "egress.ip-permission.cidr",
    "egress.ip-permission.from-port",
    "egress.ip-permission.group-id",
    "egress.ip-permission.ipv6-cidr",
    "egress.ip-permission.prefix-list-id",
    "egress.ip-permission.protocol",
    "egress.ip-permission.to-port",
    "group-id",
    "group-name",
    "ip-permission.cidr",
    "ip-permission.from-port",
    "ip-permission.group-id",
    "ip-permission.ipv6-cidr",
    "ip-permission.prefix-list-id",
    "ip-permission.protocol",
    "ip-permission.to-port",
    "owner-id",
    "vpc-id",
];

/// Lists the security groups of an account.
pub(crate) fn describe_security_groups(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let (ids, names) = (params.list("GroupId"), params.list("GroupName"));
    let filters = filters(params, &FILTERS)?;
    let pager = Pager::new(call, params, USUAL)?;
    let tables = call.tables();
    let is_own = |group: &SecurityGroup| call.owns(&group.account, &group.region);
    check_known(&ids, "sg", ("InvalidGroupId.Malformed", "InvalidGroup.NotFound"), "security group", |id| {
        tables.security_groups.get(id).is_some_and(|group| is_own(group))
    })?;
    if let Some(name) = names.iter().find(|name| security_groups::named(call, &tables, name).is_none()) {
        return Err(security_groups::not_found(name));
    }
    let is_wanted = |group: &SecurityGroup| {
        is_own(group)
            && (ids.is_empty() || ids.contains(&group.id.as_str()))
            && (names.is_empty() || names.contains(&group.name.as_str()))
            && passes(&filters, &group.tags, |name| values(group, name))
    };
    let found = pager.rest(&tables.security_groups).filter(|group| is_wanted(group));
    let page = pager.page(found.map(|group| Ok(Arc::clone(group))))?;
    let entries = page.entries.iter().map(|group| {
        Element::default()
            .text("ownerId", &group.account)
            .text("groupId", &group.id)
            .text("groupName", &group.name)
            .text("groupDescription", &group.description)
            .text("vpcId", &group.vpc_id)
            .text("securityGroupArn", security_groups::arn(group, "security-group", &group.id))
            .with(security_groups::permissions("ipPermissions", group, false))
            .with(security_groups::permissions("ipPermissionsEgress", group, true))
            .with(tag_set(&group.tags))
    });
    Ok(Element::default()
        .with(Element::list("securityGroupInfo", entries))
        .maybe("nextToken", page.next_token))
}

/// Returns what a filter compares with.
fn values(group: &SecurityGroup, name: &str) -> Vec<String> {
    let (is_egress, of_rule) = match name.strip_prefix("egress.") {
        Some(rest) => (true, rest),
        None => (false, name),
    };
    let of = |value: fn(&Rule) -> Option<String>| {
        group.rules.iter().filter(|rule| rule.is_egress == is_egress).filter_map(value).collect()
    };
    match of_rule {
        "ip-permission.cidr" => of(|rule| match &rule.peer {
            Peer::Ipv4(address, bits) => Some(format!("{address}/{bits}")),
            _ => None,
        }),
        "ip-permission.ipv6-cidr" => of(|rule| match &rule.peer {
            Peer::Ipv6(cidr) => Some(cidr.clone()),
            _ => None,
        }),
        "ip-permission.group-id" => of(|rule| match &rule.peer {
            Peer::Group(id) => Some(id.clone()),
            _ => None,
        }),
        "ip-permission.prefix-list-id" => of(|rule| match &rule.peer {
            Peer::PrefixList(id) => Some(id.clone()),
            _ => None,
        }),
        "ip-permission.from-port" => of(|rule| rule.ports.map(|(from, _)| from.to_string())),
        "ip-permission.to-port" => of(|rule| rule.ports.map(|(_, to)| to.to_string())),
        "ip-permission.protocol" => of(|rule| Some(rule.protocol.clone())),
        "description" => vec![group.description.clone()],
        "group-id" => vec![group.id.clone()],
        "group-name" => vec![group.name.clone()],
        "owner-id" => vec![group.account.clone()],
        "vpc-id" => vec![group.vpc_id.clone()],
        _ => Vec::new(),
    }
}
