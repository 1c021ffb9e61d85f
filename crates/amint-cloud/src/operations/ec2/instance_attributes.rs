use super::{check_id, instances, networks, run_instances, security_groups, time};
use crate::instance_types::find;
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::{Instance, InstanceState, ShutdownBehavior, Volume};
use crate::state::Change;

/// Tells one attribute of an instance.
pub(crate) fn describe_instance_attribute(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let (id, attribute) = (instances::id(params)?, params.required("Attribute")?);
    let tables = call.tables();
    let instance = instances::own(call, &tables, id)?;
    let value = |name: &'static str, value: String| Element::new(name).text("value", value);
    let answer = match attribute {
        "instanceType" => value("instanceType", instance.instance_type.clone()),
        "userData" => match &instance.user_data {
            Some(data) => value("userData", data.clone()),
            None => Element::new("userData"),
        },
        "disableApiTermination" => {
            value("disableApiTermination", instance.is_termination_protected.to_string())
        }
        "disableApiStop" => value("disableApiStop", instance.is_stop_protected.to_string()),
        "instanceInitiatedShutdownBehavior" => {
            value("instanceInitiatedShutdownBehavior", instance.shutdown_behavior.name().to_owned())
        }
        "rootDeviceName" => value("rootDeviceName", instance.root_device_name.clone()),
        "sourceDestCheck" => value("sourceDestCheck", instance.checks_source.to_string()),
        "ebsOptimized" => value("ebsOptimized", instance.is_ebs_optimized.to_string()),
        "enaSupport" => value("enaSupport", instance.has_ena.to_string()),
        "sriovNetSupport" => match &instance.sriov {
            Some(text) => value("sriovNetSupport", text.clone()),
            None => Element::new("sriovNetSupport"),
        },
        "groupSet" => networks::groups(&tables, &instance),
        "productCodes" => Element::list(
            "productCodes",
            instance
                .product_codes
                .iter()
                .map(|code| Element::default().text("productCode", code).text("type", "marketplace")),
        ),
        "enclaveOptions" => Element::new("enclaveOptions").text("enabled", false),
        // No instance here has one.
        "kernel" => Element::new("kernel"),
        "ramdisk" => Element::new("ramdisk"),
        "blockDeviceMapping" => {
            let entries = instances::devices(&tables, &instance).into_iter().filter_map(|volume| {
                let attachment = volume.attachment.as_ref()?;
                let ebs = Element::new("ebs")
                    .text("volumeId", &volume.id)
                    .text("status", attachment.state())
                    .text("attachTime", time(attachment.attached))
                    .text("deleteOnTermination", attachment.is_deleted_on_termination);
                Some(Element::default().text("deviceName", &attachment.device).with(ebs))
            });
            Element::list("blockDeviceMapping", entries)
        }
        other => return Err(Fault::invalid_value("attribute", other)),
    };
    Ok(Element::default().text("instanceId", id).with(answer))
}

/// One change of an instance.
enum Edit {
    InstanceType(String),
    UserData(String),
    TerminationProtection(bool),
    StopProtection(bool),
    Shutdown(ShutdownBehavior),
    SourceCheck(bool),
    EbsOptimized(bool),
    Ena(bool),
    Sriov(String),
    Groups(Vec<String>),
    /// Devices, and whether each ends with the instance.
    Devices(Vec<(String, bool)>),
}

impl Edit {
    /// Tells whether the instance has to be stopped for it (API reference, `ModifyInstanceAttribute`).
    fn needs_stop(&self) -> bool {
        matches!(
            self,
            Self::InstanceType(_) | Self::UserData(_) | Self::EbsOptimized(_) | Self::Ena(_) | Self::Sriov(_)
        )
    }
}

/// Changes one attribute of an instance.
pub(crate) fn modify_instance_attribute(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let id = instances::id(params)?;
    let mut edits = edits(params)?;
    let edit = match (edits.pop(), edits.len()) {
        (Some(edit), 0) => edit,
        (None, _) => {
            return Err(Fault::client("InvalidParameterCombination", "No attributes specified."));
        }
        _ => {
            let message = "Fields for multiple attribute types specified";
            return Err(Fault::client("InvalidParameterCombination", message));
        }
    };
    call.change(params, |change| {
        let mut instance = Instance::clone(instances::own(call, change.tables(), id)?.as_ref());
        let is_wrong =
            instance.state.is_ending() || (edit.needs_stop() && instance.state != InstanceState::Stopped);
        if is_wrong {
            return Err(instances::incorrect(&instance));
        }
        apply(call, change, &mut instance, edit)?;
        change.put(instance);
        Ok(())
    })?;
    call.world.look_at_doors();
    Ok(Element::default().text("return", true))
}

/// Reads what shall be changed, in either form: `NAME.Value`, or `Attribute` and `Value`.
fn edits(params: &Params) -> Result<Vec<Edit>, Fault> {
    let (attribute, value) = (params.get("Attribute"), params.get("Value"));
    let text = |name: &str| {
        let mut letters = name.chars();
        let lower = letters.next().map(|first| first.to_ascii_lowercase().to_string() + letters.as_str());
        params.get(&format!("{name}.Value")).or(value.filter(|_| attribute == lower.as_deref()))
    };
    let boolean = |name: &str| match text(name) {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(other) => Err(Fault::invalid_value(name, other)),
    };
    let mut edits = Vec::new();
    if let Some(name) = text("InstanceType") {
        edits.push(Edit::InstanceType(name.to_owned()));
    }
    // Botocore writes the value as a blob: in base64 once more, as EC2 takes it.
    if let Some(data) = text("UserData") {
        edits.push(Edit::UserData(run_instances::user_data(data)?));
    }
    edits.extend(boolean("DisableApiTermination")?.map(Edit::TerminationProtection));
    edits.extend(boolean("DisableApiStop")?.map(Edit::StopProtection));
    edits.extend(boolean("SourceDestCheck")?.map(Edit::SourceCheck));
    edits.extend(boolean("EbsOptimized")?.map(Edit::EbsOptimized));
    edits.extend(boolean("EnaSupport")?.map(Edit::Ena));
    match text("InstanceInitiatedShutdownBehavior") {
        None => {}
        Some("stop") => edits.push(Edit::Shutdown(ShutdownBehavior::Stop)),
        Some("terminate") => edits.push(Edit::Shutdown(ShutdownBehavior::Terminate)),
        Some(other) => return Err(Fault::invalid_value("InstanceInitiatedShutdownBehavior", other)),
    }
    match text("SriovNetSupport") {
        None => {}
        Some("simple") => edits.push(Edit::Sriov("simple".to_owned())),
        Some(other) => return Err(Fault::invalid_value("SriovNetSupport", other)),
    }
    let groups: Vec<String> = params.list("GroupId").into_iter().map(str::to_owned).collect();
    if !groups.is_empty() {
        edits.push(Edit::Groups(groups));
    }
    let mut devices = Vec::new();
    for index in params.indexes("BlockDeviceMapping") {
        let name = |key: &str| format!("BlockDeviceMapping.{index}.{key}");
        let is_deleted = params.boolean(&name("Ebs.DeleteOnTermination"))?;
        let is_deleted = is_deleted.ok_or_else(|| Fault::missing(&name("Ebs.DeleteOnTermination")))?;
        devices.push((params.required(&name("DeviceName"))?.to_owned(), is_deleted));
    }
    if !devices.is_empty() {
        edits.push(Edit::Devices(devices));
    }
    if let (true, Some(name)) = (edits.is_empty(), attribute) {
        let message = format!("The attribute '{name}' cannot be modified");
        return Err(Fault::client("InvalidParameterValue", message));
    }
    Ok(edits)
}

fn apply(call: &Call<'_>, change: &mut Change<'_>, instance: &mut Instance, edit: Edit) -> Result<(), Fault> {
    match edit {
        Edit::InstanceType(name) => {
            let size = find(&name).filter(|size| size.architecture == instance.architecture);
            if size.is_none() {
                let message = format!("Invalid value '{name}' for InstanceType.");
                return Err(Fault::client("InvalidInstanceAttributeValue", message));
            }
            instance.instance_type = name;
        }
        Edit::UserData(data) => instance.user_data = Some(data),
        Edit::TerminationProtection(is_on) => instance.is_termination_protected = is_on,
        Edit::StopProtection(is_on) => instance.is_stop_protected = is_on,
        Edit::Shutdown(behavior) => instance.shutdown_behavior = behavior,
        Edit::SourceCheck(is_on) => instance.checks_source = is_on,
        Edit::EbsOptimized(is_on) => instance.is_ebs_optimized = is_on,
        Edit::Ena(is_on) => instance.has_ena = is_on,
        Edit::Sriov(text) => instance.sriov = Some(text),
        Edit::Groups(ids) => {
            for id in &ids {
                check_id("sg", "InvalidGroupId.Malformed", id)?;
                let group = change.tables().security_groups.get(id);
                if !group.is_some_and(|group| call.owns(&group.account, &group.region)) {
                    return Err(security_groups::not_found(id));
                }
            }
            instance.group_ids = ids;
        }
        Edit::Devices(devices) => {
            for (device, is_deleted) in devices {
                let mut there = instances::devices(change.tables(), instance).into_iter();
                let named = |volume: &&Volume| {
                    volume.attachment.as_ref().is_some_and(|attachment| attachment.device == device)
                };
                let Some(id) = there.find(named).map(|volume| volume.id.clone()) else {
                    let message = format!("No device is currently mapped at {device}");
                    return Err(Fault::client("InvalidInstanceAttributeValue", message));
                };
                change.edit(&id, |volume: &mut Volume| {
                    if let Some(attachment) = &mut volume.attachment {
                        attachment.is_deleted_on_termination = is_deleted;
                    }
                });
            }
        }
    }
    Ok(())
}
