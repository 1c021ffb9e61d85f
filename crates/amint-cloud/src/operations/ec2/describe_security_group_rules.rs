use super::{filters, passes, security_groups};
use crate::operations::Call;
use crate::operations::page::{Pager, USUAL};
use crate::protocol::{Element, Fault, Params};

/// Lists the rules of security groups.
pub(crate) fn describe_security_group_rules(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let ids = params.list("SecurityGroupRuleId");
    let filters = filters(params, &["group-id", "security-group-rule-id"])?;
    let pager = Pager::new(call, params, USUAL)?;
    let tables = call.tables();
    let own = tables.security_groups.values().filter(|group| call.owns(&group.account, &group.region));
    let mut found = Vec::new();
    for group in own {
        for rule in &group.rules {
            let is_wanted = (ids.is_empty() || ids.contains(&rule.id.as_str()))
                && passes(&filters, &rule.tags, |name| match name {
                    "group-id" => vec![group.id.clone()],
                    "security-group-rule-id" => vec![rule.id.clone()],
                    _ => Vec::new(),
                });
            if is_wanted {
                found.push((rule.id.clone(), security_groups::describe_rule(group, rule)));
            }
        }
    }
    if let Some(id) =
        ids.iter().find(|id| found.iter().all(|(known, _)| known != *id)).filter(|_| filters.is_empty())
    {
        let message = format!("The security group rule ID '{id}' does not exist");
        return Err(Fault::client("InvalidSecurityGroupRuleId.NotFound", message));
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    let page = pager.page_of(found.into_iter());
    Ok(Element::default()
        .with(Element::list("securityGroupRuleSet", page.entries))
        .maybe("nextToken", page.next_token))
}
