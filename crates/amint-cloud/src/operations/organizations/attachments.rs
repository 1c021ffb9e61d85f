use serde::Deserialize;
use serde_json::{Value, json};

use super::{ROOT, find};
use crate::operations::Call;
use crate::operations::json::read;
use crate::protocol::Fault;
use crate::records::OrganizationPolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Pair {
    policy_id: String,
    target_id: String,
}

/// Lets a policy hold for an account, or below the root for all.
pub(crate) fn attach_policy(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    set(call, &read(body)?, |policy, target| {
        if !policy.targets.insert(target.to_owned()) {
            let message = "The selected policy is already attached to the specified target.";
            return Err(Fault::client("DuplicatePolicyAttachmentException", message));
        }
        Ok(())
    })
}

/// Lets a policy hold no longer.
pub(crate) fn detach_policy(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    set(call, &read(body)?, |policy, target| {
        if !policy.targets.remove(target) {
            let message = "The policy isn't attached to the specified target in the specified root.";
            return Err(Fault::client("PolicyNotAttachedException", message));
        }
        Ok(())
    })
}

fn set(
    call: &Call<'_>,
    request: &Pair,
    edit: impl FnOnce(&mut OrganizationPolicy, &str) -> Result<(), Fault>,
) -> Result<Value, Fault> {
    let target = request.target_id.as_str();
    let is_account = target.len() == 12 && target.bytes().all(|letter| letter.is_ascii_digit());
    if target != ROOT && !is_account {
        let message = "We can't find a root, OU, account, or policy with the TargetId that you specified.";
        return Err(Fault::client("TargetNotFoundException", message));
    }
    call.world.state.change(|change| {
        let mut policy = OrganizationPolicy::clone(&*find(change.tables(), &request.policy_id)?);
        edit(&mut policy, target)?;
        policy.changed = call.now;
        change.put(policy);
        Ok::<_, Fault>(())
    })?;
    Ok(json!({}))
}
