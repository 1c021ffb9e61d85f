use super::{encoded, listed, name, not_found, page, policy, roles};
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};

/// Keeps a policy with a role.
pub(crate) fn put_role_policy(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let (role, of_policy) = (name(params, "RoleName", 64)?, name(params, "PolicyName", 128)?);
    let document = policy(params, "PolicyDocument")?;
    call.change(params, |change| {
        let mut role = roles::own(call, change, role)?;
        role.policies.insert(of_policy.to_owned(), document.to_owned());
        change.put(role);
        Ok(())
    })?;
    Ok(Element::default())
}

/// Tells a policy of a role.
pub(crate) fn get_role_policy(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let role = roles::asked(call, params)?;
    let of_policy = name(params, "PolicyName", 128)?;
    let document = role.policies.get(of_policy).ok_or_else(|| not_found("role policy", of_policy))?;
    Ok(Element::default()
        .text("RoleName", &role.name)
        .text("PolicyName", of_policy)
        .text("PolicyDocument", encoded(document)))
}

/// Lists the policies that are kept with a role.
pub(crate) fn list_role_policies(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let role = roles::asked(call, params)?;
    let page = page(call, params, role.policies.keys(), |name| (*name).clone())?;
    let told = page.entries.iter().map(|name| Element::of("member", name));
    Ok(listed("PolicyNames", told, page.next_token))
}

/// Removes a policy from a role.
pub(crate) fn delete_role_policy(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let (role, of_policy) = (name(params, "RoleName", 64)?, name(params, "PolicyName", 128)?);
    call.change(params, |change| {
        let mut role = roles::own(call, change, role)?;
        role.policies.remove(of_policy).ok_or_else(|| not_found("role policy", of_policy))?;
        change.put(role);
        Ok(())
    })?;
    Ok(Element::default())
}
