use serde::Deserialize;
use serde_json::Value;

use super::{
    EXCLUDED_TAGS_MAX, RESOURCE_TAGS_MAX, RbinRequest, RetentionPeriod, check_description, check_tags,
    check_unlocked, describe, invalid, own, read, read_kind, read_rule_tags,
};
use crate::operations::Call;
use crate::protocol::Fault;
use crate::records::{RetentionRule, RuleTag};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Body {
    retention_period: Option<RetentionPeriod>,
    description: Option<String>,
    resource_type: Option<String>,
    resource_tags: Option<Vec<RuleTag>>,
    exclude_resource_tags: Option<Vec<RuleTag>>,
}

/// Changes a rule, but for the type of its resources. What lies in the bin already keeps its time.
pub(super) fn update_rule(
    call: &Call<'_>,
    request: &RbinRequest<'_>,
    id: &str,
) -> Result<(u16, Option<Value>), Fault> {
    let body: Body = read(request)?;
    let answer = call.world.state.change::<_, Fault>(|change| {
        let mut rule = RetentionRule::clone(own(call, change, id)?.as_ref());
        check_unlocked(call, &rule)?;
        if let Some(kind) = &body.resource_type
            && read_kind(kind)? != rule.kind
        {
            return Err(invalid("The resource type of a retention rule cannot be changed"));
        }
        if let Some(period) = &body.retention_period {
            rule.retention_days = period.days()?;
        }
        if let Some(text) = body.description {
            check_description(&text)?;
            rule.description = text;
        }
        if let Some(list) = body.resource_tags {
            rule.resource_tags = read_rule_tags(list, RESOURCE_TAGS_MAX)?;
        }
        if let Some(list) = body.exclude_resource_tags {
            rule.excluded_tags = read_rule_tags(list, EXCLUDED_TAGS_MAX)?;
        }
        check_tags(&rule)?;
        let answer = describe(call, &rule);
        change.put(rule);
        Ok(answer)
    })?;
    Ok((200, Some(answer)))
}
