//! The policy that allows what amint does, and nothing else.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::calls::{CALLS, Call, Guard, Need, Purpose};
use crate::wanted::MANAGED_TAG;

/// What a policy is asked for.
#[expect(clippy::struct_excessive_bools, reason = "what a policy allows, each by itself")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyRequest {
    /// What it shall allow.
    pub purpose: Purpose,
    /// In which regions; all of them when empty.
    pub regions: BTreeSet<String>,
    /// The partition of the regions: `aws`, `aws-cn`, `aws-us-gov`.
    pub partition: String,
    /// The accounts that images are shared with; none when empty.
    pub accounts: BTreeSet<String>,
    /// Whether images get a date of deprecation.
    pub is_deprecating: bool,
    /// Whether images are protected from being deregistered.
    pub is_protecting: bool,
    /// Whether images get watermarks.
    pub is_watermarking: bool,
    /// Below which path channels are (`/golden/web`); none when there are none.
    pub parameter: Option<String>,
    /// The roles in other accounts that get copies, by their ARNs.
    pub roles: BTreeSet<String>,
    /// Whether images are encrypted with keys that are named.
    pub is_encrypting: bool,
    /// Whether images are shared with organizations.
    pub is_sharing_with_organizations: bool,
    /// The ARN of the role by which AWS Marketplace takes images in; any role when there is none.
    pub access_role: Option<String>,
    /// Whether that role may be made.
    pub is_making_role: bool,
    /// Whether images may be copied from one region to another.
    pub is_copying: bool,
}

/// Writes the policy as IAM takes it.
pub fn policy(request: &PolicyRequest) -> Value {
    let calls: Vec<&Call> = CALLS.iter().filter(|call| is_needed(request, call)).collect();
    let mut statements = Vec::new();
    for guard in [Guard::Listing, Guard::NewSnapshot, Guard::NewPair, Guard::NewImage] {
        let actions = actions(&calls, guard);
        if actions.is_empty() {
            continue;
        }
        match guard {
            Guard::Listing => statements.push(Statement::new("Look", actions, &["*"]).region().of(request)),
            Guard::NewSnapshot => statements
                .push(Statement::new("BeginSnapshots", actions, &["snapshot"]).tag("Request").of(request)),
            Guard::NewPair => statements.push(
                Statement::new("CopyImages", actions, &["image", "snapshot"]).tag("Request").of(request),
            ),
            // The image is new, its snapshot is there: two statements, for they are held to different tags.
            _ => {
                let image = Statement::new("MakeImages", actions.clone(), &["image"]).tag("Request");
                let snapshot = Statement::new("OfOwnSnapshots", actions, &["snapshot"]).tag("Resource");
                statements.extend([image.of(request), snapshot.of(request)]);
            }
        }
    }
    for (name, guard, kind) in
        [("TouchOwnSnapshots", Guard::OwnSnapshot, "snapshot"), ("TouchOwnImages", Guard::OwnImage, "image")]
    {
        let (sharing, plain): (Vec<&str>, Vec<&str>) =
            actions(&calls, guard).into_iter().partition(|action| *action == SHARE_SNAPSHOT);
        if !plain.is_empty() {
            statements.push(Statement::new(name, plain, &[kind]).tag("Resource").of(request));
        }
        if !sharing.is_empty() {
            let accounts: Vec<&String> = request.accounts.iter().collect();
            let statement = Statement::new("ShareOwnSnapshots", sharing, &[kind]).tag("Resource");
            // There is no such key for images: who may be given those, policies cannot tell.
            statements.push(statement.only("StringEquals", "ec2:Add/userId", &json!(accounts)).of(request));
        }
    }
    let parameters = actions(&calls, Guard::Parameter);
    if let Some(path) = request.parameter.as_ref().filter(|_| !parameters.is_empty()) {
        statements.push(channels(request, &parameters, path));
    }
    statements.extend(selling(request, &calls));
    let account = actions(&calls, Guard::Account);
    if !account.is_empty() {
        statements.push(json!({ "Sid": "LookAhead", "Effect": "Allow", "Action": account, "Resource": "*" }));
    }
    let assumed = actions(&calls, Guard::Assumed);
    if !assumed.is_empty() {
        let roles = &request.roles;
        statements
            .push(json!({ "Sid": "GoElsewhere", "Effect": "Allow", "Action": assumed, "Resource": roles }));
    }
    let keys = actions(&calls, Guard::Key);
    if !keys.is_empty() {
        let actions: Vec<&str> = keys.into_iter().chain(KEY_USES).collect();
        let places: BTreeSet<&str> = if request.regions.is_empty() {
            ["*"].into()
        } else {
            request.regions.iter().map(String::as_str).collect()
        };
        let resources: Vec<String> =
            places.iter().map(|region| format!("arn:{}:kms:{region}:*:key/*", request.partition)).collect();
        statements
            .push(json!({ "Sid": "UseKeys", "Effect": "Allow", "Action": actions, "Resource": resources }));
    }
    let makers: Vec<&str> = calls
        .iter()
        .filter(|call| matches!(call.guard, Guard::NewSnapshot | Guard::NewImage | Guard::NewPair))
        .filter_map(|call| call.action.split_once(':').map(|(_, operation)| operation))
        .collect();
    if !makers.is_empty() {
        let statement = Statement::new("TagWhatIsMade", vec![CREATE_TAGS], &["image", "snapshot"]);
        statements.push(statement.only("StringEquals", "ec2:CreateAction", &json!(makers)).of(request));
    }
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// Allows what channels need: their parameters, and to tag those that are made.
fn channels(request: &PolicyRequest, actions: &[&'static str], path: &str) -> Value {
    let mut actions = actions.to_vec();
    // No request of its own either.
    actions.push(TAG_PARAMETERS);
    actions.sort_unstable();
    let anywhere = BTreeSet::from(["*".to_owned()]);
    let regions = if request.regions.is_empty() { &anywhere } else { &request.regions };
    let resources: Vec<String> = regions
        .iter()
        .map(|region| format!("arn:{}:ssm:{region}:*:parameter{path}/*", request.partition))
        .collect();
    json!({ "Sid": "MoveChannels", "Effect": "Allow", "Action": actions, "Resource": resources })
}

/// Allows what AWS Marketplace's catalog and the access role need.
fn selling(request: &PolicyRequest, calls: &[&Call]) -> Vec<Value> {
    let mut statements = Vec::new();
    let catalog = actions(calls, Guard::Catalog);
    if !catalog.is_empty() {
        // The catalog knows one region, and entities whose ids are not known before.
        statements.push(json!({ "Sid": "Sell", "Effect": "Allow", "Action": catalog, "Resource": "*" }));
    }
    let role = actions(calls, Guard::Role);
    if !role.is_empty() {
        let any = || format!("arn:{}:iam::*:role/*", request.partition);
        let arn = request.access_role.clone().unwrap_or_else(any);
        statements.push(json!({ "Sid": "AccessRole", "Effect": "Allow", "Action": role, "Resource": arn }));
        let service =
            json!({ "StringEquals": { "iam:PassedToService": "assets.marketplace.amazonaws.com" } });
        statements.push(json!({
            "Sid": "PassAccessRole", "Effect": "Allow", "Action": [PASS_ROLE], "Resource": arn, "Condition": service,
        }));
    }
    statements
}

/// No requests of their own: EBS sends them for whoever writes encrypted snapshots ("Control access to EBS direct APIs",
/// permissions to use KMS keys).
const KEY_USES: [&str; 7] = [
    "kms:CreateGrant",
    "kms:Decrypt",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
];
/// No request of its own: the catalog asks for it when a change names the role.
const PASS_ROLE: &str = "iam:PassRole";
/// What the service asks for when a parameter is made with tags.
const TAG_PARAMETERS: &str = "ssm:AddTagsToResource";
/// No request of its own: the service asks for it when something is made with tags.
const CREATE_TAGS: &str = "ec2:CreateTags";
const SHARE_SNAPSHOT: &str = "ec2:ModifySnapshotAttribute";

fn is_needed(request: &PolicyRequest, call: &Call) -> bool {
    let is_asked = match call.need {
        Need::Always => true,
        Need::Sharing => !request.accounts.is_empty() || request.is_sharing_with_organizations,
        Need::Deprecation => request.is_deprecating,
        Need::Protection => request.is_protecting,
        Need::Watermarks => request.is_watermarking,
        Need::Copying => request.is_copying,
        Need::Channels => request.parameter.is_some(),
        Need::RoleMaking => request.is_making_role,
        Need::Keys => request.is_encrypting,
        Need::Roles => !request.roles.is_empty(),
    };
    is_asked && call.is_for(request.purpose)
}

fn actions(calls: &[&Call], guard: Guard) -> Vec<&'static str> {
    calls.iter().filter(|call| call.guard == guard).map(|call| call.action).collect()
}

/// A statement that is being put together.
struct Statement {
    name: &'static str,
    actions: Vec<&'static str>,
    kinds: Vec<&'static str>,
    conditions: Map<String, Value>,
    is_held_to_region: bool,
}

impl Statement {
    fn new(name: &'static str, actions: Vec<&'static str>, kinds: &[&'static str]) -> Self {
        Self { name, actions, kinds: kinds.to_vec(), conditions: Map::new(), is_held_to_region: false }
    }

    fn region(mut self) -> Self {
        self.is_held_to_region = true;
        self
    }

    fn only(mut self, operator: &str, key: &str, value: &Value) -> Self {
        if let Value::Object(keys) =
            self.conditions.entry(operator.to_owned()).or_insert_with(|| Value::Object(Map::new()))
        {
            keys.insert(key.to_owned(), value.clone());
        }
        self
    }

    /// Holds it to what has amint's tag (`Resource`) or gets it (`Request`).
    fn tag(self, which: &str) -> Self {
        self.only("StringEquals", &format!("aws:{which}Tag/{MANAGED_TAG}"), &json!("true"))
    }

    fn of(self, request: &PolicyRequest) -> Value {
        let regions: Vec<&str> = request.regions.iter().map(String::as_str).collect();
        let statement = if self.is_held_to_region && !regions.is_empty() {
            self.only("StringEquals", "aws:RequestedRegion", &json!(regions))
        } else {
            self
        };
        let places = if regions.is_empty() { vec!["*"] } else { regions };
        let mut resources = Vec::new();
        for kind in &statement.kinds {
            if *kind == "*" {
                resources.push("*".to_owned());
                continue;
            }
            for region in &places {
                resources.push(format!("arn:{}:ec2:{region}::{kind}/*", request.partition));
            }
        }
        let mut value = json!({
            "Sid": statement.name,
            "Effect": "Allow",
            "Action": statement.actions,
            "Resource": resources,
        });
        if !statement.conditions.is_empty() {
            value["Condition"] = Value::Object(statement.conditions);
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(purpose: Purpose) -> PolicyRequest {
        PolicyRequest {
            purpose,
            regions: ["eu-west-1".to_owned()].into(),
            partition: "aws".to_owned(),
            accounts: BTreeSet::new(),
            is_deprecating: false,
            is_protecting: false,
            is_watermarking: false,
            is_copying: false,
            parameter: None,
            access_role: None,
            is_making_role: false,
            roles: BTreeSet::new(),
            is_encrypting: false,
            is_sharing_with_organizations: false,
        }
    }

    fn everything(purpose: Purpose) -> PolicyRequest {
        PolicyRequest {
            accounts: ["111122223333".to_owned()].into(),
            is_deprecating: true,
            is_protecting: true,
            is_watermarking: true,
            is_copying: true,
            parameter: Some("/golden/web".to_owned()),
            is_making_role: true,
            is_encrypting: true,
            roles: ["arn:aws:iam::111122223333:role/publisher".to_owned()].into(),
            is_sharing_with_organizations: true,
            ..request(purpose)
        }
    }

    fn allowed(policy: &Value) -> BTreeSet<String> {
        let statements = policy["Statement"].as_array().unwrap().iter();
        let actions = statements.flat_map(|statement| statement["Action"].as_array().unwrap());
        actions.map(|action| action.as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn a_policy_allows_the_calls_of_its_purpose_and_nothing_else() {
        for purpose in [Purpose::Publish, Purpose::Verify, Purpose::Collect, Purpose::Promote, Purpose::Sell]
        {
            let sent = CALLS.iter().filter(|call| call.is_for(purpose) && call.guard != Guard::Free);
            let mut sent: BTreeSet<String> = sent.map(|call| call.action.to_owned()).collect();
            if purpose == Purpose::Publish {
                sent.insert(CREATE_TAGS.to_owned());
                sent.extend(KEY_USES.map(str::to_owned));
            }
            if purpose == Purpose::Sell {
                sent.insert(PASS_ROLE.to_owned());
            }
            if matches!(purpose, Purpose::Publish | Purpose::Promote) {
                sent.insert(TAG_PARAMETERS.to_owned());
            }
            assert_eq!(allowed(&policy(&everything(purpose))), sent, "{purpose:?}");
        }
    }

    #[test]
    fn what_is_not_asked_for_is_not_allowed() {
        let found = allowed(&policy(&request(Purpose::Publish)));
        for action in ["ec2:ModifyImageAttribute", "ec2:CopyImage", "ec2:EnableImageDeprecation"] {
            assert!(!found.contains(action), "{action}");
        }
    }

    #[test]
    fn every_change_is_held_to_the_region_and_to_what_amint_made() {
        for purpose in [Purpose::Publish, Purpose::Collect, Purpose::Promote] {
            for statement in policy(&everything(purpose))["Statement"].as_array().unwrap() {
                if statement["Sid"] == "Look" {
                    assert_eq!(
                        statement["Condition"]["StringEquals"]["aws:RequestedRegion"],
                        json!(["eu-west-1"])
                    );
                    continue;
                }
                if statement["Sid"] == "LookAhead" {
                    continue;
                }
                if statement["Sid"] == "GoElsewhere" {
                    assert_eq!(statement["Resource"], json!(["arn:aws:iam::111122223333:role/publisher"]));
                    continue;
                }
                if statement["Sid"] == "UseKeys" {
                    assert_eq!(statement["Resource"], json!(["arn:aws:kms:eu-west-1:*:key/*"]));
                    continue;
                }
                if statement["Sid"] == "MoveChannels" {
                    let only = json!(["arn:aws:ssm:eu-west-1:*:parameter/golden/web/*"]);
                    assert_eq!(statement["Resource"], only);
                    continue;
                }
                for resource in statement["Resource"].as_array().unwrap() {
                    assert!(resource.as_str().unwrap().starts_with("arn:aws:ec2:eu-west-1::"), "{resource}");
                }
                let keys = statement["Condition"]["StringEquals"].as_object().unwrap();
                let is_held = |key: &String| key.contains("amint:managed") || key == "ec2:CreateAction";
                assert!(keys.keys().any(is_held), "{statement}");
            }
        }
    }

    #[test]
    fn snapshots_go_only_to_the_accounts_that_were_named() {
        let policy = policy(&everything(Purpose::Publish));
        let statements = policy["Statement"].as_array().unwrap();
        let sharing = statements.iter().find(|statement| statement["Sid"] == "ShareOwnSnapshots").unwrap();
        assert_eq!(sharing["Condition"]["StringEquals"]["ec2:Add/userId"], json!(["111122223333"]));
    }
}
