//! The command line itself.

use crate::support::amint;

#[test]
fn a_wrong_command_line_ends_with_2_and_says_what_would_fit() {
    let folder = tempfile::tempdir().unwrap();
    let ran = amint(folder.path(), &["imagse"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("images"), "{}", ran.stderr);
    assert_eq!(amint(folder.path(), &["show", "Not A Name"]).code, Some(2));
}

#[test]
fn help_and_version_end_with_0() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["--help"][..], &["build", "--help"], &["--version"]] {
        let ran = amint(folder.path(), arguments);
        assert_eq!(ran.code, Some(0));
        assert!(ran.stderr.is_empty() && !ran.stdout.is_empty());
    }
}

#[test]
fn completions_know_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let ran = amint(folder.path(), &["completions", "bash"]);
    assert_eq!(ran.code, Some(0));
    for command in ["build", "test", "shell", "images", "export"] {
        assert!(ran.stdout.contains(command));
    }
}

#[test]
fn the_schema_is_the_committed_one() {
    let folder = tempfile::tempdir().unwrap();
    let ran = amint(folder.path(), &["schema"]);
    let committed = crate::support::repository().join("docs/reference/amint.schema.json");
    assert_eq!(ran.stdout, std::fs::read_to_string(committed).unwrap());
}
