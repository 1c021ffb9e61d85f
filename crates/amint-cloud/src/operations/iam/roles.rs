use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::{
    conflict, encoded, exists, invalid, key, listed, name, not_found, page, path, policy, tag_list, tags,
    time,
};
use crate::access::unique_id;
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::{InstanceProfile, Role, Tables, Tags};
use crate::state::Change;
use crate::world::ACCOUNT_ID;

/// The role that AWS Organizations makes in the accounts of an organization, for the account that manages it.
const MEMBER_ROLE: &str = "OrganizationAccountAccessRole";
/// How long a session of a role may last, in seconds.
const SESSION_SECONDS: std::ops::RangeInclusive<u64> = 3600..=43_200;
const DESCRIPTION_MAX: usize = 1000;

/// Finds a role of an account by its name. Every account but the local one has the role of members.
pub(crate) fn find(tables: &Tables, account: &str, name: &str) -> Option<Arc<Role>> {
    if let Some(role) = tables.roles.get(&key(account, name)) {
        return Some(Arc::clone(role));
    }
    (name == MEMBER_ROLE && account != ACCOUNT_ID).then(|| Arc::new(member_role(account)))
}

fn member_role(account: &str) -> Role {
    Role {
        key: key(account, MEMBER_ROLE),
        account: account.to_owned(),
        name: MEMBER_ROLE.to_owned(),
        path: "/".to_owned(),
        unique_id: format!("AROAMEMBER{account}").replace(['0', '1', '8', '9'], "A")[..21].to_owned(),
        created: Timestamp::UNIX_EPOCH,
        description: None,
        trust: format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{ACCOUNT_ID}:root"}},"Action":"sts:AssumeRole"}}]}}"#
        ),
        session_seconds_max: 3600,
        policies: BTreeMap::new(),
        attached: BTreeSet::from(["arn:aws:iam::aws:policy/AdministratorAccess".to_owned()]),
        tags: Tags::new(),
    }
}

/// Finds a role of whoever asks, to be told.
pub(super) fn asked(call: &Call<'_>, params: &Params) -> Result<Arc<Role>, Fault> {
    let name = name(params, "RoleName", 64)?;
    find(&call.tables(), call.account(), name).ok_or_else(|| not_found("role", name))
}

/// Finds a role of whoever asks, to be changed.
pub(super) fn own(call: &Call<'_>, change: &Change<'_>, name: &str) -> Result<Role, Fault> {
    let role = find(change.tables(), call.account(), name).ok_or_else(|| not_found("role", name))?;
    Ok(Role::clone(&role))
}

/// Makes a role.
pub(crate) fn create_role(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let name = name(params, "RoleName", 64)?;
    let seconds = params.number("MaxSessionDuration")?.unwrap_or(*SESSION_SECONDS.start());
    if !SESSION_SECONDS.contains(&seconds) {
        return Err(invalid("MaxSessionDuration has to be between 3600 and 43200"));
    }
    let description = params.get("Description").map(str::to_owned);
    if description.as_ref().is_some_and(|text| text.len() > DESCRIPTION_MAX) {
        return Err(invalid("Description is longer than 1000 characters"));
    }
    let role = Role {
        key: key(call.account(), name),
        account: call.account().to_owned(),
        name: name.to_owned(),
        path: path(params)?,
        unique_id: unique_id("AROA"),
        created: call.now,
        description,
        trust: policy(params, "AssumeRolePolicyDocument")?.to_owned(),
        session_seconds_max: i64::try_from(seconds).unwrap_or(3600),
        policies: BTreeMap::new(),
        attached: BTreeSet::new(),
        tags: tags(params)?,
    };
    let answer = Element::default().with(describe(&role, "Role"));
    call.change(params, |change| {
        if find(change.tables(), call.account(), name).is_some() {
            return Err(exists("Role", name));
        }
        change.put(role);
        Ok(())
    })?;
    Ok(answer)
}

/// Tells a role.
pub(crate) fn get_role(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    Ok(Element::default().with(describe(asked(call, params)?.as_ref(), "Role")))
}

/// Lists the roles of whoever asks.
pub(crate) fn list_roles(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let prefix = params.get("PathPrefix").unwrap_or("/");
    let tables = call.tables();
    let own = tables.roles.values().filter(|role| role.account == call.account()).cloned();
    let all = own.chain(find(&tables, call.account(), MEMBER_ROLE));
    let page =
        page(call, params, all.filter(|role| role.path.starts_with(prefix)), |role| role.name.clone())?;
    Ok(listed("Roles", page.entries.iter().map(|role| describe(role, "member")), page.next_token))
}

/// Says anew who may assume a role.
pub(crate) fn update_assume_role_policy(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let (name, trust) = (name(params, "RoleName", 64)?, policy(params, "PolicyDocument")?);
    call.change(params, |change| {
        let role = Role { trust: trust.to_owned(), ..own(call, change, name)? };
        change.put(role);
        Ok(())
    })?;
    if let Some(machines) = call.world.machines() {
        machines.look();
    }
    Ok(Element::default())
}

/// Removes a role without policies that no instance profile has.
pub(crate) fn delete_role(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let name = name(params, "RoleName", 64)?;
    call.change(params, |change| {
        let key = key(call.account(), name);
        let role = change.get::<Role>(&key).ok_or_else(|| not_found("role", name))?;
        let has = |profile: &Arc<InstanceProfile>| {
            profile.account == role.account && profile.role.as_deref() == Some(name)
        };
        if change.tables().instance_profiles.values().any(has) {
            return Err(conflict("Cannot delete entity, must remove roles from instance profile first."));
        }
        if !role.attached.is_empty() {
            return Err(conflict("Cannot delete entity, must detach all policies first."));
        }
        if !role.policies.is_empty() {
            return Err(conflict("Cannot delete entity, must delete policies first."));
        }
        change.remove::<Role>(&key);
        Ok(())
    })?;
    Ok(Element::default())
}

/// Writes a role.
pub(super) fn describe(role: &Role, name: &'static str) -> Element {
    let element = Element::new(name)
        .text("Path", &role.path)
        .text("RoleName", &role.name)
        .text("RoleId", &role.unique_id)
        .text("Arn", role.arn())
        .text("CreateDate", time(role.created))
        .text("AssumeRolePolicyDocument", encoded(&role.trust))
        .maybe("Description", role.description.as_ref())
        .text("MaxSessionDuration", role.session_seconds_max);
    if role.tags.is_empty() { element } else { element.with(tag_list(&role.tags)) }
}
