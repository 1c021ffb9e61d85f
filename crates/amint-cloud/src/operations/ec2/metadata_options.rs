use super::instances;
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::{Image, Instance, InstanceState, MetadataOptions};

/// Returns the options of a new instance: what its image wants, changed by the request.
pub(super) fn at_launch(params: &Params, image: &Image) -> Result<MetadataOptions, Fault> {
    let needs_token = image.imds_support.is_some();
    let options = MetadataOptions {
        is_enabled: true,
        needs_token,
        hop_limit: if needs_token { 2 } else { 1 },
        has_tags: false,
    };
    read(params, "MetadataOptions.", options)
}

fn read(params: &Params, prefix: &str, before: MetadataOptions) -> Result<MetadataOptions, Fault> {
    let name = |key: &str| format!("{prefix}{key}");
    let switch = |key: &str, off: &str, on: &str, before: bool| match params.get(&name(key)) {
        None => Ok(before),
        Some(value) if value == on => Ok(true),
        Some(value) if value == off => Ok(false),
        Some(value) => Err(Fault::invalid_value(&name(key), value)),
    };
    if switch("HttpProtocolIpv6", "disabled", "enabled", false)? {
        let message = "Instances have no addresses of IPv6 here";
        return Err(Fault::client("UnsupportedOperation", message));
    }
    let hop_limit = match params.number(&name("HttpPutResponseHopLimit"))? {
        None => before.hop_limit,
        Some(hops) => u8::try_from(hops)
            .ok()
            .filter(|hops| (1..=64).contains(hops))
            .ok_or_else(|| Fault::invalid_value(&name("HttpPutResponseHopLimit"), &hops.to_string()))?,
    };
    Ok(MetadataOptions {
        is_enabled: switch("HttpEndpoint", "disabled", "enabled", before.is_enabled)?,
        needs_token: switch("HttpTokens", "optional", "required", before.needs_token)?,
        hop_limit,
        has_tags: switch("InstanceMetadataTags", "disabled", "enabled", before.has_tags)?,
    })
}

/// Changes how an instance reaches its metadata, at once.
pub(crate) fn modify_instance_metadata_options(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let id = instances::id(params)?;
    let options = call.change(params, |change| {
        let mut instance = Instance::clone(instances::own(call, change.tables(), id)?.as_ref());
        if !matches!(instance.state, InstanceState::Pending | InstanceState::Running | InstanceState::Stopped)
        {
            return Err(instances::incorrect(&instance));
        }
        instance.metadata = read(params, "", instance.metadata)?;
        change.put(instance.clone());
        Ok(instance.metadata)
    })?;
    call.world.look_at_doors();
    let element = instances::metadata_options("instanceMetadataOptions", options);
    Ok(Element::default().text("instanceId", id).with(element))
}
