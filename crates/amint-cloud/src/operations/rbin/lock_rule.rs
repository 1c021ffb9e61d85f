use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::Value;

use super::{LockConfiguration, RbinRequest, check_unlocked, conflict, describe, own, read};
use crate::operations::Call;
use crate::protocol::Fault;
use crate::records::{RetentionRule, RuleLock};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Body {
    lock_configuration: LockConfiguration,
}

/// Locks a rule for a whole region: it can be neither changed nor removed.
pub(super) fn lock_rule(
    call: &Call<'_>,
    request: &RbinRequest<'_>,
    id: &str,
) -> Result<(u16, Option<Value>), Fault> {
    let delay_days = read::<Body>(request)?.lock_configuration.days()?;
    edit(call, id, |rule| {
        check_unlocked(call, rule)?;
        if rule.is_of_tags() || !rule.excluded_tags.is_empty() {
            return Err(conflict("Only rules for a whole region, without exclusions, can be locked"));
        }
        rule.lock = Some(RuleLock { delay_days, ends: None });
        Ok(())
    })
}

/// Unlocks a rule: it can be changed again once its delay is over.
pub(super) fn unlock_rule(call: &Call<'_>, id: &str) -> Result<(u16, Option<Value>), Fault> {
    edit(call, id, |rule| match &mut rule.lock {
        Some(lock) if lock.ends.is_none() => {
            let delay = SignedDuration::from_hours(24 * lock.delay_days);
            lock.ends = Some(call.world.clock().after(call.now, delay));
            Ok(())
        }
        _ => Err(conflict("The retention rule is not locked")),
    })
}

fn edit(
    call: &Call<'_>,
    id: &str,
    edit: impl FnOnce(&mut RetentionRule) -> Result<(), Fault>,
) -> Result<(u16, Option<Value>), Fault> {
    let answer = call.world.state.change::<_, Fault>(|change| {
        let mut rule = RetentionRule::clone(own(call, change, id)?.as_ref());
        edit(&mut rule)?;
        let answer = describe(call, &rule);
        change.put(rule);
        Ok(answer)
    })?;
    Ok((200, Some(answer)))
}
