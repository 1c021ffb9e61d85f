//! `amint check`.

use crate::support::{amint, repository};

#[test]
fn shows_every_error_of_a_broken_recipe_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let broken = repository().join("tests/recipes/broken.toml");
    let ran = amint(folder.path(), &["check", broken.to_str().unwrap()]);
    assert_eq!(ran.code, Some(3));
    let places = ran.stderr.matches("broken.toml:").count();
    assert!(places >= 12, "{places} places:\n{}", ran.stderr);
    assert!(ran.stderr.contains("help") || ran.stderr.contains("hint"), "{}", ran.stderr);
    assert!(ran.stdout.is_empty());
}

#[test]
fn gives_the_same_errors_as_data() {
    let folder = tempfile::tempdir().unwrap();
    let broken = repository().join("tests/recipes/broken.toml");
    let ran = amint(folder.path(), &["check", "--json", broken.to_str().unwrap()]);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let diagnostics = document["diagnostics"].as_array().unwrap();
    assert!(diagnostics.len() >= 12);
    assert!(
        diagnostics.iter().all(|item| item["line"].as_u64() > Some(0) && item["column"].as_u64() > Some(0))
    );
    assert_eq!(document["exit_code"], 3);
}

#[test]
fn names_a_recipe_that_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let ran = amint(folder.path(), &["check", "nowhere.toml"]);
    assert_eq!(ran.code, Some(3));
    assert!(ran.stderr.contains("nowhere.toml"), "{}", ran.stderr);
}
