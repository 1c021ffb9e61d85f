//! The store is its owner's alone: images hold what others must not read.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::support::Scene;

fn modes(folder: &Path, found: &mut Vec<(String, u32)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let metadata = entry.metadata().unwrap();
        let expected = if metadata.is_dir() { 0o700 } else { 0o600 };
        let mode = metadata.permissions().mode() & 0o7777;
        if mode != expected {
            found.push((entry.path().display().to_string(), mode));
        }
        if metadata.is_dir() {
            modes(&entry.path(), found);
        }
    }
}

#[test]
fn nobody_else_can_look_into_any_file_or_folder() {
    let scene = Scene::new();
    scene.put("web:1", &[1, 2]);
    let _work = scene.store.temporary().unwrap();
    let mut wrong = Vec::new();
    modes(&scene.root(), &mut wrong);
    assert!(
        scene.root().join("catalogue.sqlite-wal").exists(),
        "the other files of the database are looked at"
    );
    assert_eq!(wrong, []);
    assert_eq!(fs::metadata(scene.root()).unwrap().permissions().mode() & 0o7777, 0o700);
}
