use std::sync::Arc;

use super::{
    allowed_images, check_id, filters, image_deregistration_protection, images, passes, tag_set, time,
};
use crate::operations::Call;
use crate::operations::page::{Pager, USUAL};
use crate::protocol::{Element, Fault, Params};
use crate::records::{BlockDevice, Image, Tables, Watermark};

/// The filters that there are besides those of tags (API reference, `DescribeImages`).
const FILTERS: [&str; 44] = [
    "architecture",
    "block-device-mapping.delete-on-termination",
    "block-device-mapping.device-name",
    "block-device-mapping.encrypted",
    "block-device-mapping.snapshot-id",
    "block-device-mapping.volume-size",
    "block-device-mapping.volume-type",
    "boot-mode",
    "creation-date",
    "deprecation-time",
    "description",
    "ena-support",
    "free-tier-eligible",
    "hypervisor",
    "image-allowed",
    "image-id",
    "image-type",
    "image-watermark.source-image-creation-time",
    "image-watermark.source-image-id",
    "image-watermark.source-image-region",
    "image-watermark.watermark-creation-time",
    "image-watermark.watermark-key",
    "imds-support",
    "is-public",
    "kernel-id",
    "manifest-location",
    "name",
    "owner-alias",
    "owner-id",
    "platform",
    "product-code",
    "product-code.type",
    "public-ssm-parameter-name",
    "ramdisk-id",
    "root-device-name",
    "root-device-type",
    "source-image-id",
    "source-image-region",
    "source-instance-id",
    "sriov-net-support",
    "state",
    "state-reason-code",
    "tpm-support",
    "virtualization-type",
];

/// Lists the images that an account can see.
pub(crate) fn describe_images(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let ids = params.list("ImageId");
    for id in &ids {
        check_id("ami", "InvalidAMIID.Malformed", id)?;
    }
    let (owners, users) = (params.list("Owner"), params.list("ExecutableBy"));
    let has_deprecated = params.boolean("IncludeDeprecated")?.unwrap_or(false);
    let has_disabled = params.boolean("IncludeDisabled")?.unwrap_or(false);
    let filters = filters(params, &FILTERS)?;
    if !ids.is_empty() && params.get("MaxResults").is_some() {
        let message = "The parameter imageIds cannot be used with the parameter maxResults";
        return Err(Fault::client("InvalidParameterCombination", message));
    }
    let pager = Pager::new(call, params, 1..=*USUAL.end())?;
    let tables = call.tables();
    let is_visible = |image: &Image| {
        image.region == call.region
            && image.is_usable_by(call.account())
            && !allowed_images::is_hidden(call, &tables, image)
    };
    let unknown: Vec<&str> = ids
        .iter()
        .copied()
        .filter(|id| !tables.images.get(*id).is_some_and(|image| is_visible(image)))
        .collect();
    if !unknown.is_empty() {
        let (noun, verb) = if unknown.len() == 1 { ("id", "does") } else { ("ids", "do") };
        let message = format!("The image {noun} '[{}]' {verb} not exist", unknown.join(", "));
        return Err(Fault::client("InvalidAMIID.NotFound", message));
    }
    let is_wanted = |image: &Image| {
        let is_own = image.account == call.account();
        let is_named = ids.contains(&image.id.as_str());
        let alias = images::owner_alias(&image.account);
        let is_owner =
            |owner: &&str| (*owner == "self" && is_own) || *owner == image.account || alias == Some(*owner);
        let is_launchable = |user: &&str| match *user {
            "all" => image.is_public(),
            "self" => image.is_shared_with(call.account()),
            account => is_own && image.is_shared_with(account),
        };
        (ids.is_empty() || is_named)
            && (owners.is_empty() || owners.iter().any(is_owner))
            && (users.is_empty() || users.iter().any(is_launchable))
            // Who does not own an image sees it no more once it is deprecated, unless it asks for it.
            && (is_own || is_named || has_deprecated || !image.is_deprecated(call.now))
            && (has_disabled || is_named || !image.is_disabled)
            && passes(&filters, tags_for(call, image), |name| values(call, &tables, image, name))
    };
    let found = pager.rest(&tables.images).filter(|image| is_visible(image) && is_wanted(image));
    let page = pager.page(found.map(|image| Ok(Arc::clone(image))))?;
    let entries = page.entries.iter().map(|image| describe(call, &tables, image));
    Ok(Element::default().with(Element::list("imagesSet", entries)).maybe("nextToken", page.next_token))
}

/// Returns the tags that whoever asks can see: only the owner's.
fn tags_for<'i>(call: &Call<'_>, image: &'i Image) -> &'i crate::records::Tags {
    static NONE: crate::records::Tags = crate::records::Tags::new();
    if image.account == call.account() { &image.tags } else { &NONE }
}

/// Returns what a filter compares with.
fn values(call: &Call<'_>, tables: &Tables, image: &Image, name: &str) -> Vec<String> {
    let one = |text: &str| vec![text.to_owned()];
    let maybe = |text: &Option<String>| text.iter().cloned().collect();
    let devices = |value: &dyn Fn(&BlockDevice) -> Option<String>| {
        image.block_devices.iter().filter_map(value).collect()
    };
    let marks = |value: &dyn Fn(&Watermark) -> String| image.watermarks.iter().map(value).collect();
    match name {
        "architecture" => one(&image.architecture),
        "block-device-mapping.delete-on-termination" => {
            devices(&|device| Some(device.is_deleted_on_termination.to_string()))
        }
        "block-device-mapping.device-name" => devices(&|device| Some(device.device_name.clone())),
        "block-device-mapping.encrypted" => devices(&|device| Some(device.is_encrypted.to_string())),
        "block-device-mapping.snapshot-id" => devices(&|device| device.snapshot_id.clone()),
        "block-device-mapping.volume-size" => devices(&|device| Some(device.volume_gib.to_string())),
        "block-device-mapping.volume-type" => devices(&|device| Some(device.volume_type.clone())),
        "boot-mode" => maybe(&image.boot_mode),
        "creation-date" => one(&time(image.created)),
        "deprecation-time" => image.deprecation.map(time).into_iter().collect(),
        "description" => maybe(&image.description),
        "ena-support" => one(&image.has_ena.to_string()),
        "free-tier-eligible" => one("false"),
        "hypervisor" => one("xen"),
        "image-allowed" => one(&allowed_images::verdict(call, tables, image).unwrap_or(true).to_string()),
        "image-id" => one(&image.id),
        "image-type" => one("machine"),
        "image-watermark.source-image-creation-time" => marks(&|mark| time(mark.source_created)),
        "image-watermark.source-image-id" => marks(&|mark| mark.source_image.clone()),
        "image-watermark.source-image-region" => marks(&|mark| mark.source_region.clone()),
        "image-watermark.watermark-creation-time" => marks(&|mark| time(mark.created)),
        "image-watermark.watermark-key" => marks(&|mark| mark.key.clone()),
        "imds-support" => maybe(&image.imds_support),
        "is-public" => one(&image.is_public().to_string()),
        "manifest-location" => one(&location(image)),
        "name" => one(&image.name),
        "owner-alias" => images::owner_alias(&image.account).map(str::to_owned).into_iter().collect(),
        "owner-id" => one(&image.account),
        "product-code" => image.product_codes.clone(),
        "product-code.type" => image.product_codes.iter().map(|_| "marketplace".to_owned()).collect(),
        "root-device-name" => one(&image.root_device_name),
        "root-device-type" => one("ebs"),
        "source-image-id" => image.source.iter().map(|(id, _)| id.clone()).collect(),
        "source-image-region" => image.source.iter().map(|(_, region)| region.clone()).collect(),
        "source-instance-id" => maybe(&image.source_instance),
        "sriov-net-support" => maybe(&image.sriov),
        "state" => one(image.state(call.now)),
        "state-reason-code" => image.failure.iter().map(|_| "Client.InternalError".to_owned()).collect(),
        "tpm-support" => maybe(&image.tpm_support),
        "virtualization-type" => one("hvm"),
        // Kernels, RAM disks, platforms, parameters and reasons are what no image here has.
        _ => Vec::new(),
    }
}

/// Writes the watermarks of an image.
pub(super) fn watermarks(marks: &[Watermark]) -> Element {
    let entries = marks.iter().map(|mark| {
        Element::default()
            .text("watermarkKey", &mark.key)
            .text("sourceImageRegion", &mark.source_region)
            .text("sourceImageId", &mark.source_image)
            .text("sourceImageCreationTime", time(mark.source_created))
            .text("watermarkCreationTime", time(mark.created))
    });
    Element::list("imageWatermarkSet", entries)
}

fn location(image: &Image) -> String {
    format!("{}/{}", image.account, image.name)
}

fn describe(call: &Call<'_>, tables: &Tables, image: &Image) -> Element {
    let own = image.account == call.account();
    Element::default()
        .text("imageId", &image.id)
        .text("imageLocation", location(image))
        .text("imageState", image.state(call.now))
        .text("imageOwnerId", &image.account)
        .maybe("imageOwnerAlias", images::owner_alias(&image.account))
        .text("creationDate", time(image.created))
        .text("isPublic", image.is_public())
        .with(Element::list(
            "productCodes",
            image
                .product_codes
                .iter()
                .map(|code| Element::default().text("productCode", code).text("type", "marketplace")),
        ))
        .text("architecture", &image.architecture)
        .text("imageType", "machine")
        .text("platformDetails", "Linux/UNIX")
        .text("usageOperation", "RunInstances")
        .text("name", &image.name)
        .maybe("description", image.description.as_ref())
        .with_reason(image.failure.as_deref().map(|words| ("Client.InternalError", words)))
        .text("rootDeviceType", "ebs")
        .text("rootDeviceName", &image.root_device_name)
        .with(Element::list("blockDeviceMapping", image.block_devices.iter().map(device)))
        .text("virtualizationType", "hvm")
        .with(tag_set(tags_for(call, image)))
        .text("hypervisor", "xen")
        .text("enaSupport", image.has_ena)
        .maybe("sriovNetSupport", image.sriov.as_ref())
        .maybe("bootMode", image.boot_mode.as_ref())
        .maybe("tpmSupport", image.tpm_support.as_ref())
        .maybe("imdsSupport", image.imds_support.as_ref())
        .maybe("deprecationTime", image.deprecation.map(time))
        .maybe("lastLaunchedTime", image.last_launched.filter(|_| own).map(time))
        .maybe("sourceInstanceId", image.source_instance.as_ref().filter(|_| own))
        .maybe("sourceImageId", image.source.as_ref().map(|(id, _)| id))
        .maybe("sourceImageRegion", image.source.as_ref().map(|(_, region)| region))
        .text("deregistrationProtection", image_deregistration_protection::text(image.protection))
        .maybe("imageAllowed", allowed_images::verdict(call, tables, image))
        .with(watermarks(&image.watermarks))
}

fn device(device: &BlockDevice) -> Element {
    let element = Element::default().text("deviceName", &device.device_name);
    if let Some(name) = &device.virtual_name {
        return element.text("virtualName", name);
    }
    let ebs = Element::new("ebs")
        .text("deleteOnTermination", device.is_deleted_on_termination)
        .maybe("iops", device.iops)
        .maybe("snapshotId", device.snapshot_id.as_ref())
        .text("volumeSize", device.volume_gib)
        .text("volumeType", &device.volume_type)
        .maybe("throughput", device.throughput)
        .maybe("kmsKeyId", device.kms_key_id.as_ref())
        .text("encrypted", device.is_encrypted);
    element.with(ebs)
}
