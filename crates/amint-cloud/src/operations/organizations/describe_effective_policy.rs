use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{ROOT, check_kind};
use crate::operations::Call;
use crate::operations::json::read;
use crate::protocol::Fault;
use crate::records::OrganizationPolicy;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Request {
    policy_type: String,
    target_id: Option<String>,
}

/// Tells what holds for an account: the policies of the root, and then those of the account itself.
pub(crate) fn describe_effective_policy(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    let request: Request = read(body)?;
    check_kind(&request.policy_type)?;
    let account = request.target_id.unwrap_or_else(|| call.account().to_owned());
    let tables = call.tables();
    let mut policies: Vec<(bool, &Arc<OrganizationPolicy>)> = tables
        .organization_policies
        .values()
        .filter(|policy| policy.targets.contains(ROOT) || policy.targets.contains(&account))
        .map(|policy| (!policy.targets.contains(ROOT), policy))
        .collect();
    policies.sort_by_key(|(is_own, policy)| (*is_own, policy.created, policy.id.clone()));
    let Some(changed) = policies.iter().map(|(_, policy)| policy.changed).max() else {
        let message = "If you ran this action on the management account, this policy type is not enabled.";
        return Err(Fault::client("EffectivePolicyNotFoundException", message));
    };
    let mut rules = Map::new();
    for (_, policy) in policies {
        let document: Value = serde_json::from_str(&policy.content).unwrap_or_default();
        for (name, rule) in document["tags"].as_object().into_iter().flatten() {
            let entry = rules.entry(name.to_lowercase()).or_insert_with(|| json!({}));
            for (field, operators) in rule.as_object().into_iter().flatten() {
                inherit(&mut entry[field], operators);
            }
        }
    }
    for (name, rule) in &mut rules {
        if rule["tag_key"].is_null() {
            rule["tag_key"] = name.clone().into();
        }
    }
    Ok(json!({ "EffectivePolicy": {
        "PolicyContent": json!({ "tags": rules }).to_string(),
        "LastUpdatedTimestamp": changed.as_second(),
        "TargetId": account,
        "PolicyType": request.policy_type,
    } }))
}

/// Changes what was inherited by what a policy says ("Inheritance operators").
fn inherit(value: &mut Value, operators: &Value) {
    if let Some(assigned) = operators.get("@@assign") {
        *value = assigned.clone();
    }
    let of = |operator: &str| match operators.get(operator) {
        Some(Value::Array(all)) => all.clone(),
        Some(one) => vec![one.clone()],
        None => Vec::new(),
    };
    let (more, less) = (of("@@append"), of("@@remove"));
    if more.is_empty() && less.is_empty() {
        return;
    }
    let mut all = value.as_array().cloned().unwrap_or_default();
    for one in more {
        if !all.contains(&one) {
            all.push(one);
        }
    }
    all.retain(|one| !less.contains(one));
    *value = Value::Array(all);
}
