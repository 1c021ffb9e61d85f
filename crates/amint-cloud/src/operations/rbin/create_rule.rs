use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::Value;

use super::{
    EXCLUDED_TAGS_MAX, LockConfiguration, RESOURCE_TAGS_MAX, RbinRequest, RetentionPeriod, Tag,
    check_description, check_tags, describe, invalid, read, read_kind, read_rule_tags, read_tags, write_tags,
};
use crate::operations::Call;
use crate::protocol::Fault;
use crate::records::{RetentionRule, RuleLock, RuleTag};

/// How long it takes until a rule holds things back.
const PENDING: SignedDuration = SignedDuration::from_secs(5);
/// The most rules of an account in a region (Service Quotas, Recycle Bin).
const RULES_MAX: usize = 250;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Body {
    retention_period: RetentionPeriod,
    #[serde(default)]
    description: String,
    #[serde(default)]
    tags: Vec<Tag>,
    resource_type: String,
    #[serde(default)]
    resource_tags: Vec<RuleTag>,
    #[serde(default)]
    exclude_resource_tags: Vec<RuleTag>,
    lock_configuration: Option<LockConfiguration>,
}

/// Makes a rule: for all of a region, or for what has certain tags.
pub(super) fn create_rule(call: &Call<'_>, request: &RbinRequest<'_>) -> Result<(u16, Option<Value>), Fault> {
    let body: Body = read(request)?;
    check_description(&body.description)?;
    let delay_days = body.lock_configuration.as_ref().map(LockConfiguration::days).transpose()?;
    let rule = RetentionRule {
        id: new_id(),
        account: call.account().to_owned(),
        region: call.region.to_owned(),
        description: body.description,
        kind: read_kind(&body.resource_type)?,
        retention_days: body.retention_period.days()?,
        resource_tags: read_rule_tags(body.resource_tags, RESOURCE_TAGS_MAX)?,
        excluded_tags: read_rule_tags(body.exclude_resource_tags, EXCLUDED_TAGS_MAX)?,
        tags: read_tags(body.tags)?,
        available: call.world.clock().after(call.now, PENDING),
        lock: delay_days.map(|delay_days| RuleLock { delay_days, ends: None }),
    };
    check_tags(&rule)?;
    if rule.lock.is_some() && (rule.is_of_tags() || !rule.excluded_tags.is_empty()) {
        return Err(invalid("Only rules for a whole region, without exclusions, can be locked"));
    }
    let mut answer = describe(call, &rule);
    answer["Tags"] = write_tags(&rule.tags);
    call.world.state.change(|change| {
        let rules = change.tables().retention_rules.values();
        if rules.filter(|other| call.owns(&other.account, &other.region)).count() >= RULES_MAX {
            let message = format!("The account has {RULES_MAX} retention rules already");
            let fault = Fault::client("ServiceQuotaExceededException", message);
            return Err(fault.with_status(402).with_reason("SERVICE_QUOTA_EXCEEDED"));
        }
        change.put(rule);
        Ok(())
    })?;
    Ok((201, Some(answer)))
}

/// Makes the id of a rule: eleven letters and digits.
fn new_id() -> String {
    const LETTERS: &[u8; 64] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ01";
    let mut random = [0_u8; 11];
    // A machine without random numbers has no access key either: it does not come here.
    let _ = getrandom::fill(&mut random);
    random.iter().map(|byte| char::from(LETTERS[usize::from(byte % 64)])).collect()
}
