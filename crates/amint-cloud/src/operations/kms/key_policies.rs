use serde::Deserialize;
use serde_json::{Value, json};

use super::{check_policy, check_state, find, not_found, own};
use crate::operations::Call;
use crate::operations::json::read;
use crate::protocol::Fault;
use crate::records::KmsKey;

/// The one policy of a key.
const NAME: &str = "default";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Put {
    key_id: String,
    policy_name: Option<String>,
    policy: String,
    #[serde(rename = "BypassPolicyLockoutSafetyCheck")]
    _bypass_policy_lockout_safety_check: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Get {
    key_id: String,
    policy_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct List {
    key_id: String,
}

/// Keeps another policy with a key. It is not looked at.
pub(crate) fn put_key_policy(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    let request: Put = read(body)?;
    check_name(request.policy_name.as_deref())?;
    check_policy(&request.policy)?;
    call.world.state.change(|change| {
        let key = own(call, change, &request.key_id)?;
        check_state(&key)?;
        change.put(KmsKey { policy: request.policy, ..key });
        Ok::<_, Fault>(())
    })?;
    Ok(json!({}))
}

/// Tells the policy of a key.
pub(crate) fn get_key_policy(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    let request: Get = read(body)?;
    check_name(request.policy_name.as_deref())?;
    let key = find(call, &call.tables(), &request.key_id)?;
    Ok(json!({ "Policy": key.policy, "PolicyName": NAME }))
}

/// Lists the policies of a key: there is one.
pub(crate) fn list_key_policies(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    let request: List = read(body)?;
    find(call, &call.tables(), &request.key_id)?;
    Ok(json!({ "PolicyNames": [NAME], "Truncated": false }))
}

fn check_name(name: Option<&str>) -> Result<(), Fault> {
    match name {
        None | Some(NAME) => Ok(()),
        Some(other) => Err(not_found(&format!("The policy '{other}'"))),
    }
}
