use super::{images, settings};
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::{Image, LaunchPermission, Tables};

/// What is changed: one attribute in each call.
enum Edit {
    Description(String),
    ImdsSupport,
    Permissions { added: Vec<LaunchPermission>, removed: Vec<LaunchPermission> },
}

/// Changes an attribute of an image.
pub(crate) fn modify_image_attribute(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let id = images::id(params)?;
    let edit = edit(params)?;
    call.change(params, |change| {
        let mut image = Image::clone(images::own(call, change, id)?.as_ref());
        match edit {
            Edit::Description(text) => image.description = Some(text),
            Edit::ImdsSupport => image.imds_support = Some("v2.0".to_owned()),
            Edit::Permissions { added, removed } => {
                if image.is_disabled && !added.is_empty() {
                    let message = format!("The image '{id}' is disabled and cannot be shared");
                    return Err(Fault::client("OperationNotPermitted", message));
                }
                if !added.is_empty() {
                    check_share(change.tables(), &image)?;
                }
                if added.contains(&LaunchPermission::Everybody) {
                    check_public(call, change.tables(), &image)?;
                }
                image.permissions.extend(added);
                image.permissions.retain(|permission| !removed.contains(permission));
            }
        }
        change.put(image);
        Ok(())
    })?;
    Ok(Element::default().text("return", true))
}

/// Refuses to share what others could not read: what is encrypted with the key that AWS has for EBS.
fn check_share(tables: &Tables, image: &Image) -> Result<(), Fault> {
    let has_default_key =
        |id: &str| tables.snapshots.get(id).is_some_and(|snapshot| snapshot.has_default_key());
    if image.snapshot_ids().any(has_default_key) {
        let message =
            format!("The image '{}' has snapshots that are encrypted with the default key", image.id);
        return Err(Fault::client("InvalidParameterValue", message));
    }
    Ok(())
}

/// Refuses to show everybody what cannot be shown (EC2 user guide, "Make an AMI public").
fn check_public(call: &Call<'_>, tables: &Tables, image: &Image) -> Result<(), Fault> {
    if settings::own(call, tables).are_images_blocked(call.now) {
        // The words are assumed.
        let message = format!(
            "The image '{}' cannot be made public, because block public access for AMIs is enabled",
            image.id
        );
        return Err(Fault::client("OperationNotPermitted", message));
    }
    if !image.watermarks.is_empty() {
        // Watermarks cannot be on public images; that this is refused is assumed from that.
        let message = format!("The image '{}' has watermarks and cannot be made public", image.id);
        return Err(Fault::client("OperationNotPermitted", message));
    }
    if image.block_devices.iter().any(|device| device.is_encrypted) {
        let message = format!("The image '{}' has encrypted snapshots and cannot be made public", image.id);
        return Err(Fault::client("InvalidParameterValue", message));
    }
    if !image.product_codes.is_empty() {
        let message = format!("The image '{}' has product codes and cannot be made public", image.id);
        return Err(Fault::client("OperationNotPermitted", message));
    }
    Ok(())
}

fn edit(params: &Params) -> Result<Edit, Fault> {
    let attribute = params.get("Attribute");
    let value = params.get("Value");
    let nested: Vec<(LaunchPermission, bool)> = permissions(params, "LaunchPermission.Add")?
        .into_iter()
        .map(|permission| (permission, true))
        .chain(
            permissions(params, "LaunchPermission.Remove")?.into_iter().map(|permission| (permission, false)),
        )
        .collect();
    let flat = flat(params)?;
    let is_removal = match params.get("OperationType") {
        Some("remove") => true,
        Some("add") | None => false,
        Some(other) => return Err(Fault::invalid_value("OperationType", other)),
    };
    let description = params.get("Description.Value").or(params.get("Description"));
    let imds = params.get("ImdsSupport.Value").or(value.filter(|_| attribute == Some("imdsSupport")));
    if let Some(version) = imds {
        return if version == "v2.0" {
            Ok(Edit::ImdsSupport)
        } else {
            Err(Fault::invalid_value("imdsSupport", version))
        };
    }
    if let Some(text) = description.or(value.filter(|_| attribute == Some("description"))) {
        return Ok(Edit::Description(text.to_owned()));
    }
    // Some clients send a list in both forms at once.
    let all = if nested.is_empty() {
        flat.into_iter().map(|permission| (permission, !is_removal)).collect()
    } else {
        nested
    };
    if all.is_empty() {
        return Err(match attribute {
            Some(name) if !matches!(name, "description" | "imdsSupport" | "launchPermission") => {
                Fault::client("InvalidParameterValue", format!("The attribute '{name}' cannot be modified"))
            }
            _ => Fault::client("InvalidParameterCombination", "No attributes specified."),
        });
    }
    let of = |wanted: bool| {
        all.iter()
            .filter(|(_, is_added)| *is_added == wanted)
            .map(|(permission, _)| permission.clone())
            .collect()
    };
    Ok(Edit::Permissions { added: of(true), removed: of(false) })
}

/// Reads a list of permissions: each names one account, group, organization or unit.
fn permissions(params: &Params, name: &str) -> Result<Vec<LaunchPermission>, Fault> {
    let mut found = Vec::new();
    for index in params.indexes(name) {
        let value = |key: &str| params.get(&format!("{name}.{index}.{key}"));
        let (user, group) = (value("UserId"), value("Group"));
        let (organization, unit) = (value("OrganizationArn"), value("OrganizationalUnitArn"));
        found.push(match (user, group, organization, unit) {
            (Some(id), None, None, None) => account(id)?,
            (None, Some(group), None, None) => everybody(group)?,
            (None, None, Some(arn), None) => LaunchPermission::Organization(arn.to_owned()),
            (None, None, None, Some(arn)) => LaunchPermission::OrganizationalUnit(arn.to_owned()),
            _ => {
                return Err(Fault::client(
                    "InvalidParameterCombination",
                    "A permission names one of its kinds",
                ));
            }
        });
    }
    Ok(found)
}

/// Reads the older form: a list for each kind.
fn flat(params: &Params) -> Result<Vec<LaunchPermission>, Fault> {
    let mut found = Vec::new();
    for id in params.list("UserId") {
        found.push(account(id)?);
    }
    for group in params.list("UserGroup") {
        found.push(everybody(group)?);
    }
    found.extend(
        params.list("OrganizationArn").into_iter().map(|arn| LaunchPermission::Organization(arn.to_owned())),
    );
    let units = params.list("OrganizationalUnitArn").into_iter();
    found.extend(units.map(|arn| LaunchPermission::OrganizationalUnit(arn.to_owned())));
    Ok(found)
}

fn account(id: &str) -> Result<LaunchPermission, Fault> {
    if id.len() == 12 && id.bytes().all(|letter| letter.is_ascii_digit()) {
        return Ok(LaunchPermission::Account(id.to_owned()));
    }
    Err(Fault::client(
        "InvalidAMIAttributeItemValue",
        format!("Invalid attribute item value \"{id}\" for userId"),
    ))
}

fn everybody(group: &str) -> Result<LaunchPermission, Fault> {
    if group == "all" {
        return Ok(LaunchPermission::Everybody);
    }
    Err(Fault::client(
        "InvalidAMIAttributeItemValue",
        format!("Invalid attribute item value \"{group}\" for group"),
    ))
}
