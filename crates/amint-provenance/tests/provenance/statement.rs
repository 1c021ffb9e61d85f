//! Statements of other programs, and of later versions of this one.

use amint_provenance::{Statement, StatementError, VerifyError, check_subject, provenance};
use amint_types::Digest;
use serde_json::{Value, json};

use super::support::input;

fn changed(change: impl FnOnce(&mut Value)) -> Result<Statement, StatementError> {
    let mut value = serde_json::to_value(provenance(&input())).unwrap();
    change(&mut value);
    Statement::from_json(&serde_json::to_vec(&value).unwrap())
}

#[test]
fn unknown_fields_are_left_aside() {
    let read = changed(|value| {
        value["vendor_field"] = json!({ "deep": [1, 2] });
        value["subject"][0]["vendor_field"] = json!(1);
        value["predicate"]["vendor_field"] = json!(1);
        value["predicate"]["buildDefinition"]["internalParameters"]["vendor_field"] = json!(1);
        value["predicate"]["runDetails"]["builder"]["vendor_field"] = json!(1);
        value["predicate"]["runDetails"]["metadata"]["vendor_field"] = json!(1);
    });
    assert_eq!(read.unwrap(), provenance(&input()));
}

#[test]
fn null_and_absent_are_the_same() {
    let null = changed(|value| {
        value["predicate"]["buildDefinition"]["internalParameters"] = Value::Null;
        value["predicate"]["buildDefinition"]["resolvedDependencies"] = Value::Null;
        value["predicate"]["buildDefinition"]["externalParameters"]["lock"] = Value::Null;
        value["predicate"]["runDetails"]["byproducts"] = Value::Null;
        value["predicate"]["runDetails"]["metadata"] = Value::Null;
        value["subject"][0]["annotations"] = Value::Null;
    });
    let remove = |value: &mut Value, name: &str| {
        value.as_object_mut().unwrap().remove(name);
    };
    let absent = changed(|value| {
        remove(&mut value["predicate"]["buildDefinition"], "internalParameters");
        remove(&mut value["predicate"]["buildDefinition"], "resolvedDependencies");
        remove(&mut value["predicate"]["buildDefinition"]["externalParameters"], "lock");
        remove(&mut value["predicate"]["runDetails"], "byproducts");
        remove(&mut value["predicate"]["runDetails"], "metadata");
        remove(&mut value["subject"][0], "annotations");
    });
    assert_eq!(null.unwrap(), absent.unwrap());
}

#[test]
fn unknown_parameters_of_the_user_are_refused() {
    let read = changed(|value| {
        value["predicate"]["buildDefinition"]["externalParameters"]["sneaky"] = json!("x");
    });
    assert!(matches!(read, Err(StatementError::Predicate { .. })), "{read:?}");
}

#[test]
fn other_types_are_told_apart() {
    let read = changed(|value| value["_type"] = json!("https://in-toto.io/Statement/v0.1"));
    assert!(matches!(read, Err(StatementError::Type { .. })), "{read:?}");
    let read = changed(|value| {
        value["predicateType"] = json!("https://in-toto.io/attestation/vulns/v0.1");
        value["predicate"] = json!({});
    });
    assert!(matches!(read, Err(StatementError::PredicateType { .. })), "{read:?}");
    let read = changed(|value| {
        value["predicate"]["buildDefinition"] = json!({ "buildType": "urn:amint:build:2" });
    });
    assert!(matches!(read, Err(StatementError::BuildType { .. })), "{read:?}");
    let read = changed(|value| value["predicate"] = json!({}));
    assert!(matches!(read, Err(StatementError::Predicate { .. })), "{read:?}");
    let read =
        changed(|value| value["predicate"]["runDetails"]["builder"]["id"] = json!("https://example.com"));
    assert!(matches!(read, Err(StatementError::Builder { .. })), "{read:?}");
    for text in ["", "{}", "[]", "null", "{\"_type\":1}", "\u{1}"] {
        let read = Statement::from_json(text.as_bytes());
        assert!(matches!(read, Err(StatementError::Form { .. })), "{text:?}: {read:?}");
    }
}

#[test]
fn subjects_need_digests() {
    let read = changed(|value| value["subject"] = json!([]));
    assert!(matches!(read, Err(StatementError::NoSubject)), "{read:?}");
    let read = changed(|value| value["subject"] = json!([{ "name": "web:1.4.0" }]));
    assert!(matches!(read, Err(StatementError::SubjectDigest { .. })), "{read:?}");
    let many = vec![json!({ "digest": { "sha256": "00" } }); 1025];
    let read = changed(|value| value["subject"] = json!(many));
    assert!(matches!(read, Err(StatementError::Predicate { .. })), "{read:?}");
}

#[test]
fn subject_must_have_name_and_digest_in_one() {
    let statement = provenance(&input());
    let (image, digest) = ("web:1.4.0".parse().unwrap(), Digest::of(b"manifest"));
    check_subject(&statement, &image, digest).unwrap();
    let refused = [
        check_subject(&statement, &image, Digest::of(b"other")),
        check_subject(&statement, &"web:1.4.1".parse().unwrap(), digest),
        check_subject(&statement, &"web".parse().unwrap(), digest),
    ];
    let told = refused[1].as_ref().unwrap_err().to_string();
    assert!(told.ends_with(&format!("but about `web:1.4.0` with {digest}")), "{told}");
    for result in refused {
        assert!(matches!(result, Err(VerifyError::Subject { .. })), "{result:?}");
    }
    let mut crossed = statement;
    crossed.subject.push(crossed.subject[0].clone());
    crossed.subject[0].digest.insert("sha256".to_owned(), Digest::of(b"other").to_string());
    crossed.subject[1].name = Some("other:1".to_owned());
    assert!(check_subject(&crossed, &image, digest).is_err());
}
