use std::sync::Arc;

use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{RbinRequest, TAGS_MAX, Tag, invalid, not_found, read, read_tags, write_tags};
use crate::operations::Call;
use crate::protocol::Fault;
use crate::records::{RetentionRule, Tables};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Body {
    tags: Vec<Tag>,
}

/// Lists the tags of a rule.
pub(super) fn list_tags_for_resource(call: &Call<'_>, arn: &str) -> Result<(u16, Option<Value>), Fault> {
    let rule = find(call, &call.tables(), arn)?;
    Ok((200, Some(json!({ "Tags": write_tags(&rule.tags) }))))
}

/// Adds tags to a rule.
pub(super) fn tag_resource(
    call: &Call<'_>,
    request: &RbinRequest<'_>,
    arn: &str,
) -> Result<(u16, Option<Value>), Fault> {
    let tags = read_tags(read::<Body>(request)?.tags)?;
    call.world.state.change::<_, Fault>(|change| {
        let mut rule = RetentionRule::clone(find(call, change.tables(), arn)?.as_ref());
        rule.tags.extend(tags);
        if rule.tags.len() > TAGS_MAX {
            let fault = Fault::client("ServiceQuotaExceededException", "The rule has too many tags");
            return Err(fault.with_status(402).with_reason("SERVICE_QUOTA_EXCEEDED"));
        }
        change.put(rule);
        Ok(())
    })?;
    Ok((201, Some(json!({}))))
}

/// Takes tags from a rule.
pub(super) fn untag_resource(
    call: &Call<'_>,
    request: &RbinRequest<'_>,
    arn: &str,
) -> Result<(u16, Option<Value>), Fault> {
    let pairs = request.query.split('&').filter_map(|pair| pair.split_once('='));
    let keys: Vec<String> = pairs
        .filter(|(name, _)| *name == "tagKeys")
        .map(|(_, key)| percent_decode_str(key).decode_utf8_lossy().into_owned())
        .collect();
    if keys.is_empty() {
        return Err(invalid("tagKeys is missing"));
    }
    call.world.state.change::<_, Fault>(|change| {
        let mut rule = RetentionRule::clone(find(call, change.tables(), arn)?.as_ref());
        rule.tags.retain(|key, _| !keys.contains(key));
        change.put(rule);
        Ok(())
    })?;
    Ok((204, None))
}

fn find(call: &Call<'_>, tables: &Tables, arn: &str) -> Result<Arc<RetentionRule>, Fault> {
    let rule = arn.rsplit_once('/').and_then(|(_, id)| tables.retention_rules.get(id)).cloned();
    rule.filter(|rule| call.owns(&rule.account, &rule.region) && super::arn(rule) == arn)
        .ok_or_else(not_found)
}
