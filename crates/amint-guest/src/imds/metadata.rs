//! What one instance knows about itself.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use amint_types::Architecture;
use jiff::Timestamp;
use uuid::Uuid;

use crate::imds::InstanceRole;

/// A public key that the instance lets in (`public-keys/0/openssh-key`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginKey {
    /// Name of the key pair.
    pub name: String,
    /// The key, as one line of `authorized_keys`.
    pub openssh: String,
}

/// One entry of `block-device-mapping`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockDevice {
    /// The virtual name: `ami`, `root`, `ebs1`.
    pub virtual_name: String,
    /// The device name: `/dev/xvda`.
    pub device: String,
}

/// Everything that the metadata service tells an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// The account that owns the instance.
    pub account_id: String,
    /// The image: `ami-…`.
    pub ami_id: String,
    /// The index within the launch.
    pub ami_launch_index: u32,
    /// The processor architecture.
    pub architecture: Architecture,
    /// The availability zone.
    pub availability_zone: String,
    /// The zone's id: `use1-az1`.
    pub availability_zone_id: String,
    /// The block devices.
    pub block_devices: Vec<BlockDevice>,
    /// The DNS suffix of the partition.
    pub domain: String,
    /// The private host name.
    pub hostname: String,
    /// How many IP hops an answer may take (`HttpPutResponseHopLimit`); not enforced, see the module.
    pub hop_limit: u8,
    /// The instance: `i-…`.
    pub instance_id: String,
    /// The instance type.
    pub instance_type: String,
    /// The network interface: `eni-…`.
    pub interface_id: String,
    /// The keys that are let in.
    pub login_keys: Vec<LoginKey>,
    /// The private IPv4 address.
    pub local_ipv4: Ipv4Addr,
    /// The hardware address of the first interface, lower case with colons.
    pub mac: String,
    /// The partition: `aws`.
    pub partition: String,
    /// When the instance was launched.
    pub pending_time: Timestamp,
    /// The public IPv4 address, where the instance has one.
    pub public_ipv4: Option<Ipv4Addr>,
    /// The product codes of AWS Marketplace.
    pub product_codes: Vec<String>,
    /// The region.
    pub region: String,
    /// The reservation: `r-…`.
    pub reservation_id: String,
    /// The role, where the instance has a profile.
    pub role: Option<InstanceRole>,
    /// The names of the security groups.
    pub security_groups: Vec<String>,
    /// The ids of the security groups.
    pub security_group_ids: Vec<String>,
    /// The subnet: `subnet-…`.
    pub subnet_id: String,
    /// The addresses of the subnet.
    pub subnet_cidr: String,
    /// The instance's tags; none when `InstanceMetadataTags` is off.
    pub tags: Option<BTreeMap<String, String>>,
    /// The user data.
    pub user_data: Option<Vec<u8>>,
    /// The network: `vpc-…`.
    pub vpc_id: String,
    /// The addresses of the network.
    pub vpc_cidr: String,
}

/// The address that QEMU's user-mode network gives its first guest in `169.254.169.0/24`.
pub(crate) const GUEST_ADDRESS: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 15);

impl Metadata {
    /// Describes an instance that exists only for a test: fresh ids, one key, the guest's fixed address.
    pub fn for_test(architecture: Architecture, mac: String, pending_time: Timestamp) -> Self {
        Self {
            account_id: "123456789012".to_owned(),
            ami_id: fresh_id("ami"),
            ami_launch_index: 0,
            architecture,
            availability_zone: "us-east-1a".to_owned(),
            availability_zone_id: "use1-az1".to_owned(),
            block_devices: vec![
                BlockDevice { virtual_name: "ami".to_owned(), device: "/dev/xvda".to_owned() },
                BlockDevice { virtual_name: "root".to_owned(), device: "/dev/xvda".to_owned() },
            ],
            domain: "amazonaws.com".to_owned(),
            hostname: format!("ip-{}.ec2.internal", GUEST_ADDRESS.to_string().replace('.', "-")),
            hop_limit: 2,
            instance_id: fresh_id("i"),
            instance_type: match architecture {
                Architecture::Arm64 => "t4g.micro",
                _ => "t3.micro",
            }
            .to_owned(),
            interface_id: fresh_id("eni"),
            login_keys: Vec::new(),
            local_ipv4: GUEST_ADDRESS,
            mac,
            partition: "aws".to_owned(),
            pending_time,
            public_ipv4: None,
            product_codes: Vec::new(),
            region: "us-east-1".to_owned(),
            reservation_id: fresh_id("r"),
            role: None,
            security_groups: vec!["default".to_owned()],
            security_group_ids: vec![fresh_id("sg")],
            subnet_id: fresh_id("subnet"),
            subnet_cidr: "169.254.169.0/24".to_owned(),
            tags: None,
            user_data: None,
            vpc_id: fresh_id("vpc"),
            vpc_cidr: "169.254.0.0/16".to_owned(),
        }
    }
}

/// Makes an id of EC2's long form: the prefix and 17 hexadecimal digits.
fn fresh_id(prefix: &str) -> String {
    let digits = Uuid::new_v4().simple().to_string();
    // Digits 13 and 17 of a random UUID are not random; the tail is.
    format!("{prefix}-0{}", &digits[16..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fresh_ids_have_the_long_form_of_ec2() {
        let id = fresh_id("i");
        let digits = id.strip_prefix("i-").unwrap();
        assert_eq!(digits.len(), 17);
        assert!(digits.chars().all(|digit| digit.is_ascii_hexdigit() && !digit.is_ascii_uppercase()));
        assert_ne!(id, fresh_id("i"));
    }
}
