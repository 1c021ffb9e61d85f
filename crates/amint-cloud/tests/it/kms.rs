//! Keys of the Key Management Service: names with policies.

use serde_json::{Value, json};

use crate::support::{Answer, Bench, DAY};

fn kms(bench: &Bench, operation: &str, body: &Value) -> Answer {
    bench.target("us-east-1/kms", &format!("TrentService.{operation}"), body)
}

fn did(bench: &Bench, operation: &str, body: &Value) -> Value {
    let answer = kms(bench, operation, body);
    assert_eq!(answer.status, 200, "{operation} {body}: {}", answer.text());
    answer.json()
}

fn refused(bench: &Bench, operation: &str, body: &Value) -> String {
    let answer = kms(bench, operation, body);
    assert_eq!(answer.status, 400, "{operation} {body}: {}", answer.text());
    answer.header("x-amzn-errortype").to_owned()
}

fn create(bench: &Bench) -> String {
    let key = did(bench, "CreateKey", &json!({ "Description": "images" }));
    key["KeyMetadata"]["Arn"].as_str().unwrap().to_owned()
}

#[test]
fn a_key_is_found_by_its_id_its_arn_and_its_aliases() {
    let bench = Bench::new(true);
    let arn = create(&bench);
    let id = arn.rsplit('/').next().unwrap();
    did(&bench, "CreateAlias", &json!({ "AliasName": "alias/images", "TargetKeyId": id }));
    for name in [id, &arn, "alias/images", "arn:aws:kms:us-east-1:123456789012:alias/images"] {
        let found = did(&bench, "DescribeKey", &json!({ "KeyId": name }));
        assert_eq!(found["KeyMetadata"]["Arn"], arn.as_str(), "{name}");
    }
    let of_aws = did(&bench, "DescribeKey", &json!({ "KeyId": "alias/aws/ebs" }));
    assert_eq!(of_aws["KeyMetadata"]["KeyManager"], "AWS");
    assert_eq!(did(&bench, "ListKeys", &json!({}))["Keys"].as_array().unwrap().len(), 2);
    let names = did(&bench, "ListAliases", &json!({ "KeyId": id }));
    assert_eq!(names["Aliases"][0]["AliasName"], "alias/images");
    let other = bench.target("eu-west-1/kms", "TrentService.DescribeKey", &json!({ "KeyId": arn }));
    assert_eq!(other.header("x-amzn-errortype"), "NotFoundException", "keys are of a region");
    did(&bench, "DeleteAlias", &json!({ "AliasName": "alias/images" }));
    assert_eq!(refused(&bench, "DescribeKey", &json!({ "KeyId": "alias/images" })), "NotFoundException");
}

#[test]
fn a_key_goes_when_its_days_are_over() {
    let (bench, time) = Bench::timed();
    let key = json!({ "KeyId": create(&bench) });
    let state = || did(&bench, "DescribeKey", &key)["KeyMetadata"]["KeyState"].clone();
    did(&bench, "DisableKey", &key);
    assert_eq!(state(), "Disabled");
    did(&bench, "EnableKey", &key);
    let schedule = json!({ "KeyId": key["KeyId"], "PendingWindowInDays": 7 });
    did(&bench, "ScheduleKeyDeletion", &schedule);
    assert_eq!(state(), "PendingDeletion");
    assert_eq!(refused(&bench, "EnableKey", &key), "KMSInvalidStateException");
    did(&bench, "CancelKeyDeletion", &key);
    assert_eq!(state(), "Disabled");
    did(&bench, "ScheduleKeyDeletion", &schedule);
    time.pass(7 * DAY);
    assert_eq!(refused(&bench, "DescribeKey", &key), "NotFoundException");
}

#[test]
fn policies_and_grants_are_kept() {
    let bench = Bench::new(true);
    let arn = create(&bench);
    let policy = json!({ "Statement": [] }).to_string();
    did(&bench, "PutKeyPolicy", &json!({ "KeyId": arn, "PolicyName": "default", "Policy": policy }));
    assert_eq!(did(&bench, "GetKeyPolicy", &json!({ "KeyId": arn }))["Policy"], policy);
    let grant = json!({
        "KeyId": arn, "Name": "share", "GranteePrincipal": "arn:aws:iam::111122223333:root",
        "Operations": ["Decrypt", "CreateGrant"],
    });
    let made = did(&bench, "CreateGrant", &grant);
    assert_eq!(did(&bench, "CreateGrant", &grant)["GrantId"], made["GrantId"]);
    let listed = did(&bench, "ListGrants", &json!({ "KeyId": arn }));
    assert_eq!(listed["Grants"][0]["GranteePrincipal"], grant["GranteePrincipal"]);
    let one = json!({ "KeyId": arn, "GrantId": made["GrantId"] });
    did(&bench, "RevokeGrant", &one);
    assert_eq!(refused(&bench, "RevokeGrant", &one), "NotFoundException");
}

#[test]
fn nothing_is_encrypted_and_nobody_is_told_so() {
    let bench = Bench::new(true);
    let arn = create(&bench);
    for (operation, body, code) in [
        ("Encrypt", json!({ "KeyId": arn, "Plaintext": "" }), "UnknownOperationException"),
        ("CreateKey", json!({ "KeySpec": "RSA_2048" }), "UnsupportedOperationException"),
        ("CreateKey", json!({ "Policy": "x" }), "MalformedPolicyDocumentException"),
        (
            "CreateAlias",
            json!({ "AliasName": "alias/aws/x", "TargetKeyId": arn }),
            "InvalidAliasNameException",
        ),
        ("DisableKey", json!({ "KeyId": "alias/aws/ebs" }), "AccessDeniedException"),
        (
            "CreateGrant",
            json!({ "KeyId": arn, "GranteePrincipal": "x", "Operations": ["Fly"] }),
            "ValidationException",
        ),
        ("ScheduleKeyDeletion", json!({ "KeyId": arn, "PendingWindowInDays": 6 }), "ValidationException"),
    ] {
        assert_eq!(refused(&bench, operation, &body), code, "{operation} {body}");
    }
}
