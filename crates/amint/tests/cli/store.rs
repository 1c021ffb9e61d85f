//! Commands on the store.

use crate::support::amint;

#[test]
fn an_empty_store_says_so_and_lists_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let ran = amint(folder.path(), &["images"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""));
    assert!(ran.stderr.contains("amint build"), "{}", ran.stderr);
    assert_eq!(amint(folder.path(), &["--json", "images"]).stdout.trim(), "[]");
}

#[test]
fn an_image_that_is_not_there_ends_with_3_wherever_it_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["show", "web"][..], &["rm", "web"], &["export", "web", "web.raw"], &["test", "web:1"]]
    {
        let ran = amint(folder.path(), arguments);
        assert_eq!(ran.code, Some(3), "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("web"), "{}", ran.stderr);
    }
    assert!(!folder.path().join("web.raw").exists());
}

#[test]
fn a_disk_in_another_format_is_never_taken_for_a_raw_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut bytes = b"QFI\xfb\0\0\0\x03".to_vec();
    bytes.resize(1024 * 1024, 0);
    std::fs::write(folder.path().join("disk.raw"), bytes).unwrap();
    let ran = amint(folder.path(), &["test", "./disk.raw"]);
    assert_eq!(ran.code, Some(3));
    assert!(ran.stderr.contains("qcow2"), "{}", ran.stderr);
}

#[test]
fn gc_of_an_empty_store_frees_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let ran = amint(folder.path(), &["gc", "--json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let summary: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(summary["bytes_freed"], 0);
}
