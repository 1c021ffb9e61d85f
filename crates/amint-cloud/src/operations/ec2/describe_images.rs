use super::{check_id, passes, tag_set, tag_values};
use crate::operations::Call;
use crate::operations::page::page;
use crate::protocol::{Element, Fault, Params};
use crate::world::{ACCOUNT_ID, Ami};

/// Where EC2 attaches the root volume of images with GRUB.
const ROOT_DEVICE: &str = "/dev/xvda";

/// Lists the images of the region.
pub(crate) fn describe_images(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let ids = params.list("ImageId");
    for id in &ids {
        check_id("ami", "InvalidAMIID.Malformed", id)?;
    }
    let (owners, users) = (params.list("Owner"), params.list("ExecutableBy"));
    params.boolean("IncludeDeprecated")?;
    params.boolean("IncludeDisabled")?;
    let filters = params.filters()?;
    if !ids.is_empty() && params.number("MaxResults")?.is_some() {
        let message = "The parameter imageIds cannot be used with the parameter maxResults";
        return Err(Fault::client("InvalidParameterCombination", message));
    }
    let images = call.world.images(call.region).map_err(|_| Fault::internal())?;
    let unknown: Vec<&str> =
        ids.iter().filter(|id| images.iter().all(|image| image.image_id != **id)).copied().collect();
    if !unknown.is_empty() {
        let message = format!("The image id '[{}]' does not exist", unknown.join(", "));
        return Err(Fault::client("InvalidAMIID.NotFound", message));
    }
    let mut found = Vec::new();
    for image in images {
        let is_named = ids.is_empty() || ids.contains(&image.image_id.as_str());
        let is_owned =
            owners.is_empty() || owners.iter().any(|owner| *owner == "self" || *owner == ACCOUNT_ID);
        // Nothing is shared: only the owner can launch.
        let is_launchable = users.is_empty() || users.contains(&"self");
        if passes(&filters, |name| values(&image, name))? && is_named && is_owned && is_launchable {
            found.push(image);
        }
    }
    let page = page(params, found, |image| image.image_id.clone())?;
    let answer = Element::default().with(Element::list("imagesSet", page.entries.iter().map(describe)));
    Ok(answer.maybe("nextToken", page.next_token))
}

/// Returns what a filter compares with; none when there is no such filter.
fn values(image: &Ami, name: &str) -> Option<Vec<String>> {
    let one = |text: &str| Some(vec![text.to_owned()]);
    match name {
        "architecture" => one(image.architecture()),
        "block-device-mapping.device-name" | "root-device-name" => one(ROOT_DEVICE),
        "block-device-mapping.encrypted" | "is-public" => one("false"),
        "block-device-mapping.snapshot-id" => one(&image.snapshot_id),
        "block-device-mapping.volume-size" => one(&image.volume_gib().to_string()),
        "block-device-mapping.volume-type" => one("gp3"),
        "boot-mode" => one("uefi-preferred"),
        "creation-date" => one(&image.created()),
        "description" => one(&description(image)),
        "block-device-mapping.delete-on-termination" | "ena-support" | "image-allowed" => one("true"),
        "hypervisor" => one("xen"),
        "image-id" => one(&image.image_id),
        "image-type" => one("machine"),
        "imds-support" => one("v2.0"),
        "manifest-location" => one(&location(image)),
        "name" => one(&image.name),
        "owner-id" => one(ACCOUNT_ID),
        "root-device-type" => one("ebs"),
        "state" => one("available"),
        "virtualization-type" => one("hvm"),
        "deprecation-time"
        | "kernel-id"
        | "owner-alias"
        | "platform"
        | "product-code"
        | "product-code.type"
        | "public-ssm-parameter-name"
        | "ramdisk-id"
        | "source-image-id"
        | "source-image-region"
        | "source-instance-id"
        | "sriov-net-support"
        | "state-reason-code"
        | "state-reason-message"
        | "tpm-support" => Some(Vec::new()),
        _ => tag_values(name, &image.tags()),
    }
}

fn description(image: &Ami) -> String {
    format!("{} of amint's store", image.record.reference())
}

fn location(image: &Ami) -> String {
    format!("{ACCOUNT_ID}/{}", image.name)
}

fn describe(image: &Ami) -> Element {
    let ebs = Element::new("ebs")
        .text("deleteOnTermination", true)
        .text("snapshotId", &image.snapshot_id)
        .text("volumeSize", image.volume_gib())
        .text("volumeType", "gp3")
        .text("encrypted", false);
    let mapping = Element::default().text("deviceName", ROOT_DEVICE).with(ebs);
    Element::default()
        .text("imageId", &image.image_id)
        .text("imageLocation", location(image))
        .text("imageState", "available")
        .text("imageOwnerId", ACCOUNT_ID)
        .text("creationDate", image.created())
        .text("isPublic", false)
        .text("architecture", image.architecture())
        .text("imageType", "machine")
        .text("platformDetails", "Linux/UNIX")
        .text("usageOperation", "RunInstances")
        .text("name", &image.name)
        .text("description", description(image))
        .text("rootDeviceType", "ebs")
        .text("rootDeviceName", ROOT_DEVICE)
        .with(Element::list("blockDeviceMapping", [mapping]))
        .text("virtualizationType", "hvm")
        .with(tag_set(&image.tags()))
        .text("hypervisor", "xen")
        .text("enaSupport", true)
        .text("bootMode", "uefi-preferred")
        .text("imdsSupport", "v2.0")
        .text("deregistrationProtection", "disabled")
}
