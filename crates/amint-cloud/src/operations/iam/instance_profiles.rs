use std::sync::Arc;

use super::{conflict, exists, key, listed, name, not_found, page, path, roles, tag_list, tags, time};
use crate::access::unique_id;
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::{InstanceProfile, Tables};

/// Finds an instance profile of an account by its name or its ARN.
pub(crate) fn find(tables: &Tables, account: &str, name: &str) -> Option<Arc<InstanceProfile>> {
    let is_arn = name.starts_with("arn:");
    let last = if is_arn { name.rsplit('/').next()? } else { name };
    let found = tables.instance_profiles.get(&key(account, last))?;
    (!is_arn || found.arn() == name).then(|| Arc::clone(found))
}

/// Makes an instance profile without a role.
pub(crate) fn create_instance_profile(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let name = name(params, "InstanceProfileName", 128)?;
    let profile = InstanceProfile {
        key: key(call.account(), name),
        account: call.account().to_owned(),
        name: name.to_owned(),
        path: path(params)?,
        unique_id: unique_id("AIPA"),
        created: call.now,
        role: None,
        tags: tags(params)?,
    };
    let answer = Element::default().with(describe(&call.tables(), &profile));
    call.change(params, |change| {
        if change.get::<InstanceProfile>(&profile.key).is_some() {
            return Err(exists("Instance Profile", name));
        }
        change.put(profile);
        Ok(())
    })?;
    Ok(answer)
}

/// Tells an instance profile.
pub(crate) fn get_instance_profile(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let name = name(params, "InstanceProfileName", 128)?;
    let tables = call.tables();
    let profile = tables.instance_profiles.get(&key(call.account(), name));
    let profile = profile.ok_or_else(|| not_found("instance profile", name))?;
    Ok(Element::default().with(describe(&tables, profile)))
}

/// Lists the instance profiles of whoever asks.
pub(crate) fn list_instance_profiles(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let prefix = params.get("PathPrefix").unwrap_or("/");
    list(call, params, |profile| profile.path.starts_with(prefix))
}

/// Lists the instance profiles that have a role.
pub(crate) fn list_instance_profiles_for_role(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let role = roles::asked(call, params)?;
    list(call, params, |profile| profile.role.as_deref() == Some(&role.name))
}

fn list(
    call: &Call<'_>,
    params: &Params,
    is_asked: impl Fn(&InstanceProfile) -> bool,
) -> Result<Element, Fault> {
    let tables = call.tables();
    let own = |profile: &&Arc<InstanceProfile>| profile.account == call.account() && is_asked(profile);
    let found = tables.instance_profiles.values().filter(own);
    let page = page(call, params, found, |profile| profile.name.clone())?;
    let told = page.entries.iter().map(|profile| describe(&tables, profile));
    Ok(listed("InstanceProfiles", told, page.next_token))
}

/// Removes an instance profile without a role.
pub(crate) fn delete_instance_profile(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let name = name(params, "InstanceProfileName", 128)?;
    call.change(params, |change| {
        let key = key(call.account(), name);
        let profile = change.remove::<InstanceProfile>(&key);
        if profile.ok_or_else(|| not_found("instance profile", name))?.role.is_some() {
            return Err(conflict("Cannot delete entity, must remove roles from instance profile first."));
        }
        Ok(())
    })?;
    Ok(Element::default())
}

fn describe(tables: &Tables, profile: &InstanceProfile) -> Element {
    let role = profile.role.as_ref().and_then(|name| roles::find(tables, &profile.account, name));
    let element = Element::new("InstanceProfile")
        .text("Path", &profile.path)
        .text("InstanceProfileName", &profile.name)
        .text("InstanceProfileId", &profile.unique_id)
        .text("Arn", profile.arn())
        .text("CreateDate", time(profile.created))
        .with(Element::members("Roles", role.iter().map(|role| roles::describe(role, "member"))));
    if profile.tags.is_empty() { element } else { element.with(tag_list(&profile.tags)) }
}
