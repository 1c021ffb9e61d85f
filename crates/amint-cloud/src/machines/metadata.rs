//! What an instance is told about itself.

use amint_guest::imds::{BlockDevice, ImdsAccess, LoginKey, Metadata};
use amint_types::Architecture;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::network::{Network, VPC_CIDR};
use crate::records::{Instance, Tables, Volume};

pub(super) fn architecture(instance: &Instance) -> Architecture {
    if instance.architecture == "arm64" { Architecture::Arm64 } else { Architecture::X86_64 }
}

/// Returns the volumes of an instance, its root first.
pub(super) fn volumes<'t>(tables: &'t Tables, instance: &Instance) -> Vec<&'t Volume> {
    let mut found: Vec<(&str, &Volume)> = tables
        .volumes
        .values()
        .filter_map(|volume| {
            let attachment = volume.attachment.as_ref().filter(|one| one.instance_id == instance.id)?;
            Some((attachment.device.as_str(), volume.as_ref()))
        })
        .collect();
    found.sort_by_key(|(device, _)| (*device != instance.root_device_name, *device));
    found.into_iter().map(|(_, volume)| volume).collect()
}

/// Describes an instance to itself.
pub(super) fn metadata(tables: &Tables, instance: &Instance) -> Metadata {
    let network = Network::of(&instance.account, &instance.region);
    let subnet = network.subnets.iter().find(|subnet| subnet.id == instance.subnet_id);
    let mut block_devices = vec![
        BlockDevice { virtual_name: "ami".to_owned(), device: instance.root_device_name.clone() },
        BlockDevice { virtual_name: "root".to_owned(), device: instance.root_device_name.clone() },
    ];
    for (number, volume) in (1..).zip(volumes(tables, instance).iter().skip(1)) {
        let device = volume.attachment.as_ref().map_or("", |attachment| attachment.device.as_str());
        let device = device.strip_prefix("/dev/").unwrap_or(device).to_owned();
        block_devices.push(BlockDevice { virtual_name: format!("ebs{number}"), device });
    }
    let login_keys = match (&instance.key_name, &instance.public_key) {
        (Some(name), Some(key)) => vec![LoginKey { name: name.clone(), openssh: format!("{key} {name}") }],
        _ => Vec::new(),
    };
    let names = instance.group_ids.iter().filter_map(|id| Some(tables.security_groups.get(id)?.name.clone()));
    Metadata {
        account_id: instance.account.clone(),
        ami_id: instance.image_id.clone(),
        ami_launch_index: instance.launch_index,
        availability_zone: instance.zone.clone(),
        availability_zone_id: subnet.map(|subnet| subnet.zone_id.clone()).unwrap_or_default(),
        block_devices,
        hostname: instance.private_dns_name(),
        hop_limit: instance.metadata.hop_limit,
        instance_id: instance.id.clone(),
        instance_type: instance.instance_type.clone(),
        interface_id: instance.interface_id.clone(),
        login_keys,
        local_ipv4: instance.private_ip,
        product_codes: instance.product_codes.clone(),
        public_ipv4: instance.public_ip,
        region: instance.region.clone(),
        reservation_id: instance.reservation_id.clone(),
        security_groups: names.collect(),
        security_group_ids: instance.group_ids.clone(),
        subnet_id: instance.subnet_id.clone(),
        subnet_cidr: subnet.map(crate::network::Subnet::cidr).unwrap_or_default(),
        tags: instance.metadata.has_tags.then(|| instance.tags.clone()),
        user_data: instance.user_data.as_ref().and_then(|text| STANDARD.decode(text).ok()),
        vpc_id: instance.vpc_id.clone(),
        vpc_cidr: VPC_CIDR.to_owned(),
        ..Metadata::for_test(architecture(instance), instance.mac.clone(), instance.launched)
    }
}

/// Tells whom the metadata service of an instance answers.
pub(super) fn access(instance: &Instance) -> ImdsAccess {
    ImdsAccess { is_enabled: instance.metadata.is_enabled, needs_token: instance.metadata.needs_token }
}
