//! The default network of a region: what an account finds before it made anything.
//!
//! Ids follow from account and region, so that nothing has to be remembered. Addresses are those that QEMU's user-mode network
//! can give while the metadata service keeps its true address, which has to be one of the same network.

use std::net::Ipv4Addr;

use amint_guest::INSTANCE_NETWORK;
use amint_types::Digest;

use crate::world::ACCOUNT_ID;

/// The addresses of the network.
pub(crate) const VPC_CIDR: &str = INSTANCE_NETWORK;
/// The first addresses of a subnet, which EC2 keeps for itself, and QEMU too.
const RESERVED: u32 = 16;
const SUBNET_ADDRESSES: u32 = 1 << 12;

/// The default network of a region.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    pub(crate) vpc_id: String,
    pub(crate) dhcp_options_id: String,
    pub(crate) gateway_id: String,
    pub(crate) route_table_id: String,
    pub(crate) acl_id: String,
    pub(crate) group_id: String,
    pub(crate) subnets: Vec<Subnet>,
}

/// The subnet of one zone.
#[derive(Clone, Debug)]
pub(crate) struct Subnet {
    pub(crate) id: String,
    pub(crate) zone: String,
    pub(crate) zone_id: String,
    first: u32,
}

/// Returns an id that follows from a region, and from the account where it is not the local one.
fn id(kind: &str, account: &str, region: &str, what: &str) -> String {
    let account = if account == ACCOUNT_ID { String::new() } else { format!("\0{account}") };
    let digest = Digest::of(format!("{kind}\0{region}\0{what}{account}").as_bytes()).to_string();
    format!("{kind}-0{}", &digest[..16])
}

impl Network {
    /// Returns the network of an account in a region.
    pub(crate) fn of(account: &str, region: &str) -> Self {
        let id = |kind: &str, region: &str, what: &str| id(kind, account, region, what);
        let subnet = |(index, letter): (u32, &str)| Subnet {
            id: id("subnet", region, letter),
            zone: format!("{region}{letter}"),
            zone_id: format!("{}-az{}", short(region), index + 1),
            first: u32::from(Ipv4Addr::new(169, 254, 0, 0)) + index * SUBNET_ADDRESSES,
        };
        Self {
            vpc_id: id("vpc", region, ""),
            dhcp_options_id: id("dopt", region, ""),
            gateway_id: id("igw", region, ""),
            route_table_id: id("rtb", region, ""),
            acl_id: id("acl", region, ""),
            group_id: id("sg", region, "default"),
            subnets: (0..).zip(["a", "b", "c"]).map(subnet).collect(),
        }
    }
}

impl Subnet {
    /// Returns the addresses, as `ADDRESS/BITS`.
    pub(crate) fn cidr(&self) -> String {
        format!("{}/20", Ipv4Addr::from(self.first))
    }

    /// Returns the addresses that instances can have.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = Ipv4Addr> {
        (self.first + RESERVED..self.first + SUBNET_ADDRESSES - 1).map(Ipv4Addr::from)
    }

    /// Tells whether an instance can have an address.
    pub(crate) fn has(&self, address: Ipv4Addr) -> bool {
        (self.first + RESERVED..self.first + SUBNET_ADDRESSES - 1).contains(&u32::from(address))
    }
}

/// Shortens a region as ids of zones do: `us-east-1` is `use1`.
pub(crate) fn short(region: &str) -> String {
    let parts: Vec<&str> = region.split('-').collect();
    let [place, middle @ .., number] = &parts[..] else { return region.to_owned() };
    let middle: String = middle.iter().filter_map(|part| part.chars().next()).collect();
    format!("{place}{middle}{number}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_have_networks_of_their_own_and_subnets_share_no_address() {
        let (here, there) = (Network::of(ACCOUNT_ID, "us-east-1"), Network::of(ACCOUNT_ID, "eu-west-1"));
        assert_ne!(here.vpc_id, there.vpc_id);
        assert_eq!(here.subnets[1].cidr(), "169.254.16.0/20");
        assert_eq!(here.subnets[2].zone_id, "use1-az3");
        let metadata = Ipv4Addr::new(169, 254, 169, 254);
        for (index, subnet) in here.subnets.iter().enumerate() {
            assert!(!subnet.has(metadata));
            for address in subnet.addresses() {
                let owners = here.subnets.iter().filter(|other| other.has(address)).count();
                assert_eq!(owners, 1, "{index} {address}");
            }
        }
    }
}
