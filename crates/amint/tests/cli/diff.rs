//! `amint diff`.

use std::fs;

use serde_json::Value;

use crate::scan::tree;
use crate::support::amint;

#[test]
fn exit_codes_tell_same_different_and_unread_apart() {
    let folder = tempfile::tempdir().unwrap();
    tree(folder.path(), "old", &[("bash", "5.2-1"), ("curl", "8.14.1-1"), ("gone", "1")]);
    tree(folder.path(), "same", &[("bash", "5.2-1"), ("curl", "8.14.1-1"), ("gone", "1")]);
    tree(folder.path(), "new", &[("bash", "5.2-1"), ("curl", "8.14.1-2"), ("fresh", "2")]);
    fs::create_dir(folder.path().join("nothing")).unwrap();
    let diff = |arguments: &[&str]| amint(folder.path(), &[&["diff", "--no-advisories"], arguments].concat());
    let ran = diff(&["./old", "./same"]);
    assert_eq!(ran.code, Some(0), "{} {}", ran.stdout, ran.stderr);
    let ran = diff(&["./old", "./new"]);
    assert_eq!(ran.code, Some(1), "{} {}", ran.stdout, ran.stderr);
    for word in ["curl", "8.14.1-1", "8.14.1-2", "gone", "fresh"] {
        assert!(ran.stdout.contains(word), "{word}: {}", ran.stdout);
    }
    assert!(!ran.stdout.contains("bash"), "{}", ran.stdout);
    let ran = diff(&["./old", "./nothing"]);
    assert_eq!(ran.code, Some(3), "{} {}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("no operating system was found"), "{}", ran.stderr);
    let ran = diff(&["./old", "./not-there"]);
    assert_eq!(ran.code, Some(3), "{} {}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("not-there") && ran.stderr.contains("hint: "), "{}", ran.stderr);
}

#[test]
fn a_difference_is_one_document_for_programs() {
    let folder = tempfile::tempdir().unwrap();
    tree(folder.path(), "old", &[("curl", "8.14.1-1")]);
    tree(folder.path(), "new", &[("curl", "8.14.1-2")]);
    let ran = amint(folder.path(), &["diff", "./old", "./new", "--no-advisories", "--json"]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert!(document.to_string().contains("8.14.1-2"), "{document:#}");
}
