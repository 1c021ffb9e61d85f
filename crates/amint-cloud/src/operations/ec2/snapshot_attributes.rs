use super::{settings, snapshots};
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::{Snapshot, SnapshotSharing, Tables};

/// Changes who may make volumes of a snapshot.
pub(crate) fn modify_snapshot_attribute(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let id = snapshots::id(params)?;
    if let Some(attribute) = params.get("Attribute").filter(|name| *name != "createVolumePermission") {
        return Err(Fault::invalid_value("attribute", attribute));
    }
    let is_removal = match params.get("OperationType") {
        Some("remove") => true,
        Some("add") | None => false,
        Some(other) => return Err(Fault::invalid_value("OperationType", other)),
    };
    let nested = |list: &str| -> (Vec<String>, Vec<String>) {
        let name = format!("CreateVolumePermission.{list}");
        let values = |key: &str| {
            let indexes = params.indexes(&name).into_iter();
            indexes
                .filter_map(|index| params.get(&format!("{name}.{index}.{key}")).map(str::to_owned))
                .collect()
        };
        (values("UserId"), values("Group"))
    };
    let (mut added, mut removed) = (nested("Add"), nested("Remove"));
    let owned = |list: Vec<&str>| list.into_iter().map(str::to_owned).collect::<Vec<_>>();
    // Some clients send a list in both forms at once.
    let flat = (owned(params.list("UserId")), owned(params.list("UserGroup")));
    let has_nested = [&added, &removed].iter().any(|(users, groups)| !users.is_empty() || !groups.is_empty());
    if !has_nested {
        *(if is_removal { &mut removed } else { &mut added }) = flat;
    }
    let all = added.0.iter().chain(&removed.0);
    if let Some(wrong) =
        all.clone().find(|id| id.len() != 12 || !id.bytes().all(|letter| letter.is_ascii_digit()))
    {
        return Err(Fault::invalid_value("userId", wrong));
    }
    if let Some(wrong) = added.1.iter().chain(&removed.1).find(|group| *group != "all") {
        return Err(Fault::invalid_value("group", wrong));
    }
    if all.count() + added.1.len() + removed.1.len() == 0 {
        return Err(Fault::client("InvalidParameterCombination", "No permissions specified."));
    }
    call.change(params, |change| {
        let mut snapshot = Snapshot::clone(snapshots::own(call, change, id)?.as_ref());
        if added.0.len() + added.1.len() > 0 {
            check_share(call, change.tables(), &snapshot, !added.1.is_empty())?;
        }
        snapshot.users.extend(added.0);
        snapshot.users.retain(|user| !removed.0.contains(user));
        snapshot.is_public = (snapshot.is_public || !added.1.is_empty()) && removed.1.is_empty();
        change.put(snapshot);
        Ok(())
    })?;
    Ok(Element::default().text("return", true))
}

/// Refuses to share what cannot be shared (EBS user guide, "Share an Amazon EBS snapshot"). The words are assumed.
fn check_share(
    call: &Call<'_>,
    tables: &Tables,
    snapshot: &Snapshot,
    with_everybody: bool,
) -> Result<(), Fault> {
    let refuse = |why: &str| {
        let message = format!("The snapshot '{}' {why}", snapshot.id);
        Err(Fault::client("OperationNotPermitted", message))
    };
    snapshots::check_readable(call, snapshot)?;
    if snapshot.has_default_key() {
        return refuse("is encrypted with the default key and cannot be shared");
    }
    if with_everybody && snapshot.is_encrypted {
        return refuse("is encrypted and cannot be made public");
    }
    if with_everybody && settings::own(call, tables).snapshot_sharing != SnapshotSharing::Unblocked {
        return refuse("cannot be made public, because block public access for snapshots is enabled");
    }
    Ok(())
}

/// Takes all permissions from a snapshot.
pub(crate) fn reset_snapshot_attribute(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let id = snapshots::id(params)?;
    let attribute = params.required("Attribute")?;
    if attribute != "createVolumePermission" {
        return Err(Fault::invalid_value("attribute", attribute));
    }
    call.change(params, |change| {
        let mut snapshot = Snapshot::clone(snapshots::own(call, change, id)?.as_ref());
        snapshot.users.clear();
        snapshot.is_public = false;
        change.put(snapshot);
        Ok(())
    })?;
    Ok(Element::default().text("return", true))
}

/// Tells who may make volumes of a snapshot, or its product codes.
pub(crate) fn describe_snapshot_attribute(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let id = snapshots::id(params)?;
    let attribute = params.required("Attribute")?;
    let tables = call.tables();
    let snapshot = tables.snapshots.get(id).filter(|found| call.owns(&found.account, &found.region));
    let snapshot = snapshot.ok_or_else(|| snapshots::not_found(id))?;
    let answer = match attribute {
        "createVolumePermission" => {
            let everybody = snapshot.is_public.then(|| Element::default().text("group", "all"));
            let users = snapshot.users.iter().map(|user| Element::default().text("userId", user));
            Element::list("createVolumePermission", everybody.into_iter().chain(users))
        }
        "productCodes" => Element::new("productCodes"),
        other => return Err(Fault::invalid_value("attribute", other)),
    };
    Ok(Element::default().text("snapshotId", id).with(answer))
}
