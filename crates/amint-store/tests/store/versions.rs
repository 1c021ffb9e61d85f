//! Stores of other versions, and databases that are no stores.

use std::fs;

use amint_store::{CatalogueError, Store, StoreError};
use amint_types::Hint;
use rusqlite::Connection;

use super::support::Scene;

#[test]
fn refuses_a_store_that_a_newer_amint_used() {
    let scene = Scene::new();
    scene.put("web:1", &[1]);
    let catalogue = scene.root().join("catalogue.sqlite");
    Connection::open(&catalogue).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = Store::open(&scene.root()).unwrap_err();
    let StoreError::Catalogue { source, .. } = &error else { panic!("{error:?}") };
    assert_eq!(source.to_string(), "the store has schema version 99, this amint knows 2");
    assert!(error.hint().unwrap().contains("newer amint"));
}

#[test]
fn refuses_a_database_of_somebody_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("catalogue.sqlite");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE bookmark (url TEXT)").unwrap();
    let error = Store::open(folder.path()).unwrap_err();
    assert!(matches!(&error, StoreError::Catalogue { source: CatalogueError::Foreign, .. }), "{error:?}");
}

#[test]
fn tells_a_damaged_catalogue_from_other_failures() {
    let scene = Scene::new();
    let root = scene.root();
    fs::write(root.join("catalogue.sqlite"), vec![0x55; 8192]).unwrap();
    for extra in ["catalogue.sqlite-wal", "catalogue.sqlite-shm"] {
        fs::remove_file(root.join(extra)).unwrap();
    }
    let error = Store::open(&root).unwrap_err();
    assert!(error.is_corrupt(), "{error:?}");
    assert!(error.hint().is_some());
}

#[test]
fn many_openings_at_once_make_one_store() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("store");
    std::thread::scope(|scope| {
        let openings: Vec<_> = (0..8).map(|_| scope.spawn(|| Store::open(&root).map(drop))).collect();
        for opening in openings {
            opening.join().unwrap().unwrap();
        }
    });
    assert!(Store::open(&root).unwrap().images(true).unwrap().is_empty());
}
