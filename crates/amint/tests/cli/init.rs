//! `amint init`.

use crate::support::amint;

#[test]
fn writes_a_recipe_that_check_accepts() {
    let folder = tempfile::tempdir().unwrap();
    let ran = amint(folder.path(), &["init", "My Server"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let ran = amint(folder.path(), &["check", "My Server"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("my-server"), "{}", ran.stderr);
}

#[test]
fn never_overwrites_a_recipe() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("amint.toml"), "precious").unwrap();
    let ran = amint(folder.path(), &["init"]);
    assert_eq!(ran.code, Some(3));
    assert!(ran.stderr.contains("hint:"), "{}", ran.stderr);
    assert_eq!(std::fs::read_to_string(folder.path().join("amint.toml")).unwrap(), "precious");
}
