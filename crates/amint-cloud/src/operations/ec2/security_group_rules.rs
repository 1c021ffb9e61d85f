use super::{check_id, security_groups, tags};
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::Rule;

/// The most rules of a group, each way (Amazon VPC quotas).
const RULES_MAX: usize = 60;

/// Lets somebody in.
pub(crate) fn authorize_security_group_ingress(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    authorize(call, params, false)
}

/// Lets instances out.
pub(crate) fn authorize_security_group_egress(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    authorize(call, params, true)
}

/// Lets somebody in no more.
pub(crate) fn revoke_security_group_ingress(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    revoke(call, params, false)
}

/// Lets instances out no more.
pub(crate) fn revoke_security_group_egress(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    revoke(call, params, true)
}

fn authorize(call: &Call<'_>, params: &Params, is_egress: bool) -> Result<Element, Fault> {
    let rule_tags = tags::specified(params, "security-group-rule")?;
    let (group, added) = call.change(params, |change| {
        let mut group = security_groups::asked(call, change, params)?;
        let mut added = security_groups::rules(call, change.tables(), params, is_egress)?;
        if added.is_empty() {
            return Err(Fault::missing("IpPermissions"));
        }
        for (index, rule) in added.iter_mut().enumerate() {
            rule.tags.clone_from(&rule_tags);
            if let Some(known) = group.rules[..].iter().find(|known| known.is_same(rule)) {
                let message =
                    format!("the specified rule \"{}\" (number {}) already exists", known.id, index + 1);
                return Err(Fault::client("InvalidPermission.Duplicate", message));
            }
            group.rules.push(rule.clone());
        }
        if group.rules.iter().filter(|rule| rule.is_egress == is_egress).count() > RULES_MAX {
            let message = "The maximum number of rules per security group has been reached.";
            return Err(Fault::client("RulesPerSecurityGroupLimitExceeded", message));
        }
        change.put(group.clone());
        Ok((group, added))
    })?;
    call.world.look_at_doors();
    let entries = added.iter().map(|rule| security_groups::describe_rule(&group, rule));
    Ok(Element::default().text("return", true).with(Element::list("securityGroupRuleSet", entries)))
}

fn revoke(call: &Call<'_>, params: &Params, is_egress: bool) -> Result<Element, Fault> {
    let ids = params.list("SecurityGroupRuleId");
    for id in &ids {
        check_id("sgr", "InvalidSecurityGroupRuleId.Malformed", id)?;
    }
    let (group, taken) = call.change(params, |change| {
        let mut group = security_groups::asked(call, change, params)?;
        let mut taken = Vec::new();
        let named = security_groups::rules(call, change.tables(), params, is_egress)?;
        if named.is_empty() && ids.is_empty() {
            return Err(Fault::missing("IpPermissions"));
        }
        let mut take = |is_it: &dyn Fn(&Rule) -> bool, what: &str| {
            let found = group.rules.iter().position(|rule| rule.is_egress == is_egress && is_it(rule));
            let message = || format!("The specified rule {what} does not exist in this security group.");
            let at = found.ok_or_else(|| Fault::client("InvalidPermission.NotFound", message()))?;
            taken.push(group.rules.remove(at));
            Ok::<_, Fault>(())
        };
        for rule in &named {
            take(&|known| known.is_same(rule), "")?;
        }
        for id in &ids {
            take(&|known| known.id == *id, id)?;
        }
        change.put(group.clone());
        Ok((group, taken))
    })?;
    call.world.look_at_doors();
    let entries = taken.iter().map(|rule| security_groups::describe_revoked(&group, rule));
    Ok(Element::default().text("return", true).with(Element::list("revokedSecurityGroupRuleSet", entries)))
}
