//! Work folders: private, removed when done with, and told from litter.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use amint_types::Cancel;

use super::support::Scene;

#[test]
fn a_work_folder_goes_with_its_owner() {
    let scene = Scene::new();
    let work = scene.store.temporary().unwrap();
    let path = work.path().to_owned();
    fs::write(path.join("disk.raw"), "bytes").unwrap();
    assert_eq!(fs::read_dir(&path).unwrap().count(), 1, "the folder is all its owner's");
    drop(work);
    assert_eq!(fs::read_dir(scene.root().join("tmp")).unwrap().count(), 0);
}

#[test]
fn removing_opens_folders_that_even_their_owner_may_not_write() {
    let scene = Scene::new();
    let work = scene.store.temporary().unwrap();
    let path = work.path().to_owned();
    fs::create_dir_all(path.join("tree/locked")).unwrap();
    fs::write(path.join("tree/locked/file"), "bytes").unwrap();
    fs::set_permissions(path.join("tree/locked"), Permissions::from_mode(0o555)).unwrap();
    work.remove().unwrap();
    assert!(!path.exists());
}

#[test]
fn collections_spare_folders_in_use_and_folders_kept() {
    let scene = Scene::new();
    let live = scene.store.temporary().unwrap();
    let kept = scene.store.temporary().unwrap().keep();
    let summary = scene.store.gc(false, &Cancel::new()).unwrap();
    assert_eq!((summary.temporary_removed, summary.temporary_live, summary.temporary_kept), (0, 1, 1));
    assert!(live.path().is_dir() && kept.is_dir());
}

#[test]
fn collections_remove_folders_whose_owner_is_gone() {
    let scene = Scene::new();
    let tmp = scene.root().join("tmp");
    // Killed while it worked, before it could lock its folder, and after it had removed the folder.
    fs::create_dir_all(tmp.join("work-1/tree")).unwrap();
    fs::write(tmp.join("work-1.lock"), "gone").unwrap();
    fs::create_dir(tmp.join("work-2")).unwrap();
    fs::write(tmp.join("work-3.lock"), "gone").unwrap();
    let summary = scene.store.gc(false, &Cancel::new()).unwrap();
    assert_eq!(summary.temporary_removed, 3);
    assert_eq!(fs::read_dir(&tmp).unwrap().count(), 0);
}

#[test]
fn a_mark_without_its_folder_is_litter() {
    let scene = Scene::new();
    let kept = scene.store.temporary().unwrap().keep();
    fs::remove_dir(&kept).unwrap();
    scene.store.gc(false, &Cancel::new()).unwrap();
    assert_eq!(fs::read_dir(scene.root().join("tmp")).unwrap().count(), 0);
}
