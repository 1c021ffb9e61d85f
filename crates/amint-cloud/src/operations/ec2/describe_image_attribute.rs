use super::{allowed_images, image_deregistration_protection, images, time};
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::{Image, LaunchPermission};

/// Tells one attribute of an image.
pub(crate) fn describe_image_attribute(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let id = images::id(params)?;
    let attribute = params.required("Attribute")?;
    let tables = call.tables();
    let image = tables
        .images
        .get(id)
        .filter(|image| image.region == call.region && image.is_usable_by(call.account()));
    let image = image.ok_or_else(|| images::not_found(id))?;
    allowed_images::check(call, &tables, image)?;
    let is_own = image.account == call.account();
    if !is_own && matches!(attribute, "launchPermission" | "lastLaunchedTime" | "uefiData") {
        return Err(Fault::client("AuthFailure", format!("Not authorized for image:{id}")).with_status(403));
    }
    let value = |name: &'static str, value: Option<String>| {
        value.map_or_else(|| Element::new(name), |value| Element::new(name).text("value", value))
    };
    let protection = image_deregistration_protection::text(image.protection);
    let answer = match attribute {
        "description" => value("description", image.description.clone()),
        "launchPermission" => Element::list("launchPermission", image.permissions.iter().map(permission)),
        "productCodes" => codes(image),
        "sriovNetSupport" => value("sriovNetSupport", image.sriov.clone()),
        "bootMode" => value("bootMode", image.boot_mode.clone()),
        "tpmSupport" => value("tpmSupport", image.tpm_support.clone()),
        "uefiData" => value("uefiData", image.uefi_data.clone()),
        "lastLaunchedTime" => value("lastLaunchedTime", image.last_launched.map(time)),
        "imdsSupport" => value("imdsSupport", image.imds_support.clone()),
        "deregistrationProtection" => value("deregistrationProtection", Some(protection.to_owned())),
        // No image here has one.
        "kernel" => Element::new("kernel"),
        "ramdisk" => Element::new("ramdisk"),
        "blockDeviceMapping" => {
            let message = "Unauthorized attempt to access restricted resource";
            return Err(Fault::client("AuthFailure", message).with_status(403));
        }
        other => return Err(Fault::invalid_value("attribute", other)),
    };
    Ok(Element::default().text("imageId", id).with(answer))
}

fn permission(permission: &LaunchPermission) -> Element {
    match permission {
        LaunchPermission::Everybody => Element::default().text("group", "all"),
        LaunchPermission::Account(id) => Element::default().text("userId", id),
        LaunchPermission::Organization(arn) => Element::default().text("organizationArn", arn),
        LaunchPermission::OrganizationalUnit(arn) => Element::default().text("organizationalUnitArn", arn),
    }
}

fn codes(image: &Image) -> Element {
    let entries = image.product_codes.iter();
    let entries =
        entries.map(|code| Element::default().text("productCode", code).text("type", "marketplace"));
    Element::list("productCodes", entries)
}
