//! A full file system: a clear error, nothing half committed, and room again at once.

use std::fs;
use std::process::Command;

use amint_store::Store;
use amint_types::{Cancel, Hint};

use super::child;
use super::support::{Disk, assert_reads_as, assert_sound, files_below, put, reference};

/// Room for the first image and the catalogue, not for the second image.
const TMPFS_BYTES: u64 = 12 << 20;

#[test]
fn a_full_file_system_is_told_and_leaves_the_store_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let mount = format!("mount -t tmpfs -o size={TMPFS_BYTES} tmpfs \"$0\"");
    // A mount of the child's own goes with it, and needs no root where user namespaces are allowed.
    let unshare = ["--user", "--map-root-user", "--mount", "sh", "-c"];
    let probe = Command::new("unshare").args(unshare).arg(&mount).arg(folder.path()).status();
    if !probe.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: no private tmpfs can be mounted here (unshare, mount)");
        return;
    }
    let mut command = Command::new("unshare");
    command.args(unshare).arg(format!("{mount} && exec \"$@\"")).arg(folder.path());
    command.arg(std::env::current_exe().unwrap());
    let output = child::command(command, "disk_full::child_on_a_small_file_system", folder.path(), 0)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("survived"), "{text}");
}

#[test]
#[ignore = "the child of another test"]
fn child_on_a_small_file_system() {
    let Some((root, _)) = child::task() else { return };
    let store = Store::open(&root.join("store")).unwrap();
    let small = Disk::new([1, 2, 3]);
    put(&store, "small:1", &small).unwrap();
    let before = files_below(&root.join("store/blocks"));
    let error = put(&store, "large:1", &Disk::new((100..160).collect::<Vec<_>>())).unwrap_err();
    assert!(error.is_full(), "{error:?}");
    assert!(error.to_string().starts_with("failed to write"), "{error}");
    assert!(error.hint().unwrap().contains("amint gc"), "{:?}", error.hint());
    assert_eq!(files_below(&root.join("store/blocks")), before, "its blocks are gone at once");
    assert_eq!(store.images(true).unwrap().len(), 1);
    // Full to the last byte, the store can still be read.
    fs::write(root.join("ballast"), vec![1; 64 << 20]).unwrap_err();
    let reader = store.reader(&store.resolve(&reference("small")).unwrap()).unwrap();
    assert_reads_as(&reader, &small);
    drop(reader);
    assert!(put(&store, "other:1", &Disk::new([7, 8])).unwrap_err().is_full());
    fs::remove_file(root.join("ballast")).unwrap();
    put(&store, "other:1", &Disk::new([7, 8])).unwrap();
    assert_sound(&store);
    assert_eq!(store.gc(false, &Cancel::new()).unwrap().blocks_removed, 0);
    println!("survived");
}
