//! Tags, as requests give them.

use super::{image_usage_reports, launch_templates};
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::{
    Binned, Image, Instance, KeyPair, LaunchTemplate, SecurityGroup, Snapshot, Tags, UsageReport, Volume,
};
use crate::state::Change;

/// The most tags of a resource that users give (EC2 user guide, "Tag restrictions").
const TAGS_MAX: usize = 50;

/// Reads `TagSpecification.N`, which may name resources of one kind only.
pub(super) fn specified(params: &Params, kind: &str) -> Result<Tags, Fault> {
    specified_of(params, kind, &[kind])
}

/// Reads the tags of one kind of resources in `TagSpecification.N`, which may name `allowed` kinds.
pub(super) fn specified_of(params: &Params, kind: &str, allowed: &[&str]) -> Result<Tags, Fault> {
    let mut tags = Tags::new();
    for index in params.indexes("TagSpecification") {
        let name = format!("TagSpecification.{index}");
        let found = params.required(&format!("{name}.ResourceType"))?;
        if !allowed.contains(&found) {
            let message = format!("'{found}' is not a valid taggable resource type for this operation.");
            return Err(Fault::client("InvalidParameterValue", message));
        }
        let found_tags = list(params, &format!("{name}.Tag"))?;
        if found == kind {
            tags.extend(found_tags);
        }
    }
    check(&tags)?;
    Ok(tags)
}

/// Reads a list of keys and values.
pub(super) fn list(params: &Params, name: &str) -> Result<Tags, Fault> {
    let mut tags = Tags::new();
    for index in params.indexes(name) {
        let key = params.required(&format!("{name}.{index}.Key"))?.to_owned();
        let value = params.get(&format!("{name}.{index}.Value")).unwrap_or_default().to_owned();
        if tags.insert(key.clone(), value).is_some() {
            let message = format!("Duplicate tag key '{key}' specified.");
            return Err(Fault::client("InvalidParameterValue", message));
        }
    }
    Ok(tags)
}

/// Refuses tags that EC2 refuses.
pub(super) fn check(tags: &Tags) -> Result<(), Fault> {
    if tags.len() > TAGS_MAX {
        let message = format!("The maximum number of Tags for a resource has been reached: {TAGS_MAX}.");
        return Err(Fault::client("TagLimitExceeded", message));
    }
    for (key, value) in tags {
        if key.starts_with("aws:") {
            let message = "Tag keys starting with 'aws:' are reserved for internal use";
            return Err(Fault::client("InvalidParameterValue", message));
        }
        if key.chars().count() > 127 || value.chars().count() > 255 {
            return Err(Fault::client("InvalidParameterValue", format!("The tag '{key}' is too long")));
        }
    }
    Ok(())
}

/// Edits the tags of the request's resources: of all of them, or of none.
pub(super) fn edit_all(
    call: &Call<'_>,
    params: &Params,
    edit_one: impl Fn(&mut Tags),
) -> Result<Element, Fault> {
    let ids = params.list("ResourceId");
    if ids.is_empty() {
        return Err(Fault::missing("ResourceIdSet"));
    }
    call.change(params, |change| {
        for id in &ids {
            edit(change, id, |account, region| call.owns(account, region), &edit_one)?;
        }
        Ok(())
    })?;
    // Instances may tell their guests.
    call.world.look_at_doors();
    Ok(Element::default().text("return", true))
}

/// Edits the tags of a resource of an account and a region.
fn edit(
    change: &mut Change<'_>,
    id: &str,
    is_own: impl Fn(&str, &str) -> bool,
    edit: impl FnOnce(&mut Tags),
) -> Result<(), Fault> {
    let edit = |tags: &mut Tags| {
        edit(tags);
        check(tags)
    };
    // Every record with tags has an account, a region and tags.
    macro_rules! edit_one {
        ($record:ty, $unknown:expr) => {{
            let found = change.get::<$record>(id).filter(|found| is_own(&found.account, &found.region));
            let found = found.ok_or_else($unknown)?;
            let mut found = <$record>::clone(&found);
            edit(&mut found.tags)?;
            change.put(found);
        }};
    }
    // What is in the recycle bin has its record within another; tags are all that can be changed there.
    macro_rules! edit_one_or_binned {
        ($record:ty, $unknown:expr) => {{
            let is_there =
                change.get::<$record>(id).is_some_and(|found| is_own(&found.account, &found.region));
            if is_there {
                edit_one!($record, $unknown);
            } else {
                let found = change.get::<Binned<$record>>(id);
                let found = found.filter(|one| is_own(&one.record.account, &one.record.region));
                let mut found = Binned::<$record>::clone(&*found.ok_or_else($unknown)?);
                edit(&mut found.record.tags)?;
                change.put(found);
            }
        }};
    }
    let unknown = |code: &'static str, what: &'static str| {
        move || Fault::client(code, format!("The {what} '{id}' does not exist"))
    };
    match id.split('-').next() {
        Some("ami") => edit_one_or_binned!(Image, unknown("InvalidAMIID.NotFound", "image id")),
        Some("snap") => edit_one_or_binned!(Snapshot, unknown("InvalidSnapshot.NotFound", "snapshot")),
        Some("amiur") => edit_one!(UsageReport, || image_usage_reports::not_found(id)),
        Some("i") => edit_one!(Instance, unknown("InvalidInstanceID.NotFound", "instance ID")),
        Some("vol") => edit_one!(Volume, unknown("InvalidVolume.NotFound", "volume")),
        Some("sg") => edit_one!(SecurityGroup, unknown("InvalidGroup.NotFound", "security group")),
        Some("lt") => {
            edit_one!(LaunchTemplate, || launch_templates::not_found(&format!("with template ID {id}")));
        }
        Some("key") => edit_one!(KeyPair, unknown("InvalidKeyPair.NotFound", "key pair")),
        _ => return Err(Fault::client("InvalidID", format!("The ID '{id}' is not valid"))),
    }
    Ok(())
}
