//! What operations on instances share.

use std::sync::Arc;

use super::{check_id, networks, tag_set, time};
use crate::operations::Call;
use crate::operations::iam::find_profile;
use crate::protocol::{Element, Fault, Params};
use crate::records::{Instance, InstanceState, MetadataOptions, Tables, Volume};

/// Returns the id of the request's instance, of the right form.
pub(super) fn id(params: &Params) -> Result<&str, Fault> {
    let id = params.required("InstanceId")?;
    check_id("i", "InvalidInstanceID.Malformed", id)?;
    Ok(id)
}

/// Returns the ids of the request's instances, of which there has to be one.
pub(super) fn ids(params: &Params) -> Result<Vec<&str>, Fault> {
    let mut ids = params.list("InstanceId");
    if ids.is_empty() {
        return Err(Fault::missing("InstanceId"));
    }
    for id in &ids {
        check_id("i", "InvalidInstanceID.Malformed", id)?;
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// Finds an instance of whoever asks.
pub(super) fn own(call: &Call<'_>, tables: &Tables, id: &str) -> Result<Arc<Instance>, Fault> {
    let instance = tables.instances.get(id).filter(|one| call.owns(&one.account, &one.region));
    instance.cloned().ok_or_else(|| {
        Fault::client("InvalidInstanceID.NotFound", format!("The instance ID '{id}' does not exist"))
    })
}

/// Says that an instance is in a state in which this cannot be done.
pub(super) fn incorrect(instance: &Instance) -> Fault {
    let message = format!(
        "The instance '{}' is not in a state from which this can be done: it is {}",
        instance.id,
        instance.state.name()
    );
    Fault::client("IncorrectInstanceState", message)
}

pub(super) fn state(name: &'static str, state: InstanceState) -> Element {
    Element::new(name).text("code", state.code()).text("name", state.name())
}

/// Returns the volumes of an instance, with the device of each, sorted by it.
pub(super) fn devices<'t>(tables: &'t Tables, instance: &Instance) -> Vec<&'t Volume> {
    let device = |volume: &Volume| volume.attachment.as_ref().map(|one| one.device.clone());
    let is_here =
        |volume: &&Arc<Volume>| volume.attachment.as_ref().is_some_and(|one| one.instance_id == instance.id);
    let mut found: Vec<&Volume> = tables.volumes.values().filter(is_here).map(AsRef::as_ref).collect();
    found.sort_by_key(|volume| device(volume));
    found
}

pub(super) fn metadata_options(name: &'static str, options: MetadataOptions) -> Element {
    let switch = |is_on: bool| if is_on { "enabled" } else { "disabled" };
    Element::new(name)
        .text("state", "applied")
        .text("httpTokens", if options.needs_token { "required" } else { "optional" })
        .text("httpPutResponseHopLimit", options.hop_limit)
        .text("httpEndpoint", switch(options.is_enabled))
        .text("httpProtocolIpv6", "disabled")
        .text("instanceMetadataTags", switch(options.has_tags))
}

/// Writes an instance as lists of them do.
pub(super) fn describe(tables: &Tables, instance: &Instance) -> Element {
    let is_gone = instance.state == InstanceState::Terminated;
    let mapping = devices(tables, instance).into_iter().filter_map(|volume| {
        let attachment = volume.attachment.as_ref()?;
        let ebs = Element::new("ebs")
            .text("volumeId", &volume.id)
            .text("status", attachment.state())
            .text("attachTime", time(attachment.attached))
            .text("deleteOnTermination", attachment.is_deleted_on_termination);
        Some(Element::default().text("deviceName", &attachment.device).with(ebs))
    });
    let (words, reason) = match &instance.reason {
        Some((code, words)) => (
            format!("{words} ({})", instance.since.strftime("%Y-%m-%d %H:%M:%S GMT")),
            Some((code.as_str(), words.as_str())),
        ),
        None => (String::new(), None),
    };
    let mut element = Element::default()
        .text("instanceId", &instance.id)
        .text("imageId", &instance.image_id)
        .with(state("instanceState", instance.state))
        .text("privateDnsName", if is_gone { String::new() } else { instance.private_dns_name() })
        .text("dnsName", "")
        .text("reason", words)
        .maybe("keyName", instance.key_name.as_ref())
        .text("amiLaunchIndex", instance.launch_index)
        .with(Element::list(
            "productCodes",
            instance
                .product_codes
                .iter()
                .map(|code| Element::default().text("productCode", code).text("type", "marketplace")),
        ))
        .text("instanceType", &instance.instance_type)
        .text("launchTime", time(instance.launched))
        .with(
            Element::new("placement")
                .text("availabilityZone", &instance.zone)
                .text("groupName", "")
                .text("tenancy", "default"),
        )
        .with(
            Element::new("monitoring")
                .text("state", if instance.is_monitored { "enabled" } else { "disabled" }),
        );
    if !is_gone {
        element = element
            .text("subnetId", &instance.subnet_id)
            .text("vpcId", &instance.vpc_id)
            .text("privateIpAddress", instance.private_ip)
            .maybe("ipAddress", instance.shown_public_ip())
            .text("sourceDestCheck", instance.checks_source)
            .with(networks::groups(tables, instance))
            .with(Element::list("networkInterfaceSet", [networks::interface(tables, instance, false)]));
    }
    let profile = instance.profile.as_ref().map(|profile| {
        let arn = if profile.starts_with("arn:") {
            profile.clone()
        } else {
            format!("arn:aws:iam::{}:instance-profile/{profile}", instance.account)
        };
        let known = find_profile(tables, &instance.account, &arn);
        let digest = amint_types::Digest::of(arn.as_bytes()).to_string().to_ascii_uppercase();
        let id = known.map_or_else(|| format!("AIPA{}", &digest[..17]), |known| known.unique_id.clone());
        Element::new("iamInstanceProfile").text("arn", arn).text("id", id)
    });
    element = element
        .with_reason(reason)
        .text("architecture", &instance.architecture)
        .text("rootDeviceType", "ebs")
        .text("rootDeviceName", &instance.root_device_name)
        .with(Element::list("blockDeviceMapping", mapping))
        .text("virtualizationType", "hvm")
        .text("clientToken", instance.client_token.as_deref().unwrap_or_default())
        .with(tag_set(&instance.tags))
        .text("hypervisor", "xen");
    if let Some(profile) = profile {
        element = element.with(profile);
    }
    if let Some(spot) = &instance.spot {
        element = element.text("instanceLifecycle", "spot").text("spotInstanceRequestId", &spot.id);
    }
    element
        .text("ebsOptimized", instance.is_ebs_optimized)
        .text("enaSupport", instance.has_ena)
        .maybe("sriovNetSupport", instance.sriov.as_ref())
        .maybe("bootMode", instance.boot_mode.as_ref())
        .maybe("tpmSupport", instance.tpm_support.as_ref())
        .text("currentInstanceBootMode", if instance.starts_by_uefi() { "uefi" } else { "legacy-bios" })
        .with(metadata_options("metadataOptions", instance.metadata))
        .text("platformDetails", "Linux/UNIX")
        .text("usageOperation", "RunInstances")
        .text("usageOperationUpdateTime", time(instance.launched))
}
