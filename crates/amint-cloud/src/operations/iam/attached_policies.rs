use super::{listed, managed_policies, name, page, roles};
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};

/// Attaches a managed policy to a role.
pub(crate) fn attach_role_policy(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let (role, arn) = (name(params, "RoleName", 64)?, params.required("PolicyArn")?);
    call.change(params, |change| {
        managed_policies::check(call, change.tables(), arn)?;
        let mut role = roles::own(call, change, role)?;
        role.attached.insert(arn.to_owned());
        change.put(role);
        Ok(())
    })?;
    Ok(Element::default())
}

/// Detaches a managed policy from a role.
pub(crate) fn detach_role_policy(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let (role, arn) = (name(params, "RoleName", 64)?, params.required("PolicyArn")?);
    call.change(params, |change| {
        let mut role = roles::own(call, change, role)?;
        if !role.attached.remove(arn) {
            return Err(managed_policies::not_found(arn));
        }
        change.put(role);
        Ok(())
    })?;
    Ok(Element::default())
}

/// Lists the managed policies that are attached to a role.
pub(crate) fn list_attached_role_policies(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let role = roles::asked(call, params)?;
    params.get("PathPrefix");
    let page = page(call, params, &role.attached, |arn| (*arn).clone())?;
    let told = page.entries.iter().map(|arn| {
        let name = arn.rsplit('/').next().unwrap_or_default();
        Element::default().text("PolicyName", name).text("PolicyArn", arn)
    });
    Ok(listed("AttachedPolicies", told, page.next_token))
}
