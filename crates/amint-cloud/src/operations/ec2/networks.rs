use std::collections::BTreeSet;

use super::{check_known, filters, passes, tag_set, time};
use crate::network::{Network, Subnet, VPC_CIDR};
use crate::operations::Call;
use crate::operations::page::{Pager, USUAL};
use crate::protocol::{Element, Fault, Filter, Params};
use crate::records::{Instance, InstanceState, Tables, Tags};

/// What an operation lists: an id, what filters compare with, and how it is written.
struct Entry {
    id: String,
    values: Vec<(&'static str, String)>,
    written: Element,
}

/// Answers a list of what is always there: all of it, what is asked for by ids, what passes the filters.
struct Listing<'a> {
    list: &'static str,
    /// The parameter with ids, how these begin, and the error for those of nothing.
    ids: (&'a str, &'a str, &'static str),
    filters: &'a [&'a str],
}

impl Listing<'_> {
    fn answer(&self, call: &Call<'_>, params: &Params, entries: Vec<Entry>) -> Result<Element, Fault> {
        let (parameter, kind, unknown) = self.ids;
        let ids = params.list(parameter);
        let filters: Vec<Filter> = filters(params, self.filters)?;
        let pager = Pager::new(call, params, USUAL)?;
        check_known(&ids, kind, ("InvalidParameterValue", unknown), "ID", |id| {
            entries.iter().any(|entry| entry.id == id)
        })?;
        let is_wanted = |entry: &Entry| {
            (ids.is_empty() || ids.contains(&entry.id.as_str()))
                && passes(&filters, &Tags::new(), |name| {
                    let of_name = entry.values.iter().filter(|(known, _)| *known == name);
                    of_name.map(|(_, value)| value.clone()).collect()
                })
        };
        let mut found: Vec<(String, Element)> =
            entries.into_iter().filter(is_wanted).map(|entry| (entry.id, entry.written)).collect();
        found.sort_by(|one, other| one.0.cmp(&other.0));
        let page = pager.page_of(found.into_iter());
        Ok(Element::default()
            .with(Element::list(self.list, page.entries))
            .maybe("nextToken", page.next_token))
    }
}

fn yes() -> String {
    "true".to_owned()
}

/// Lists the networks: the one that every account has.
pub(crate) fn describe_vpcs(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let network = Network::of(call.account(), call.region);
    let association = Element::default()
        .text("associationId", network.vpc_id.replacen("vpc-", "vpc-cidr-assoc-", 1))
        .text("cidrBlock", VPC_CIDR)
        .with(Element::new("cidrBlockState").text("state", "associated"));
    let written = Element::default()
        .text("vpcId", &network.vpc_id)
        .text("ownerId", call.account())
        .text("state", "available")
        .text("cidrBlock", VPC_CIDR)
        .with(Element::list("cidrBlockAssociationSet", [association]))
        .text("dhcpOptionsId", &network.dhcp_options_id)
        .text("instanceTenancy", "default")
        .text("isDefault", true)
        .with(tag_set(&Tags::new()));
    let values = vec![
        ("cidr", VPC_CIDR.to_owned()),
        ("cidr-block-association.cidr-block", VPC_CIDR.to_owned()),
        ("dhcp-options-id", network.dhcp_options_id.clone()),
        ("is-default", yes()),
        ("isDefault", yes()),
        ("owner-id", call.account().to_owned()),
        ("state", "available".to_owned()),
        ("vpc-id", network.vpc_id.clone()),
    ];
    let filters = [
        "cidr",
        "cidr-block-association.cidr-block",
        "dhcp-options-id",
        "is-default",
        "isDefault",
        "owner-id",
        "state",
        "vpc-id",
    ];
    let listing =
        Listing { list: "vpcSet", ids: ("VpcId", "vpc", "InvalidVpcID.NotFound"), filters: &filters };
    listing.answer(call, params, vec![Entry { id: network.vpc_id.clone(), values, written }])
}

/// Lists the subnets: one for each zone.
pub(crate) fn describe_subnets(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let network = Network::of(call.account(), call.region);
    let tables = call.tables();
    let entries = network.subnets.iter().map(|subnet| {
        let free = subnet.addresses().count() - taken(&tables, subnet);
        let written = Element::default()
            .text("subnetId", &subnet.id)
            .text("subnetArn", format!("arn:aws:ec2:{}:{}:subnet/{}", call.region, call.account(), subnet.id))
            .text("state", "available")
            .text("ownerId", call.account())
            .text("vpcId", &network.vpc_id)
            .text("cidrBlock", subnet.cidr())
            .with(Element::new("ipv6CidrBlockAssociationSet"))
            .text("assignIpv6AddressOnCreation", false)
            .text("availableIpAddressCount", free)
            .text("availabilityZone", &subnet.zone)
            .text("availabilityZoneId", &subnet.zone_id)
            .text("defaultForAz", true)
            .text("mapPublicIpOnLaunch", true)
            .with(tag_set(&Tags::new()));
        let values = vec![
            ("availability-zone", subnet.zone.clone()),
            ("availabilityZone", subnet.zone.clone()),
            ("availability-zone-id", subnet.zone_id.clone()),
            ("available-ip-address-count", free.to_string()),
            ("cidr-block", subnet.cidr()),
            ("default-for-az", yes()),
            ("defaultForAz", yes()),
            ("map-public-ip-on-launch", yes()),
            ("owner-id", call.account().to_owned()),
            ("state", "available".to_owned()),
            ("subnet-id", subnet.id.clone()),
            ("vpc-id", network.vpc_id.clone()),
        ];
        Entry { id: subnet.id.clone(), values, written }
    });
    let filters = [
        "availability-zone",
        "availabilityZone",
        "availability-zone-id",
        "available-ip-address-count",
        "cidr-block",
        "default-for-az",
        "defaultForAz",
        "map-public-ip-on-launch",
        "owner-id",
        "state",
        "subnet-id",
        "vpc-id",
    ];
    let ids = ("SubnetId", "subnet", "InvalidSubnetID.NotFound");
    Listing { list: "subnetSet", ids, filters: &filters }.answer(call, params, entries.collect())
}

fn taken(tables: &Tables, subnet: &Subnet) -> usize {
    let addresses = tables.instances.values().filter(|instance| instance.state != InstanceState::Terminated);
    let addresses: BTreeSet<_> = addresses.map(|instance| instance.private_ip).collect();
    addresses.into_iter().filter(|address| subnet.has(*address)).count()
}

/// Lists the route tables: the one of the network, with a way out.
pub(crate) fn describe_route_tables(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let network = Network::of(call.account(), call.region);
    let route = |cidr: &str, gateway: &str, origin: &str| {
        Element::default()
            .text("destinationCidrBlock", cidr)
            .text("gatewayId", gateway)
            .text("state", "active")
            .text("origin", origin)
    };
    let association = Element::default()
        .text("routeTableAssociationId", network.route_table_id.replacen("rtb-", "rtbassoc-", 1))
        .text("routeTableId", &network.route_table_id)
        .text("main", true)
        .with(Element::new("associationState").text("state", "associated"));
    let written = Element::default()
        .text("routeTableId", &network.route_table_id)
        .text("vpcId", &network.vpc_id)
        .text("ownerId", call.account())
        .with(Element::list(
            "routeSet",
            [
                route(VPC_CIDR, "local", "CreateRouteTable"),
                route("0.0.0.0/0", &network.gateway_id, "CreateRoute"),
            ],
        ))
        .with(Element::list("associationSet", [association]))
        .with(Element::new("propagatingVgwSet"))
        .with(tag_set(&Tags::new()));
    let values = vec![
        ("association.main", yes()),
        ("owner-id", call.account().to_owned()),
        ("route-table-id", network.route_table_id.clone()),
        ("vpc-id", network.vpc_id.clone()),
    ];
    let filters = ["association.main", "association.subnet-id", "owner-id", "route-table-id", "vpc-id"];
    let ids = ("RouteTableId", "rtb", "InvalidRouteTableID.NotFound");
    let entry = Entry { id: network.route_table_id.clone(), values, written };
    Listing { list: "routeTableSet", ids, filters: &filters }.answer(call, params, vec![entry])
}

/// Lists the internet gateways: the one of the network.
pub(crate) fn describe_internet_gateways(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let network = Network::of(call.account(), call.region);
    let attachment = Element::default().text("vpcId", &network.vpc_id).text("state", "available");
    let written = Element::default()
        .text("internetGatewayId", &network.gateway_id)
        .text("ownerId", call.account())
        .with(Element::list("attachmentSet", [attachment]))
        .with(tag_set(&Tags::new()));
    let values = vec![
        ("attachment.state", "available".to_owned()),
        ("attachment.vpc-id", network.vpc_id.clone()),
        ("internet-gateway-id", network.gateway_id.clone()),
        ("owner-id", call.account().to_owned()),
    ];
    let filters = ["attachment.state", "attachment.vpc-id", "internet-gateway-id", "owner-id"];
    let ids = ("InternetGatewayId", "igw", "InvalidInternetGatewayID.NotFound");
    let entry = Entry { id: network.gateway_id.clone(), values, written };
    Listing { list: "internetGatewaySet", ids, filters: &filters }.answer(call, params, vec![entry])
}

/// Lists the network ACLs: the one of the network, which lets everything through.
pub(crate) fn describe_network_acls(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let network = Network::of(call.account(), call.region);
    let rule = |number: u32, action: &str, is_egress: bool| {
        Element::default()
            .text("ruleNumber", number)
            .text("protocol", "-1")
            .text("ruleAction", action)
            .text("egress", is_egress)
            .text("cidrBlock", "0.0.0.0/0")
    };
    let rules =
        [false, true].into_iter().flat_map(|way| [rule(100, "allow", way), rule(32_767, "deny", way)]);
    let associations = network.subnets.iter().map(|subnet| {
        Element::default()
            .text("networkAclAssociationId", subnet.id.replacen("subnet-", "aclassoc-", 1))
            .text("networkAclId", &network.acl_id)
            .text("subnetId", &subnet.id)
    });
    let written = Element::default()
        .text("networkAclId", &network.acl_id)
        .text("vpcId", &network.vpc_id)
        .text("ownerId", call.account())
        .text("default", true)
        .with(Element::list("entrySet", rules))
        .with(Element::list("associationSet", associations))
        .with(tag_set(&Tags::new()));
    let mut values = vec![
        ("default", yes()),
        ("network-acl-id", network.acl_id.clone()),
        ("owner-id", call.account().to_owned()),
        ("vpc-id", network.vpc_id.clone()),
    ];
    values.extend(network.subnets.iter().map(|subnet| ("association.subnet-id", subnet.id.clone())));
    let filters = ["association.subnet-id", "default", "network-acl-id", "owner-id", "vpc-id"];
    let ids = ("NetworkAclId", "acl", "InvalidNetworkAclID.NotFound");
    let entry = Entry { id: network.acl_id.clone(), values, written };
    Listing { list: "networkAclSet", ids, filters: &filters }.answer(call, params, vec![entry])
}

/// Lists the network interfaces: one for each instance.
pub(crate) fn describe_network_interfaces(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let tables = call.tables();
    let own = tables.instances.values().filter(|instance| {
        call.owns(&instance.account, &instance.region) && instance.state != InstanceState::Terminated
    });
    let entries = own.map(|instance| {
        let mut values = vec![
            ("addresses.private-ip-address", instance.private_ip.to_string()),
            ("attachment.instance-id", instance.id.clone()),
            ("attachment.status", "attached".to_owned()),
            ("availability-zone", instance.zone.clone()),
            ("mac-address", instance.mac.clone()),
            ("network-interface-id", instance.interface_id.clone()),
            ("owner-id", instance.account.clone()),
            ("private-ip-address", instance.private_ip.to_string()),
            ("status", "in-use".to_owned()),
            ("subnet-id", instance.subnet_id.clone()),
            ("vpc-id", instance.vpc_id.clone()),
        ];
        values.extend(instance.group_ids.iter().map(|id| ("group-id", id.clone())));
        values
            .extend(instance.shown_public_ip().map(|address| ("association.public-ip", address.to_string())));
        Entry { id: instance.interface_id.clone(), values, written: interface(&tables, instance, true) }
    });
    let filters = [
        "addresses.private-ip-address",
        "association.public-ip",
        "attachment.instance-id",
        "attachment.status",
        "availability-zone",
        "group-id",
        "mac-address",
        "network-interface-id",
        "owner-id",
        "private-ip-address",
        "status",
        "subnet-id",
        "vpc-id",
    ];
    let ids = ("NetworkInterfaceId", "eni", "InvalidNetworkInterfaceID.NotFound");
    Listing { list: "networkInterfaceSet", ids, filters: &filters }.answer(call, params, entries.collect())
}

/// Writes the groups of an instance.
pub(super) fn groups(tables: &Tables, instance: &Instance) -> Element {
    let entries = instance.group_ids.iter().map(|id| {
        let name = tables.security_groups.get(id).map(|group| group.name.clone());
        Element::default().text("groupId", id).maybe("groupName", name)
    });
    Element::list("groupSet", entries)
}

/// Writes the interface of an instance, as lists of interfaces do (`is_whole`), or those of instances.
pub(super) fn interface(tables: &Tables, instance: &Instance, is_whole: bool) -> Element {
    let association = |element: Element| match instance.shown_public_ip() {
        None => element,
        Some(address) => element.with(
            Element::new("association")
                .text("publicIp", address)
                .text("publicDnsName", "")
                .text("ipOwnerId", "amazon"),
        ),
    };
    let attachment = Element::new("attachment")
        .text("attachmentId", &instance.interface_attachment_id)
        .text("deviceIndex", 0)
        .text("status", "attached")
        .text("attachTime", time(instance.launched))
        .text("deleteOnTermination", true)
        .text("networkCardIndex", 0);
    let attachment = if is_whole {
        attachment.text("instanceId", &instance.id).text("instanceOwnerId", &instance.account)
    } else {
        attachment
    };
    let address = Element::default()
        .text("privateIpAddress", instance.private_ip)
        .text("privateDnsName", instance.private_dns_name())
        .text("primary", true);
    let element = Element::default()
        .text("networkInterfaceId", &instance.interface_id)
        .text("subnetId", &instance.subnet_id)
        .text("vpcId", &instance.vpc_id)
        .text("description", "")
        .text("ownerId", &instance.account)
        .text("status", "in-use")
        .text("macAddress", &instance.mac)
        .text("privateIpAddress", instance.private_ip)
        .text("privateDnsName", instance.private_dns_name())
        .text("sourceDestCheck", instance.checks_source)
        .text("interfaceType", "interface")
        .with(groups(tables, instance))
        .with(attachment)
        .with(Element::list("privateIpAddressesSet", [association(address)]))
        .with(Element::new("ipv6AddressesSet"));
    let element = association(element);
    if is_whole {
        element.text("availabilityZone", &instance.zone).with(tag_set(&Tags::new()))
    } else {
        element
    }
}
