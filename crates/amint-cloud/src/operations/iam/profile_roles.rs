use super::{key, name, not_found, roles};
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::InstanceProfile;

/// Gives an instance profile its role: it has one at most.
pub(crate) fn add_role_to_instance_profile(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    edit(call, params, |profile, role| {
        if profile.role.is_some() {
            let message = "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1";
            return Err(Fault::client("LimitExceeded", message).with_status(409));
        }
        profile.role = Some(role.to_owned());
        Ok(())
    })
}

/// Takes its role from an instance profile.
pub(crate) fn remove_role_from_instance_profile(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    edit(call, params, |profile, role| {
        if profile.role.as_deref() != Some(role) {
            return Err(not_found("role", role));
        }
        profile.role = None;
        Ok(())
    })
}

fn edit(
    call: &Call<'_>,
    params: &Params,
    edit: impl FnOnce(&mut InstanceProfile, &str) -> Result<(), Fault>,
) -> Result<Element, Fault> {
    let (profile, role) = (name(params, "InstanceProfileName", 128)?, name(params, "RoleName", 64)?);
    call.change(params, |change| {
        let found = change.get::<InstanceProfile>(&key(call.account(), profile));
        let mut found =
            InstanceProfile::clone(found.ok_or_else(|| not_found("instance profile", profile))?.as_ref());
        roles::own(call, change, role)?;
        edit(&mut found, role)?;
        change.put(found);
        Ok(())
    })?;
    // Instances that run with it are told.
    if let Some(machines) = call.world.machines() {
        machines.look();
    }
    Ok(Element::default())
}
