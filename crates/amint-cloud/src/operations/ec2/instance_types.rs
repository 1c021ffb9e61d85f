use super::{filters, passes};
use crate::instance_types::{INSTANCE_TYPES, InstanceType, find};
use crate::network::Network;
use crate::operations::Call;
use crate::operations::page::Pager;
use crate::protocol::{Element, Fault, Params};
use crate::records::Tags;

/// The filters that there are (API reference, `DescribeInstanceTypes`), as far as anything here can be told by them.
const FILTERS: [&str; 11] = [
    "bare-metal",
    "current-generation",
    "hypervisor",
    "instance-storage-supported",
    "instance-type",
    "memory-info.size-in-mib",
    "processor-info.supported-architecture",
    "supported-boot-mode",
    "supported-root-device-type",
    "supported-virtualization-type",
    "vcpu-info.default-vcpus",
];

/// Lists instance types.
pub(crate) fn describe_instance_types(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let names = params.list("InstanceType");
    let filters = filters(params, &FILTERS)?;
    let pager = Pager::new(call, params, 5..=100)?;
    if let Some(unknown) = names.iter().find(|name| find(name).is_none()) {
        let message = format!("The following supplied instance types do not exist: [{unknown}]");
        return Err(Fault::client("InvalidInstanceType", message));
    }
    let is_wanted = |one: &InstanceType| {
        (names.is_empty() || names.contains(&one.name))
            && passes(&filters, &Tags::new(), |filter| values(one, filter))
    };
    let found = INSTANCE_TYPES.into_iter().filter(is_wanted);
    let page = pager.page_of(found.map(|one| (one.name.to_owned(), describe(&one))));
    Ok(Element::default()
        .with(Element::list("instanceTypeSet", page.entries))
        .maybe("nextToken", page.next_token))
}

fn boot_modes(one: &InstanceType) -> &'static [&'static str] {
    match (one.architecture, one.has_uefi) {
        ("arm64", _) => &["uefi"],
        (_, true) => &["legacy-bios", "uefi"],
        (_, false) => &["legacy-bios"],
    }
}

fn hypervisor(one: &InstanceType) -> &'static str {
    if one.has_uefi { "nitro" } else { "xen" }
}

fn values(one: &InstanceType, filter: &str) -> Vec<String> {
    let text = |text: &str| vec![text.to_owned()];
    match filter {
        "bare-metal" | "instance-storage-supported" => text("false"),
        "current-generation" => text("true"),
        "hypervisor" => text(hypervisor(one)),
        "instance-type" => text(one.name),
        "memory-info.size-in-mib" => text(&one.memory_mib.to_string()),
        "processor-info.supported-architecture" => text(one.architecture),
        "supported-boot-mode" => boot_modes(one).iter().map(|mode| (*mode).to_owned()).collect(),
        "supported-root-device-type" => text("ebs"),
        "supported-virtualization-type" => text("hvm"),
        "vcpu-info.default-vcpus" => text(&one.cpus.to_string()),
        _ => Vec::new(),
    }
}

fn describe(one: &InstanceType) -> Element {
    let list = |name: &'static str, texts: &[&str]| {
        Element::list(name, texts.iter().map(|text| Element::of("item", text)))
    };
    Element::default()
        .text("instanceType", one.name)
        .text("currentGeneration", true)
        .text("freeTierEligible", false)
        .with(list("supportedUsageClasses", &["on-demand"]))
        .with(list("supportedRootDeviceTypes", &["ebs"]))
        .with(list("supportedVirtualizationTypes", &["hvm"]))
        .text("bareMetal", false)
        .text("hypervisor", hypervisor(one))
        .with(Element::new("processorInfo").with(list("supportedArchitectures", &[one.architecture])))
        .with(Element::new("vCpuInfo").text("defaultVCpus", one.cpus))
        .with(Element::new("memoryInfo").text("sizeInMiB", one.memory_mib))
        .text("instanceStorageSupported", false)
        .with(
            Element::new("ebsInfo")
                .text("ebsOptimizedSupport", "default")
                .text("encryptionSupport", "supported")
                .text("nvmeSupport", "required"),
        )
        .with(
            Element::new("networkInfo")
                .text("maximumNetworkInterfaces", 1)
                .text("enaSupport", "required")
                .text("ipv6Supported", false),
        )
        .text("hibernationSupported", false)
        .text("dedicatedHostsSupported", false)
        .text("autoRecoverySupported", false)
        .with(list("supportedBootModes", boot_modes(one)))
}

/// Lists where instance types can be had: everywhere.
pub(crate) fn describe_instance_type_offerings(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let filters = filters(params, &["instance-type", "location"])?;
    let network = Network::of(call.account(), call.region);
    let kind = params.get("LocationType").unwrap_or("region");
    let locations: Vec<String> = match kind {
        "region" => vec![call.region.to_owned()],
        "availability-zone" => network.subnets.into_iter().map(|subnet| subnet.zone).collect(),
        "availability-zone-id" => network.subnets.into_iter().map(|subnet| subnet.zone_id).collect(),
        other => return Err(Fault::invalid_value("LocationType", other)),
    };
    let pager = Pager::new(call, params, 5..=1000)?;
    let mut found = Vec::new();
    for one in INSTANCE_TYPES {
        for location in &locations {
            let is_wanted = passes(&filters, &Tags::new(), |filter| match filter {
                "instance-type" => vec![one.name.to_owned()],
                "location" => vec![location.clone()],
                _ => Vec::new(),
            });
            if is_wanted {
                let element = Element::default()
                    .text("instanceType", one.name)
                    .text("locationType", kind)
                    .text("location", location);
                found.push((format!("{} {location}", one.name), element));
            }
        }
    }
    let page = pager.page_of(found.into_iter());
    Ok(Element::default()
        .with(Element::list("instanceTypeOfferingSet", page.entries))
        .maybe("nextToken", page.next_token))
}
