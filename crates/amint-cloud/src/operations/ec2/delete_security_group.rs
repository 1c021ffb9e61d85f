use super::security_groups;
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::{InstanceState, Peer, SecurityGroup, Tables};

/// Removes a security group that nothing uses.
pub(crate) fn delete_security_group(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let id = call.change(params, |change| {
        let group = security_groups::asked(call, change, params)?;
        if group.name == "default" {
            let message = format!(
                "the specified group: \"{}\" name: \"default\" cannot be deleted by a user",
                group.id
            );
            return Err(Fault::client("CannotDelete", message));
        }
        if let Some(user) = user_of(change.tables(), &group) {
            let message = format!("resource {} has a dependent object: {user}", group.id);
            return Err(Fault::client("DependencyViolation", message));
        }
        change.remove::<SecurityGroup>(&group.id);
        Ok(group.id)
    })?;
    Ok(Element::default().text("return", true).text("groupId", id))
}

/// Returns an instance or another group that uses a group.
fn user_of(tables: &Tables, group: &SecurityGroup) -> Option<String> {
    let instance = tables.instances.values().find(|instance| {
        instance.state != InstanceState::Terminated && instance.group_ids.contains(&group.id)
    });
    let names = |other: &SecurityGroup| {
        other.id != group.id && other.rules.iter().any(|rule| rule.peer == Peer::Group(group.id.clone()))
    };
    let other = || tables.security_groups.values().find(|other| names(other));
    instance.map(|instance| instance.id.clone()).or_else(|| other().map(|other| other.id.clone()))
}
