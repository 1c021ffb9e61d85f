//! Whether a trust policy lets somebody assume its role.
//!
//! Understood are principals of AWS, and one condition: that `sts:ExternalId` equals something. A statement with another
//! condition allows nothing, and denies what it would deny without it.

use serde_json::Value;

use crate::operations::{Caller, CallerKind};

const ACTION: &str = "sts:AssumeRole";

/// Tells whether a policy lets a caller assume its role.
pub(crate) fn is_trusted(policy: &str, caller: &Caller, external_id: Option<&str>) -> bool {
    let is_named = |principal: &Value| {
        principal == "*" || list(&principal["AWS"]).iter().any(|one| is_caller(one, caller))
    };
    is_let_in(policy, is_named, external_id)
}

/// Tells whether a policy lets a service, as `ec2.amazonaws.com`, assume its role.
pub(crate) fn is_service_trusted(policy: &str, service: &str) -> bool {
    is_let_in(policy, |principal| list(&principal["Service"]).iter().any(|one| **one == service), None)
}

fn is_let_in(policy: &str, is_named: impl Fn(&Value) -> bool, external_id: Option<&str>) -> bool {
    let Ok(document) = serde_json::from_str::<Value>(policy) else { return false };
    let statements = list(&document["Statement"]);
    let concerns = |statement: &&Value| is_action(&statement["Action"]) && is_named(&statement["Principal"]);
    let concerning: Vec<&Value> = statements.into_iter().filter(concerns).collect();
    let has = |effect: &str, is_met: &dyn Fn(&Value) -> bool| {
        concerning.iter().any(|statement| statement["Effect"] == effect && is_met(statement))
    };
    let is_met = |statement: &Value| condition(&statement["Condition"], external_id).unwrap_or(false);
    let may_be_met = |statement: &Value| condition(&statement["Condition"], external_id).unwrap_or(true);
    has("Allow", &is_met) && !has("Deny", &may_be_met)
}

fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(all) => all.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

fn is_action(actions: &Value) -> bool {
    list(actions).into_iter().filter_map(Value::as_str).any(|action| {
        action.strip_suffix('*').map_or(action.eq_ignore_ascii_case(ACTION), |start| {
            ACTION.get(..start.len()).is_some_and(|same| same.eq_ignore_ascii_case(start))
        })
    })
}

fn is_caller(principal: &Value, caller: &Caller) -> bool {
    let Some(principal) = principal.as_str() else { return false };
    let is_role = match &caller.kind {
        CallerKind::Session(session) => principal == session.role_arn(),
        _ => false,
    };
    principal == "*"
        || principal == caller.account
        || principal == format!("arn:aws:iam::{}:root", caller.account)
        || principal == caller.arn
        || is_role
}

/// Tells whether a condition is met; none when it is one that is not understood.
fn condition(condition: &Value, external_id: Option<&str>) -> Option<bool> {
    let Some(operators) = condition.as_object() else { return Some(condition.is_null()) };
    let mut is_met = true;
    for (operator, keys) in operators {
        let keys = keys.as_object()?;
        if operator != "StringEquals" || keys.keys().any(|key| key != "sts:ExternalId") {
            return None;
        }
        for wanted in keys.values() {
            is_met &=
                list(wanted).into_iter().any(|one| one.as_str() == external_id && external_id.is_some());
        }
    }
    Some(is_met)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(account: &str, policy: &str, external_id: Option<&str>) -> bool {
        is_trusted(policy, &Caller::root(account, "AKIA"), external_id)
    }

    fn statement(effect: &str, principal: &str, more: &str) -> String {
        format!(r#"{{"Effect": "{effect}", "Principal": {principal}, "Action": "sts:AssumeRole"{more}}}"#)
    }

    fn policy(statements: &[String]) -> String {
        format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, statements.join(","))
    }

    #[test]
    fn principals_are_accounts_and_their_arns() {
        for (principal, is_let_in) in [
            (r#"{"AWS": "111122223333"}"#, true),
            (r#"{"AWS": ["444455556666", "arn:aws:iam::111122223333:root"]}"#, true),
            (r#"{"AWS": "*"}"#, true),
            (r#""*""#, true),
            (r#"{"AWS": "arn:aws:iam::111122223333:user/other"}"#, false),
            (r#"{"AWS": "444455556666"}"#, false),
            (r#"{"Service": "ec2.amazonaws.com"}"#, false),
        ] {
            let policy = policy(&[statement("Allow", principal, "")]);
            assert_eq!(asks("111122223333", &policy, None), is_let_in, "{principal}");
        }
        assert!(!asks("111122223333", "no policy", None));
    }

    #[test]
    fn a_service_is_let_in_by_its_name_only() {
        let policy = policy(&[statement("Allow", r#"{"Service": ["ec2.amazonaws.com", "x"]}"#, "")]);
        assert!(is_service_trusted(&policy, "ec2.amazonaws.com"));
        assert!(!is_service_trusted(&policy, "ssm.amazonaws.com"));
    }

    #[test]
    fn denials_and_conditions_count() {
        let everybody = r#"{"AWS": "*"}"#;
        let allow = statement("Allow", everybody, "");
        let deny = statement("Deny", r#"{"AWS": "111122223333"}"#, "");
        assert!(!asks("111122223333", &policy(&[allow.clone(), deny.clone()]), None));
        assert!(asks("444455556666", &policy(&[allow.clone(), deny]), None));
        let with_id = r#", "Condition": {"StringEquals": {"sts:ExternalId": "secret-1"}}"#;
        let guarded = policy(&[statement("Allow", everybody, with_id)]);
        assert!(asks("111122223333", &guarded, Some("secret-1")));
        assert!(!asks("111122223333", &guarded, Some("other")) && !asks("111122223333", &guarded, None));
        let unknown = r#", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}"#;
        assert!(!asks("111122223333", &policy(&[statement("Allow", everybody, unknown)]), None));
        let denied = statement("Deny", everybody, unknown);
        assert!(!asks("111122223333", &policy(&[allow, denied]), None));
    }
}
