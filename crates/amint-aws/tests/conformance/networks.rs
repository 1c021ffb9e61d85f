//! What an account finds, and what it names: regions, networks, types, groups, keys and tags.

use std::time::Duration;

use aws_sdk_ec2::client::Waiters;
use aws_sdk_ec2::primitives::Blob;
use aws_sdk_ec2::types::{
    InstanceType, IpPermission, IpRange, KeyFormat, KeyType, LocationType, ResourceType, Tag, UserIdGroupPair,
};

use crate::images::{filter, tagged};
use crate::support::{ACCOUNT, AWAY, Bench, REGION, refused};

pub(crate) const FOUND: &[&str] = &[
    "ec2 DescribeAvailabilityZones",
    "ec2 DescribeInstanceTypeOfferings",
    "ec2 DescribeInstanceTypes",
    "ec2 DescribeInternetGateways",
    "ec2 DescribeNetworkAcls",
    "ec2 DescribeRegions",
    "ec2 DescribeRouteTables",
    "ec2 DescribeSubnets",
    "ec2 DescribeVpcs",
];

pub(crate) const GROUPS: &[&str] = &[
    "ec2 AuthorizeSecurityGroupEgress",
    "ec2 AuthorizeSecurityGroupIngress",
    "ec2 CreateSecurityGroup",
    "ec2 DeleteSecurityGroup",
    "ec2 DescribeSecurityGroupRules",
    "ec2 DescribeSecurityGroups",
    "ec2 RevokeSecurityGroupEgress",
    "ec2 RevokeSecurityGroupIngress",
];

pub(crate) const KEYS: &[&str] =
    &["ec2 CreateKeyPair", "ec2 DeleteKeyPair", "ec2 DescribeKeyPairs", "ec2 ImportKeyPair"];

pub(crate) const TAGS: &[&str] = &["ec2 CreateTags", "ec2 DeleteTags", "ec2 DescribeTags"];

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f me@here";
const LONG: Duration = Duration::from_hours(1);

#[test]
fn the_network_that_everybody_has_is_told() {
    let bench = Bench::new();
    bench.run(FOUND, async {
        let client = bench.ec2();
        let regions = client.describe_regions().region_names(AWAY).send().await.unwrap();
        let region = &regions.regions()[0];
        assert_eq!((region.region_name(), region.opt_in_status()), (Some(AWAY), Some("opt-in-not-required")));
        assert_eq!(region.endpoint(), Some("ec2.eu-west-1.amazonaws.com"));
        assert_eq!(
            refused(client.describe_regions().region_names("moon-1").send().await),
            "InvalidParameterValue"
        );
        let zones = client.describe_availability_zones().send().await.unwrap();
        let zone = &zones.availability_zones()[0];
        assert_eq!(
            (zone.region_name(), zone.group_name(), zone.network_border_group()),
            (Some(REGION), Some(REGION), Some(REGION))
        );
        assert!(zone.zone_name().is_some() && zone.zone_id().is_some() && zone.state().is_some());
        assert_eq!(zone.zone_type(), Some("availability-zone"));

        let vpc = client.describe_vpcs().filters(filter("is-default", "true")).send().await.unwrap().vpcs()
            [0]
        .clone();
        let id = vpc.vpc_id().unwrap();
        client.wait_until_vpc_exists().vpc_ids(id).wait(LONG).await.unwrap();
        client.wait_until_vpc_available().vpc_ids(id).wait(LONG).await.unwrap();
        assert_eq!((vpc.is_default(), vpc.owner_id()), (Some(true), Some(ACCOUNT)));
        assert!(vpc.cidr_block().is_some() && vpc.cidr_block_association_set().len() == 1);
        let of = || filter("vpc-id", id);
        let pages = client.describe_subnets().filters(of()).max_results(5).into_paginator().items().send();
        let subnets = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
        assert_eq!(
            (subnets.len(), subnets[0].vpc_id(), subnets[0].default_for_az()),
            (3, Some(id), Some(true))
        );
        assert!(subnets[0].available_ip_address_count().is_some_and(|count| count > 0));
        let subnet = subnets[0].subnet_id().unwrap();
        client.wait_until_subnet_available().subnet_ids(subnet).wait(LONG).await.unwrap();
        let tables = client.describe_route_tables().filters(of()).send().await.unwrap();
        let table = &tables.route_tables()[0];
        assert_eq!(
            (table.vpc_id(), table.routes().len(), table.associations()[0].main()),
            (Some(id), 2, Some(true))
        );
        let gateways = client
            .describe_internet_gateways()
            .filters(filter("attachment.vpc-id", id))
            .send()
            .await
            .unwrap();
        assert_eq!(gateways.internet_gateways()[0].attachments()[0].vpc_id(), Some(id));
        let lists = client.describe_network_acls().filters(of()).send().await.unwrap();
        let list = &lists.network_acls()[0];
        assert_eq!((list.is_default(), list.entries().len(), list.associations().len()), (Some(true), 4, 3));
        assert_eq!(
            refused(client.describe_vpcs().vpc_ids("vpc-00000000").send().await),
            "InvalidVpcID.NotFound"
        );

        let pages = client.describe_instance_types().max_results(7).into_paginator().items().send();
        let types = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
        let micro = types.iter().find(|one| one.instance_type() == Some(&InstanceType::T3Micro)).unwrap();
        assert_eq!(micro.memory_info().and_then(|one| one.size_in_mib()), Some(1024));
        assert_eq!(micro.v_cpu_info().and_then(|one| one.default_v_cpus()), Some(2));
        assert_eq!((micro.current_generation(), micro.bare_metal()), (Some(true), Some(false)));
        let none =
            client.describe_instance_types().instance_types(InstanceType::from("z9.huge")).send().await;
        assert_eq!(refused(none), "InvalidInstanceType");
        let offered = client
            .describe_instance_type_offerings()
            .location_type(LocationType::AvailabilityZone)
            .filters(filter("instance-type", "t3.micro"))
            .into_paginator()
            .items()
            .send();
        let offered = offered.collect::<Result<Vec<_>, _>>().await.unwrap();
        assert_eq!((offered.len(), offered[0].instance_type()), (3, Some(&InstanceType::T3Micro)));
        assert!(offered[0].location().is_some_and(|zone| zone.starts_with(REGION)));
    });
}

/// Lets one port in or out.
fn rule(port: i32, range: &str) -> IpPermission {
    let range = IpRange::builder().cidr_ip(range).description("d").build();
    IpPermission::builder().ip_protocol("tcp").from_port(port).to_port(port).ip_ranges(range).build()
}

#[test]
fn a_group_has_rules_until_they_are_revoked() {
    let bench = Bench::new();
    bench.run(GROUPS, async {
        let client = bench.ec2();
        let create = |name: &str| {
            let create = client.create_security_group().group_name(name).description("mine");
            create.tag_specifications(tagged(ResourceType::SecurityGroup, "a", "b"))
        };
        let made = create("web").send().await.unwrap();
        let id = made.group_id().unwrap();
        assert_eq!(made.tags()[0].key(), Some("a"));
        assert_eq!(
            made.security_group_arn(),
            Some(&*format!("arn:aws:ec2:{REGION}:{ACCOUNT}:security-group/{id}"))
        );
        assert_eq!(refused(create("web").send().await), "InvalidGroup.Duplicate");
        client.wait_until_security_group_exists().group_ids(id).wait(LONG).await.unwrap();
        let authorize =
            |one: IpPermission| client.authorize_security_group_ingress().group_id(id).ip_permissions(one);
        let answer = authorize(rule(22, "10.0.0.0/8"))
            .tag_specifications(tagged(ResourceType::SecurityGroupRule, "c", "d"))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.r#return(), Some(true));
        let one = &answer.security_group_rules()[0];
        assert_eq!(
            (one.group_id(), one.group_owner_id(), one.is_egress()),
            (Some(id), Some(ACCOUNT), Some(false))
        );
        assert_eq!((one.ip_protocol(), one.from_port(), one.to_port()), (Some("tcp"), Some(22), Some(22)));
        assert_eq!((one.cidr_ipv4(), one.description()), (Some("10.0.0.0/8"), Some("d")));
        assert_eq!(one.tags()[0].value(), Some("d"));
        let rule_id = one.security_group_rule_id().unwrap();
        let arn = format!("arn:aws:ec2:{REGION}:{ACCOUNT}:security-group-rule/{rule_id}");
        assert_eq!(one.security_group_rule_arn(), Some(&*arn));
        assert_eq!(refused(authorize(rule(22, "10.0.0.0/8")).send().await), "InvalidPermission.Duplicate");
        assert_eq!(refused(authorize(rule(22, "10.0.0.0/33")).send().await), "InvalidParameterValue");
        let own = UserIdGroupPair::builder().group_id(id).build();
        let from_group = IpPermission::builder().ip_protocol("-1").user_id_group_pairs(own).build();
        authorize(from_group).send().await.unwrap();
        let out = client
            .authorize_security_group_egress()
            .group_id(id)
            .ip_permissions(rule(443, "0.0.0.0/0"))
            .send()
            .await
            .unwrap();
        assert_eq!(out.security_group_rules()[0].is_egress(), Some(true));

        let shown = client
            .describe_security_groups()
            .filters(filter("group-name", "web"))
            .into_paginator()
            .items()
            .send();
        let shown = shown.collect::<Result<Vec<_>, _>>().await.unwrap();
        let group = &shown[0];
        assert_eq!(
            (group.group_id(), group.description(), group.owner_id()),
            (Some(id), Some("mine"), Some(ACCOUNT))
        );
        assert_eq!(group.security_group_arn(), made.security_group_arn());
        assert!(group.vpc_id().is_some() && group.tags().len() == 1);
        let ssh = group.ip_permissions().iter().find(|one| one.from_port() == Some(22)).unwrap();
        assert_eq!(
            (ssh.ip_ranges()[0].cidr_ip(), ssh.ip_ranges()[0].description()),
            (Some("10.0.0.0/8"), Some("d"))
        );
        assert!(
            group
                .ip_permissions()
                .iter()
                .any(|one| one.user_id_group_pairs().iter().any(|pair| pair.group_id() == Some(id)))
        );
        assert_eq!(group.ip_permissions_egress().len(), 2);
        let rules = client
            .describe_security_group_rules()
            .filters(filter("group-id", id))
            .into_paginator()
            .items()
            .send();
        let rules = rules.collect::<Result<Vec<_>, _>>().await.unwrap();
        assert_eq!(rules.len(), 4);
        let referenced = rules.iter().find_map(|one| one.referenced_group_info()).unwrap();
        assert_eq!(referenced.group_id(), Some(id));

        let revoked = client
            .revoke_security_group_ingress()
            .group_id(id)
            .ip_permissions(rule(22, "10.0.0.0/8"))
            .send()
            .await
            .unwrap();
        assert_eq!(revoked.r#return(), Some(true));
        let gone = &revoked.revoked_security_group_rules()[0];
        assert_eq!(
            (gone.security_group_rule_id(), gone.group_id()),
            (one.security_group_rule_id(), Some(id))
        );
        assert_eq!(
            (gone.cidr_ipv4(), gone.from_port(), gone.is_egress()),
            (Some("10.0.0.0/8"), Some(22), Some(false))
        );
        assert_eq!((gone.ip_protocol(), gone.description()), (Some("tcp"), Some("d")));
        let by_id = out.security_group_rules()[0].security_group_rule_id().unwrap();
        let revoke =
            || client.revoke_security_group_egress().group_id(id).security_group_rule_ids(by_id).send();
        assert_eq!(revoke().await.unwrap().r#return(), Some(true));
        assert_eq!(refused(revoke().await), "InvalidPermission.NotFound");
        let gone = client.delete_security_group().group_id(id).send().await.unwrap();
        assert_eq!((gone.r#return(), gone.group_id()), (Some(true), Some(id)));
        assert_eq!(
            refused(client.delete_security_group().group_id(id).send().await),
            "InvalidGroup.NotFound"
        );
    });
}

#[test]
fn key_pairs_are_made_imported_and_deleted() {
    let bench = Bench::new();
    bench.run(KEYS, async {
        let client = bench.ec2();
        let create = |name: &str| client.create_key_pair().key_name(name).key_type(KeyType::Ed25519);
        let made = create("mine")
            .tag_specifications(tagged(ResourceType::KeyPair, "a", "b"))
            .key_format(KeyFormat::Pem)
            .send()
            .await
            .unwrap();
        assert!(made.key_material().unwrap().starts_with("-----BEGIN OPENSSH PRIVATE KEY-----"));
        assert_eq!((made.key_name(), made.tags()[0].key()), (Some("mine"), Some("a")));
        assert!(
            made.key_fingerprint().is_some() && made.key_pair_id().is_some_and(|id| id.starts_with("key-"))
        );
        assert_eq!(refused(create("mine").send().await), "InvalidKeyPair.Duplicate");
        let imported = client
            .import_key_pair()
            .key_name("other")
            .public_key_material(Blob::new(KEY))
            .tag_specifications(tagged(ResourceType::KeyPair, "c", "d"))
            .send()
            .await
            .unwrap();
        assert_eq!(imported.key_fingerprint(), Some("ZkAslGjFiUHdGf/WUL8rQvkib4PTvQatUV0OUQSncCA="));
        assert_eq!((imported.key_name(), imported.tags()[0].value()), (Some("other"), Some("d")));
        let wrong = client
            .import_key_pair()
            .key_name("third")
            .public_key_material(Blob::new("ssh-rsa nothing"))
            .send()
            .await;
        assert_eq!(refused(wrong), "InvalidKey.Format");
        client.wait_until_key_pair_exists().key_names("other").wait(LONG).await.unwrap();
        let shown =
            client.describe_key_pairs().key_names("other").include_public_key(true).send().await.unwrap();
        let pair = &shown.key_pairs()[0];
        assert_eq!((pair.key_name(), pair.key_type()), (Some("other"), Some(&KeyType::Ed25519)));
        assert!(pair.public_key().unwrap().starts_with("ssh-ed25519 ") && pair.create_time().is_some());
        let gone = client.delete_key_pair().key_name("other").send().await.unwrap();
        assert_eq!((gone.r#return(), gone.key_pair_id()), (Some(true), imported.key_pair_id()));
        assert_eq!(
            refused(client.describe_key_pairs().key_names("other").send().await),
            "InvalidKeyPair.NotFound"
        );
    });
}

#[test]
fn tags_are_made_told_by_pages_and_deleted() {
    let bench = Bench::new();
    bench.run(TAGS, async {
        let client = bench.ec2();
        let image = client.describe_images().send().await.unwrap().images()[0].clone();
        let id = image.image_id().unwrap();
        let snapshot = image.block_device_mappings()[0].ebs().unwrap().snapshot_id().unwrap();
        for number in 0..4 {
            let tag = Tag::builder().key(format!("k{number}")).value("v").build();
            client.create_tags().resources(id).resources(snapshot).tags(tag).send().await.unwrap();
        }
        let pages = client
            .describe_tags()
            .filters(filter("value", "v"))
            .max_results(5)
            .into_paginator()
            .items()
            .send();
        let tags = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
        assert_eq!(tags.len(), 8);
        let one = tags.iter().find(|tag| tag.resource_id() == Some(id)).unwrap();
        assert_eq!((one.resource_type(), one.value()), (Some(&ResourceType::Image), Some("v")));
        assert!(one.key().is_some_and(|key| key.starts_with('k')));
        client.delete_tags().resources(id).tags(Tag::builder().key("k0").build()).send().await.unwrap();
        let left = client.describe_tags().filters(filter("key", "k0")).send().await.unwrap();
        assert_eq!(left.tags().len(), 1);
        let reserved = Tag::builder().key("aws:x").value("y").build();
        assert_eq!(
            refused(client.create_tags().resources(id).tags(reserved).send().await),
            "InvalidParameterValue"
        );
        let tag = Tag::builder().key("k").build();
        assert_eq!(
            refused(client.create_tags().resources("snap-00000000").tags(tag).send().await),
            "InvalidSnapshot.NotFound"
        );
    });
}
