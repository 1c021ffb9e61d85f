//! The paths of the metadata service and what lies at them.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::imds::{InstanceRole, Metadata, identity_document};

/// The dated versions that EC2 answers to, oldest first; 1.0 and the years before 2009 are long gone from use.
pub(crate) const VERSIONS: [&str; 22] = [
    "2009-04-04",
    "2011-01-01",
    "2011-05-01",
    "2012-01-12",
    "2014-02-25",
    "2014-11-05",
    "2015-10-20",
    "2016-04-19",
    "2016-06-30",
    "2016-09-02",
    "2018-03-28",
    "2018-08-17",
    "2018-09-24",
    "2019-10-01",
    "2020-08-24",
    "2020-10-27",
    "2021-01-03",
    "2021-03-23",
    "2021-07-15",
    "2022-07-09",
    "2022-09-24",
    "2024-04-11",
];

/// What lies at one path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Node {
    /// A list of names.
    Directory(Directory),
    /// A text.
    Text(String),
    /// The user data.
    Bytes(Vec<u8>),
}

/// Names and what lies at each.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Directory {
    entries: BTreeMap<String, Node>,
    /// What the listing says in place of a name.
    listed_as: BTreeMap<String, String>,
    /// Listings mark directories with a slash, except those above `meta-data`.
    is_top: bool,
}

impl Directory {
    fn text(mut self, name: &str, text: impl Into<String>) -> Self {
        self.entries.insert(name.to_owned(), Node::Text(text.into()));
        self
    }

    fn directory(mut self, name: &str, directory: Self) -> Self {
        self.entries.insert(name.to_owned(), Node::Directory(directory));
        self
    }

    /// Writes the listing as EC2 does: one name per line, no newline at the end.
    pub(crate) fn listing(&self) -> String {
        let names: Vec<String> = self
            .entries
            .iter()
            .map(|(name, node)| match (self.listed_as.get(name), node) {
                (Some(other), _) => other.clone(),
                (None, Node::Directory(_)) if !self.is_top => format!("{name}/"),
                (None, _) => name.clone(),
            })
            .collect();
        names.join("\n")
    }
}

/// Everything below one version.
#[derive(Debug)]
pub(crate) struct Tree(Node);

impl Tree {
    /// Lays out what `metadata` tells, with the signatures of its identity document: name and text of each.
    pub(crate) fn new(metadata: &Metadata, signatures: &[(&str, String)]) -> Self {
        let document = Directory::default().text("document", identity_document(metadata));
        let identity =
            signatures.iter().fold(document, |directory, (form, text)| directory.text(form, text.as_str()));
        let mut top = Directory { is_top: true, ..Directory::default() }
            .directory("dynamic", Directory::default().directory("instance-identity", identity))
            .directory("meta-data", meta_data(metadata));
        if let Some(user_data) = &metadata.user_data {
            top.entries.insert("user-data".to_owned(), Node::Bytes(user_data.clone()));
        }
        Self(Node::Directory(top))
    }

    /// Finds what lies at `path`, which begins with a slash and a version.
    pub(crate) fn find(&self, path: &str) -> Option<&Node> {
        let is_directory_wanted = path.ends_with('/');
        let mut parts = path.split('/').filter(|part| !part.is_empty());
        let version = parts.next()?;
        if version != "latest" && !VERSIONS.contains(&version) {
            return None;
        }
        let mut node = &self.0;
        for part in parts {
            let Node::Directory(directory) = node else { return None };
            node = directory.entries.get(part)?;
        }
        (!is_directory_wanted || matches!(node, Node::Directory(_))).then_some(node)
    }

    /// Lists the versions, as EC2 does at `/`.
    pub(crate) fn versions() -> String {
        let mut text = VERSIONS.join("\n");
        text.push_str("\nlatest");
        text
    }
}

fn meta_data(metadata: &Metadata) -> Directory {
    let mut mapping = Directory::default();
    for device in &metadata.block_devices {
        // EC2 tells the root with its full path and the others without.
        mapping = mapping.text(&device.virtual_name, &device.device);
    }
    let services =
        Directory::default().text("domain", &metadata.domain).text("partition", &metadata.partition);
    let placement = Directory::default()
        .text("availability-zone", &metadata.availability_zone)
        .text("availability-zone-id", &metadata.availability_zone_id)
        .text("region", &metadata.region);
    let interfaces = Directory::default()
        .directory("macs", Directory::default().directory(&metadata.mac, interface(metadata)));
    let mut directory = Directory::default()
        .text("ami-id", &metadata.ami_id)
        .text("ami-launch-index", metadata.ami_launch_index.to_string())
        .text("ami-manifest-path", "(unknown)")
        .directory("block-device-mapping", mapping)
        .text("hostname", &metadata.hostname)
        .text("instance-action", "none")
        .text("instance-id", &metadata.instance_id)
        .text("instance-life-cycle", "on-demand")
        .text("instance-type", &metadata.instance_type)
        .text("local-hostname", &metadata.hostname)
        .text("local-ipv4", metadata.local_ipv4.to_string())
        .text("mac", &metadata.mac)
        .directory("network", Directory::default().directory("interfaces", interfaces))
        .directory("placement", placement)
        .text("profile", "default-hvm")
        .text("reservation-id", &metadata.reservation_id)
        .text("security-groups", metadata.security_groups.join("\n"))
        .directory("services", services)
        .text("system", "nitro");
    if !metadata.login_keys.is_empty() {
        directory = directory.directory("public-keys", public_keys(metadata));
    }
    if let Some(address) = metadata.public_ipv4 {
        directory = directory.text("public-ipv4", address.to_string());
    }
    if !metadata.product_codes.is_empty() {
        directory = directory.text("product-codes", metadata.product_codes.join("\n"));
    }
    if let Some(role) = &metadata.role {
        directory = directory.directory("iam", iam(role, metadata.pending_time));
    }
    if let Some(tags) = &metadata.tags {
        let tags = tags.iter().fold(Directory::default(), |all, (key, value)| all.text(key, value));
        directory = directory.directory("tags", Directory::default().directory("instance", tags));
    }
    directory
}

/// Without credentials, `launched` is when they were looked for last.
fn iam(role: &InstanceRole, launched: Timestamp) -> Directory {
    let directory = Directory::default().text("info", role.info(launched));
    let Some(name) = &role.role else { return directory };
    let credentials = Directory::default().text(name, role.security_credentials(launched));
    directory.directory("security-credentials", credentials)
}

fn public_keys(metadata: &Metadata) -> Directory {
    let mut keys = Directory::default();
    for (index, key) in metadata.login_keys.iter().enumerate() {
        let index = index.to_string();
        keys.listed_as.insert(index.clone(), format!("{index}={}", key.name));
        keys = keys.directory(&index, Directory::default().text("openssh-key", &key.openssh));
    }
    keys
}

fn interface(metadata: &Metadata) -> Directory {
    let directory = Directory::default()
        .text("device-number", "0")
        .text("interface-id", &metadata.interface_id)
        .text("local-hostname", &metadata.hostname)
        .text("local-ipv4s", metadata.local_ipv4.to_string())
        .text("mac", &metadata.mac)
        .text("network-card", "0")
        .text("owner-id", &metadata.account_id)
        .text("security-group-ids", metadata.security_group_ids.join("\n"))
        .text("security-groups", metadata.security_groups.join("\n"))
        .text("subnet-id", &metadata.subnet_id)
        .text("subnet-ipv4-cidr-block", &metadata.subnet_cidr)
        .text("vpc-id", &metadata.vpc_id)
        .text("vpc-ipv4-cidr-block", &metadata.vpc_cidr)
        .text("vpc-ipv4-cidr-blocks", &metadata.vpc_cidr);
    match metadata.public_ipv4 {
        Some(address) => directory.text("public-ipv4s", address.to_string()),
        None => directory,
    }
}
