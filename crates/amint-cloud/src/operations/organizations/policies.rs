use serde::Deserialize;
use serde_json::{Value, json};

use super::{check_kind, find, invalid_input};
use crate::operations::Call;
use crate::operations::json::read;
use crate::operations::page::Pager;
use crate::protocol::Fault;
use crate::records::OrganizationPolicy;

/// The longest tag policy ("Quotas for AWS Organizations", maximum sizes).
const CONTENT_CHARS_MAX: usize = 10_000;
/// The most policies of a kind in an organization (ditto).
const POLICIES_MAX: usize = 1000;
/// How many entries a page has at most (`ListPolicies`, `MaxResults`).
const PAGE_MAX: u64 = 20;
/// What a rule of a tag policy may say ("Tag policy syntax").
const FIELDS: [&str; 4] = ["tag_key", "tag_value", "enforced_for", "report_required_tag_for"];
/// How it may be said ("Inheritance operators").
const OPERATORS: [&str; 4] = ["@@assign", "@@append", "@@remove", "@@operators_allowed_for_child_policies"];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Create {
    content: String,
    description: String,
    name: String,
    #[serde(rename = "Type")]
    kind: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct One {
    policy_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct List {
    filter: String,
    max_results: Option<u64>,
    next_token: Option<String>,
}

/// Makes a policy, which holds for nobody yet.
pub(crate) fn create_policy(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    let request: Create = read(body)?;
    check_kind(&request.kind)?;
    check_content(&request.content)?;
    if !(1..=128).contains(&request.name.chars().count()) {
        return Err(invalid_input("The name has not 1 to 128 characters"));
    }
    let made = call.world.state.change(|change| {
        let policies = &change.tables().organization_policies;
        if policies.values().any(|policy| policy.name == request.name) {
            let message = "A policy with the same name already exists.";
            return Err(Fault::client("DuplicatePolicyException", message));
        }
        if policies.len() >= POLICIES_MAX {
            let message = "You have exceeded the number of policies that you can have in an organization.";
            return Err(Fault::client("ConstraintViolationException", message));
        }
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes).map_err(|_| Fault::internal())?;
        let policy = OrganizationPolicy {
            id: format!("p-{}", &hex::encode(bytes)[..10]),
            account: call.account().to_owned(),
            name: request.name,
            description: request.description,
            kind: request.kind,
            content: request.content,
            targets: std::collections::BTreeSet::new(),
            created: call.now,
            changed: call.now,
        };
        change.put(policy.clone());
        Ok(policy)
    })?;
    Ok(whole(&made))
}

/// Tells of a policy, with its content.
pub(crate) fn describe_policy(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    let request: One = read(body)?;
    Ok(whole(&*find(&call.tables(), &request.policy_id)?))
}

/// Lists the policies of a kind.
pub(crate) fn list_policies(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    let request: List = read(body)?;
    check_kind(&request.filter)?;
    let count = request.max_results;
    if count.is_some_and(|count| !(1..=PAGE_MAX).contains(&count)) {
        return Err(invalid_input("MaxResults has to be between 1 and 20"));
    }
    let pager = Pager::at(call, request.next_token.as_deref(), count)
        .map_err(|_| invalid_input("The provided NextToken is not valid"))?;
    let tables = call.tables();
    let page = pager.page(pager.rest(&tables.organization_policies).cloned().map(Ok))?;
    let policies: Vec<Value> = page.entries.iter().map(|policy| summary(policy)).collect();
    let mut answer = json!({ "Policies": policies });
    if let Some(next) = page.next_token {
        answer["NextToken"] = next.into();
    }
    Ok(answer)
}

/// Removes a policy that is attached to nothing.
pub(crate) fn delete_policy(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    let request: One = read(body)?;
    call.world.state.change(|change| {
        let policy = find(change.tables(), &request.policy_id)?;
        if !policy.targets.is_empty() {
            let message = "The policy is attached to one or more entities.";
            return Err(Fault::client("PolicyInUseException", message));
        }
        change.remove::<OrganizationPolicy>(&policy.id);
        Ok(())
    })?;
    Ok(json!({}))
}

fn summary(policy: &OrganizationPolicy) -> Value {
    json!({
        "Id": policy.id, "Arn": policy.arn(), "Name": policy.name, "Description": policy.description,
        "Type": policy.kind, "AwsManaged": false,
    })
}

fn whole(policy: &OrganizationPolicy) -> Value {
    json!({ "Policy": { "PolicySummary": summary(policy), "Content": policy.content } })
}

fn check_content(content: &str) -> Result<(), Fault> {
    let malformed = |why: &str| {
        let message = format!("The provided policy document does not meet the requirements: {why}");
        Err(Fault::client("MalformedPolicyDocumentException", message))
    };
    if content.chars().count() > CONTENT_CHARS_MAX {
        return malformed("it is too long");
    }
    let Ok(document) = serde_json::from_str::<Value>(content) else {
        return malformed("it is not JSON");
    };
    let Some(rules) = document.get("tags").and_then(Value::as_object) else {
        return malformed("it has no `tags`");
    };
    for (name, rule) in rules {
        let Some(fields) = rule.as_object() else { return malformed(&format!("`{name}` is no object")) };
        for (field, value) in fields {
            let operators = value.as_object().filter(|operators| !operators.is_empty());
            let is_known = operators
                .is_some_and(|operators| operators.keys().all(|name| OPERATORS.contains(&name.as_str())));
            if !FIELDS.contains(&field.as_str()) || !is_known {
                return malformed(&format!("`{field}` of `{name}` is not understood"));
            }
        }
        let key = rule["tag_key"]["@@assign"].as_str();
        if key.is_some_and(|key| !key.eq_ignore_ascii_case(name)) {
            return malformed(&format!("the tag key of `{name}` is another"));
        }
    }
    Ok(())
}
