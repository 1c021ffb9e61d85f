//! Keys that images are encrypted with, one for each region that has one.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use crate::plan::{Observed, Problem};
use crate::wanted::Wanted;

/// A key of KMS as the cloud describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CloudKey {
    /// Its ARN.
    pub arn: String,
    /// `Enabled`, `Disabled`, `PendingDeletion` and so on.
    pub state: String,
    /// Whether it encrypts what EBS asks it to: it is symmetric, and there for that.
    pub is_for_volumes: bool,
    /// Whether AWS made it: nobody else can be let in.
    pub is_of_aws: bool,
    /// The accounts that its policy lets in; none when the policy could not be read.
    pub accounts: Option<BTreeSet<String>>,
}

/// Finds the accounts that a key's policy lets use it: each principal of an `Allow` without further conditions than that
/// of the service that asks.
pub fn accounts_let_in(policy: &str) -> BTreeSet<String> {
    let Ok(document) = serde_json::from_str::<Value>(policy) else { return BTreeSet::new() };
    let list = |value: &Value| match value {
        Value::Array(all) => all.clone(),
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    };
    let statements = list(&document["Statement"]);
    let allowing = statements.iter().filter(|statement| statement["Effect"] == "Allow");
    let principals = allowing.flat_map(|statement| list(&statement["Principal"]["AWS"]));
    let account = |principal: Value| {
        let text = principal.as_str()?.to_owned();
        let digits =
            text.strip_prefix("arn:").map_or(text.as_str(), |arn| arn.split(':').nth(3).unwrap_or_default());
        (digits.len() == 12 && digits.bytes().all(|letter| letter.is_ascii_digit()))
            .then(|| digits.to_owned())
    };
    principals.filter_map(account).collect()
}

/// Tells why the key of a region cannot be used.
pub(crate) fn key_problems(wanted: &Wanted, observed: &Observed) -> Vec<Problem> {
    let Some(asked) = wanted.settings.keys.get(&observed.region) else { return Vec::new() };
    let problem = |message: String, hint: &str| Problem { message, hint: hint.to_owned() };
    let Some(key) = &observed.key else {
        let message = format!("there is no key {asked} in {}", observed.region);
        return vec![problem(
            message,
            "see `[publish.keys]`: a key's id, its ARN, or an alias such as `alias/golden`",
        )];
    };
    let mut problems = Vec::new();
    if key.state != "Enabled" {
        problems.push(problem(format!("the key {asked} is {}", key.state), "enable it, or name another"));
    }
    if !key.is_for_volumes {
        let message = format!("the key {asked} is not symmetric, and encrypts no volumes");
        problems.push(problem(message, "name a symmetric key for encryption and decryption"));
    }
    let others: Vec<&String> =
        wanted.settings.accounts.iter().filter(|account| **account != observed.account).collect();
    if others.is_empty() && wanted.settings.organizations.is_empty() {
        return problems;
    }
    if key.is_of_aws {
        let message = format!("{asked} is a key of AWS: what it encrypts cannot be shared");
        problems.push(problem(message, "make a key of your own, and name that"));
    } else if let Some(known) = &key.accounts {
        let missing: Vec<&str> = others
            .iter()
            .filter(|account| !known.contains(**account))
            .map(|account| account.as_str())
            .collect();
        if !missing.is_empty() {
            let message = format!("the policy of the key {asked} does not let {} use it", missing.join(", "));
            let hint = "allow them kms:DescribeKey, kms:Decrypt, kms:CreateGrant, kms:ReEncrypt* and \
                        kms:GenerateDataKeyWithoutPlaintext in the key's policy";
            problems.push(problem(message, hint));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_tells_whom_it_lets_in() {
        let policy = r#"{"Statement": [
            {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "kms:*"},
            {"Effect": "Allow", "Principal": {"AWS": ["111122223333", "arn:aws:iam::444455556666:role/x"]}},
            {"Effect": "Deny", "Principal": {"AWS": "777788889999"}},
            {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}}
        ]}"#;
        let found = accounts_let_in(policy);
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["111122223333", "123456789012", "444455556666"]);
        assert!(accounts_let_in("no policy").is_empty());
    }
}
