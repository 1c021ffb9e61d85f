//! `amint identity`: real documents from files, and the list of certificates.

use std::fs;
use std::net::TcpListener;

use crate::support::{amint, repository};

/// Puts the real documents into `folder`, under the names of their forms.
fn samples(folder: &std::path::Path) {
    let data = repository().join("crates/amint-identity/tests/data");
    for (name, source) in [
        ("a.json", "a-dsa-us-east-1-2016.document.json"),
        ("a.pkcs7", "a-dsa-us-east-1-2016.pkcs7.pem"),
        ("c.json", "c-rsa2048-us-west-2-2021.document.json"),
        ("c.rsa2048", "c-rsa2048-us-west-2-2021.pkcs7.b64"),
    ] {
        fs::copy(data.join(source), folder.join(name)).unwrap();
    }
}

#[test]
fn real_documents_are_verified_and_a_wrong_expectation_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    samples(folder.path());
    let run = |words: &str| amint(folder.path(), &words.split(' ').collect::<Vec<_>>());
    let ran = run("identity verify --document a.json --signature a.pkcs7 --region us-east-1");
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("i-f79fe56c"), "{}", ran.stdout);
    let ran = run("identity verify --document c.json --signature c.rsa2048 --product-code abc --json");
    assert_eq!(ran.code, Some(1), "{}{}", ran.stdout, ran.stderr);
    let value: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&value["reason"], &value["code"]), (&"product-code".into(), &20.into()));
    let ran = run("identity verify --document c.json --signature a.pkcs7");
    assert_eq!(ran.code, Some(1), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("content-differs"), "{}", ran.stdout);
    assert_eq!(run("identity verify --document c.json --signature c.json").code, Some(3));
    assert_eq!(run("identity verify --document c.json --signature none").code, Some(3));
    assert_eq!(run("identity verify --document c.json").code, Some(2));
    let ran = run("identity show --document c.json --signature a.pkcs7");
    assert!(ran.code == Some(0) && ran.stdout.contains("NOT proven"), "{}", ran.stdout);
}

#[test]
fn a_machine_outside_ec2_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let ran = amint(folder.path(), &["identity", "verify", "--endpoint", &endpoint]);
    assert_eq!(ran.code, Some(7), "{}", ran.stderr);
    assert!(ran.stderr.contains("not on EC2"), "{}", ran.stderr);
}

#[test]
fn certificates_are_listed_by_region() {
    let folder = tempfile::tempdir().unwrap();
    let ran = amint(folder.path(), &["identity", "certificates", "--region", "us-east-1"]);
    assert_eq!(ran.stdout.lines().filter(|line| line.contains("until")).count(), 4, "{}", ran.stdout);
    assert!(ran.stdout.contains("  expired  A9CBE1410330DFC5"), "{}", ran.stdout);
    let ran = amint(folder.path(), &["identity", "certificates", "--json"]);
    let value: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(value.as_array().map(Vec::len), Some(90));
    assert_eq!(amint(folder.path(), &["identity", "certificates", "--region", "mars-1"]).code, Some(1));
}
