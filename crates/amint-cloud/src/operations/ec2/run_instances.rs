use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::Arc;

use amint_guest::InstanceSpec;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::launch_devices::launch_devices;
use super::{
    allowed_images, check_id, images, instances, key_pairs, launch_templates, metadata_options,
    security_groups, spot, tags, volumes,
};
use crate::instance_types::{InstanceType, find};
use crate::machines::Machines;
use crate::network::{Network, Subnet};
use crate::operations::iam::find_profile;
use crate::operations::{Call, ssm};
use crate::protocol::{Element, Fault, Params};
use crate::records::{
    Attachment, BlockDevice, Image, Instance, InstanceState, ShutdownBehavior, SpotRequest, Tables, Tags,
    Volume,
};
use crate::state::Change;
use crate::world::{Pins, new_id};

/// The most instances of one request.
const COUNT_MAX: u64 = 100;
/// The most user data (EC2 user guide, "Run commands when you launch an EC2 instance").
const USER_DATA_BYTES_MAX: usize = 16 << 10;

/// What the instances of one launch share.
struct Launch {
    first: Instance,
    count: (u64, u64),
    size: InstanceType,
    devices: Vec<BlockDevice>,
    has_public_ip: bool,
    private_ip: Option<Ipv4Addr>,
    subnet: Subnet,
    volume_tags: Tags,
}

/// Launches instances of an image.
pub(crate) fn run_instances(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let Some(machines) = call.world.machines() else {
        return Err(no_capacity("This endpoint was started without machines"));
    };
    let by_template = launch_templates::merged(call, &call.tables(), params)?;
    if by_template.is_some() {
        params.ask_all();
    }
    let params = by_template.as_ref().unwrap_or(params);
    for name in ["Action", "DryRun", "Version"] {
        params.get(name);
    }
    let mut pins = call.world.pins();
    let mut made = Vec::new();
    let reservation_id = call.change(params, |change| {
        // First, because a token that comes again asks for nothing new.
        call.make_once(change, params, |change| {
            let launch = launch(call, change.tables(), params)?;
            params.finish()?;
            made = place(call, change, &mut pins, machines, &launch)?;
            Ok(launch.first.reservation_id)
        })
        .inspect(|_| touch(params))
    })?;
    pins.keep();
    for id in &made {
        machines.start(call.world, id);
    }
    let tables = call.tables();
    let of_launch = tables.instances.values().filter(|instance| instance.reservation_id == reservation_id);
    let mut launched: Vec<&Arc<Instance>> = of_launch.collect();
    launched.sort_by_key(|instance| instance.launch_index);
    Ok(Element::default()
        .text("reservationId", &reservation_id)
        .text("ownerId", call.account())
        .with(Element::new("groupSet"))
        .with(Element::list("instancesSet", launched.iter().map(|one| instances::describe(&tables, one)))))
}

/// A request that was answered before is the same as then: its parameters were looked at.
fn touch(params: &Params) {
    params.ask_all();
}

fn no_capacity(words: &str) -> Fault {
    Fault::client("InsufficientInstanceCapacity", words).with_status(500)
}

/// Returns a switch that can only be off here.
fn only_off(params: &Params, name: &str) -> Result<(), Fault> {
    match params.boolean(name)? {
        Some(true) => Err(Fault::client("UnsupportedOperation", format!("{name} is not supported here"))),
        _ => Ok(()),
    }
}

/// Reads what shall be launched.
fn launch(call: &Call<'_>, tables: &Tables, params: &Params) -> Result<Launch, Fault> {
    let image = image(call, tables, params)?;
    let count = count(params)?;
    let size = size(params, &image)?;
    for name in ["HibernationOptions.Configured", "EnclaveOptions.Enabled"] {
        only_off(params, name)?;
    }
    if let Some(tenancy) = params.get("Placement.Tenancy").filter(|name| *name != "default") {
        return Err(Fault::invalid_value("Tenancy", tenancy));
    }
    // Machines here are as fast as they are, and nothing is charged for it.
    let credits = params.get("CreditSpecification.CpuCredits");
    if let Some(credits) = credits.filter(|name| !matches!(*name, "standard" | "unlimited")) {
        return Err(Fault::invalid_value("CpuCredits", credits));
    }
    let card = Card::read(params)?;
    let subnet = subnet(call, params, card.subnet_id)?;
    let private_ip = params.get("PrivateIpAddress").map(|text| {
        let address = text.parse().ok().filter(|address| subnet.has(*address));
        address.ok_or_else(|| Fault::invalid_value("privateIpAddress", text))
    });
    let key_name = params.get("KeyName");
    let public_key = match key_name {
        Some(name) => {
            let pair = key_pairs::named(call, tables, name).ok_or_else(|| key_pairs::not_found(name))?;
            Some(pair.public_key.clone())
        }
        None => None,
    };
    let shutdown_behavior = match params.get("InstanceInitiatedShutdownBehavior") {
        None | Some("stop") => ShutdownBehavior::Stop,
        Some("terminate") => ShutdownBehavior::Terminate,
        Some(other) => return Err(Fault::invalid_value("InstanceInitiatedShutdownBehavior", other)),
    };
    let kinds = ["instance", spot::KIND, "volume"];
    let first = Instance {
        id: String::new(),
        account: call.account().to_owned(),
        region: call.region.to_owned(),
        zone: subnet.zone.clone(),
        reservation_id: new_id("r"),
        launch_index: 0,
        client_token: params.get("ClientToken").map(str::to_owned),
        image_id: image.id.clone(),
        architecture: image.architecture.clone(),
        instance_type: size.name.to_owned(),
        launched: call.now,
        state: InstanceState::Pending,
        since: call.now,
        has_run: false,
        reason: None,
        key_name: key_name.map(str::to_owned),
        public_key,
        subnet_id: subnet.id.clone(),
        vpc_id: Network::of(call.account(), call.region).vpc_id,
        private_ip: Ipv4Addr::UNSPECIFIED,
        public_ip: None,
        interface_id: String::new(),
        interface_attachment_id: String::new(),
        mac: String::new(),
        uuid: String::new(),
        group_ids: groups(call, tables, params, &card.group_ids)?,
        user_data: params.get("UserData").map(user_data).transpose()?,
        root_device_name: image.root_device_name.clone(),
        shutdown_behavior,
        is_termination_protected: params.boolean("DisableApiTermination")?.unwrap_or(false),
        is_stop_protected: params.boolean("DisableApiStop")?.unwrap_or(false),
        metadata: metadata_options::at_launch(params, &image)?,
        profile: profile(call, tables, params)?,
        is_ebs_optimized: params.boolean("EbsOptimized")?.unwrap_or(false),
        is_monitored: params.boolean("Monitoring.Enabled")?.unwrap_or(false),
        checks_source: true,
        has_ena: image.has_ena,
        sriov: image.sriov.clone(),
        boot_mode: image.boot_mode.clone(),
        tpm_support: image.tpm_support.clone(),
        product_codes: image.product_codes.clone(),
        spot: spot::at_launch(call, params, tags::specified_of(params, spot::KIND, &kinds)?)?,
        tags: tags::specified_of(params, "instance", &kinds)?,
    };
    Ok(Launch {
        devices: launch_devices(params, &image)?,
        volume_tags: tags::specified_of(params, "volume", &kinds)?,
        has_public_ip: card.has_public_ip,
        private_ip: private_ip.transpose()?,
        first,
        count,
        size,
        subnet,
    })
}

/// Finds the image, and refuses one that cannot be launched.
fn image(call: &Call<'_>, tables: &Tables, params: &Params) -> Result<Arc<Image>, Fault> {
    let id = ssm::resolve(call, tables, params.required("ImageId")?)?;
    let id = id.as_str();
    check_id("ami", "InvalidAMIID.Malformed", id)?;
    let is_usable = |image: &&Arc<Image>| image.region == call.region && image.is_usable_by(call.account());
    let image = tables.images.get(id).filter(is_usable).ok_or_else(|| images::not_found(id))?;
    allowed_images::check(call, tables, image)?;
    if image.state(call.now) == "available" {
        return Ok(Arc::clone(image));
    }
    let message = format!("The image ID '{id}' is {}", image.state(call.now));
    Err(Fault::client("InvalidAMIID.Unavailable", message))
}

fn count(params: &Params) -> Result<(u64, u64), Fault> {
    let missing = |name: &str| Fault::missing(name);
    let min = params.number("MinCount")?.ok_or_else(|| missing("MinCount"))?;
    let max = params.number("MaxCount")?.ok_or_else(|| missing("MaxCount"))?;
    if min == 0 || min > max {
        let message = format!("Invalid value '{min}' for minCount: it is 1 at least, and maxCount at most");
        return Err(Fault::client("InvalidParameterValue", message));
    }
    if min > COUNT_MAX {
        let message = format!("No more than {COUNT_MAX} instances can be launched at once");
        return Err(Fault::client("InstanceLimitExceeded", message));
    }
    Ok((min, max.min(COUNT_MAX)))
}

fn size(params: &Params, image: &Image) -> Result<InstanceType, Fault> {
    let default = if image.architecture == "arm64" { "t4g.micro" } else { "t3.micro" };
    let name = params.get("InstanceType").unwrap_or(default);
    let Some(size) = find(name) else {
        let message = format!("Invalid value '{name}' for InstanceType.");
        return Err(Fault::client("InvalidParameterValue", message));
    };
    if image.boot_mode.as_deref() == Some("uefi") && !size.has_uefi {
        let message =
            format!("The boot mode uefi of the image is not supported by the instance type '{name}'");
        return Err(Fault::client("InvalidParameterValue", message));
    }
    if size.architecture == image.architecture {
        return Ok(size);
    }
    let message = format!(
        "The architecture '{}' of the specified instance type does not match the architecture '{}' of the specified \
         AMI. Specify an instance type and an AMI that have matching architectures, and try again.",
        size.architecture, image.architecture
    );
    Err(Fault::client("InvalidParameterValue", message))
}

/// What a request says of the one network interface that instances have here.
struct Card<'a> {
    subnet_id: Option<&'a str>,
    group_ids: Vec<&'a str>,
    has_public_ip: bool,
}

impl<'a> Card<'a> {
    fn read(params: &'a Params) -> Result<Self, Fault> {
        let indexes = params.indexes("NetworkInterface");
        let outer =
            (params.get("SubnetId"), params.list("SecurityGroupId"), params.list("SecurityGroup").is_empty());
        let Some(index) = indexes.first() else {
            return Ok(Self { subnet_id: outer.0, group_ids: outer.1, has_public_ip: true });
        };
        let name = |key: &str| format!("NetworkInterface.{index}.{key}");
        let invalid = |message: &str| Err(Fault::client("InvalidParameterCombination", message));
        if outer.0.is_some() || !outer.1.is_empty() || !outer.2 {
            return invalid(
                "Network interfaces and an instance-level subnet ID or security groups may not be specified on the same request",
            );
        }
        if indexes.len() > 1 || params.number(&name("DeviceIndex"))?.unwrap_or(0) != 0 {
            return invalid("Instances have one network interface here, of device index 0");
        }
        if params.boolean(&name("DeleteOnTermination"))? == Some(false) {
            return invalid("Network interfaces end with their instances here");
        }
        Ok(Self {
            subnet_id: params.get(&name("SubnetId")),
            group_ids: params.list(&name("SecurityGroupId")),
            has_public_ip: params.boolean(&name("AssociatePublicIpAddress"))?.unwrap_or(true),
        })
    }
}

fn subnet(call: &Call<'_>, params: &Params, id: Option<&str>) -> Result<Subnet, Fault> {
    let subnets = Network::of(call.account(), call.region).subnets;
    let zone = params.get("Placement.AvailabilityZone");
    let zone_id = params.get("Placement.AvailabilityZoneId");
    if let Some(id) = id {
        check_id("subnet", "InvalidSubnetID.Malformed", id)?;
        if subnets.iter().all(|subnet| subnet.id != id) {
            return Err(Fault::client(
                "InvalidSubnetID.NotFound",
                format!("The subnet ID '{id}' does not exist"),
            ));
        }
    }
    let fits = |subnet: &Subnet| {
        id.is_none_or(|id| subnet.id == id)
            && zone.is_none_or(|zone| subnet.zone == zone)
            && zone_id.is_none_or(|zone| subnet.zone_id == zone)
    };
    subnets.into_iter().find(fits).ok_or_else(|| {
        Fault::client("InvalidParameterValue", "No subnet is in the availability zone that was asked for")
    })
}

/// Returns the ARN of the instance profile that a request names.
fn profile(call: &Call<'_>, tables: &Tables, params: &Params) -> Result<Option<String>, Fault> {
    let (arn, name) = (params.get("IamInstanceProfile.Arn"), params.get("IamInstanceProfile.Name"));
    let (which, text) = match (arn, name) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => {
            let message = "The parameter 'iamInstanceProfile.name' may not be used in combination with \
                           'iamInstanceProfile.arn'";
            return Err(Fault::client("InvalidParameterCombination", message));
        }
        (Some(arn), None) => ("ARN", arn),
        (None, Some(name)) => ("name", name),
    };
    let found = find_profile(tables, call.account(), text);
    let found = found.filter(|profile| which == "name" || profile.arn() == text).ok_or_else(|| {
        let parameter = which.to_ascii_lowercase();
        let message = format!(
            "Value ({text}) for parameter iamInstanceProfile.{parameter} is invalid. Invalid IAM Instance Profile {which}"
        );
        Fault::client("InvalidParameterValue", message)
    })?;
    Ok(Some(found.arn()))
}

/// Returns the ids of the groups that a request names.
fn groups(call: &Call<'_>, tables: &Tables, params: &Params, ids: &[&str]) -> Result<Vec<String>, Fault> {
    let mut found = BTreeSet::new();
    for id in ids {
        check_id("sg", "InvalidGroupId.Malformed", id)?;
        let group = tables.security_groups.get(*id).filter(|one| call.owns(&one.account, &one.region));
        found.insert(group.ok_or_else(|| security_groups::not_found(id))?.id.clone());
    }
    for name in params.list("SecurityGroup") {
        let group = security_groups::named(call, tables, name);
        found.insert(group.ok_or_else(|| security_groups::not_found(name))?.id.clone());
    }
    if found.is_empty() {
        found.insert(Network::of(call.account(), call.region).group_id);
    }
    Ok(found.into_iter().collect())
}

/// Checks user data, which comes in base64.
pub(super) fn user_data(text: &str) -> Result<String, Fault> {
    let bytes = STANDARD
        .decode(text)
        .map_err(|_| Fault::client("InvalidUserData.Malformed", "Invalid BASE64 encoding of user data"))?;
    if bytes.len() > USER_DATA_BYTES_MAX {
        let message = "User data is limited to 16384 bytes";
        return Err(Fault::client("InvalidParameterValue", message));
    }
    Ok(text.to_owned())
}

/// Makes the instances and their volumes; returns the ids of the instances.
fn place(
    call: &Call<'_>,
    change: &mut Change<'_>,
    pins: &mut Pins<'_>,
    machines: &Machines,
    launch: &Launch,
) -> Result<Vec<String>, Fault> {
    let count = room(change.tables(), machines, launch.size).min(launch.count.1);
    if count < launch.count.0 {
        let options = machines.options();
        let words = format!(
            "There is no room for {} more {}: {} machines with {} MiB of memory may run here at once",
            launch.count.0, launch.size.name, options.count_max, options.memory_mib_max
        );
        return Err(no_capacity(&words));
    }
    let mut made = Vec::new();
    for index in 0..count {
        let id = new_id("i");
        let instance = Instance {
            id: id.clone(),
            launch_index: u32::try_from(index).unwrap_or(u32::MAX),
            private_ip: private_ip(change.tables(), launch)?,
            public_ip: if launch.has_public_ip { Some(public_ip(change.tables())) } else { None },
            interface_id: new_id("eni"),
            interface_attachment_id: new_id("eni-attach"),
            mac: mac(),
            uuid: InstanceSpec::fresh_uuid(),
            spot: launch.first.spot.clone().map(|spot| SpotRequest { id: new_id("sir"), ..spot }),
            ..launch.first.clone()
        };
        for device in &launch.devices {
            let zone = &instance.zone;
            let volume = volumes::make(call, change, pins, device, zone, launch.volume_tags.clone())?;
            let attachment = Attachment {
                instance_id: id.clone(),
                device: device.device_name.clone(),
                attached: call.now,
                is_deleted_on_termination: device.is_deleted_on_termination,
                is_detaching: false,
            };
            change.put(Volume { attachment: Some(attachment), ..volume });
        }
        change.put(instance);
        made.push(id);
    }
    change.edit(&launch.first.image_id, |image: &mut Image| image.last_launched = Some(call.now));
    Ok(made)
}

/// Returns how many more machines of a type there is room for.
pub(super) fn room(tables: &Tables, machines: &Machines, size: InstanceType) -> u64 {
    let on = tables.instances.values().filter(|instance| instance.state.has_machine());
    let (mut count, mut memory) = (0, 0);
    for instance in on {
        count += 1;
        memory += find(&instance.instance_type).map_or(0, |size| u64::from(size.memory_mib));
    }
    let options = machines.options();
    let by_memory = u64::from(options.memory_mib_max).saturating_sub(memory) / u64::from(size.memory_mib);
    u64::from(options.count_max).saturating_sub(count).min(by_memory)
}

fn private_ip(tables: &Tables, launch: &Launch) -> Result<Ipv4Addr, Fault> {
    let there = tables.instances.values().filter(|instance| instance.state != InstanceState::Terminated);
    let taken: BTreeSet<Ipv4Addr> = there.map(|instance| instance.private_ip).collect();
    match launch.private_ip {
        Some(address) if taken.contains(&address) => {
            Err(Fault::client("InvalidIPAddress.InUse", format!("Address {address} is in use.")))
        }
        Some(address) => Ok(address),
        None => {
            let free = launch.subnet.addresses().find(|address| !taken.contains(address));
            let message = format!("There are not enough free addresses in subnet '{}'", launch.subnet.id);
            free.ok_or_else(|| Fault::client("InsufficientFreeAddressesInSubnet", message))
        }
    }
}

/// Makes up an address of loopback that no other instance has. Those of 127.0.0.0/10 are left to others.
fn public_ip(tables: &Tables) -> Ipv4Addr {
    loop {
        let mut random = [0; 3];
        // A machine without random numbers has no access key either: it does not come here.
        let _ = getrandom::fill(&mut random);
        let address = Ipv4Addr::new(127, 64 | random[0] >> 2, random[1], 1 + random[2] % 254);
        if tables.instances.values().all(|instance| instance.public_ip != Some(address)) {
            return address;
        }
    }
}

/// Makes up a hardware address: locally administered, unicast, as EC2's own.
fn mac() -> String {
    let mut random = [0; 6];
    let _ = getrandom::fill(&mut random);
    random[0] = 0x0a;
    random.map(|byte| format!("{byte:02x}")).join(":")
}
