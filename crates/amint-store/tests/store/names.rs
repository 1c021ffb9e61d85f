//! Who has a name: the newest put of it, until another one takes it.

use amint_store::StoreError;
use amint_types::Hint;

use super::support::{Disk, Scene, assert_reads_as, reference};

#[test]
fn a_name_alone_means_the_newest_put() {
    let scene = Scene::new();
    scene.put("web:2", &[1]);
    scene.put("web:1", &[2]);
    scene.put("database:1", &[3]);
    assert_eq!(scene.resolve("web").version.as_str(), "1");
    assert_eq!(scene.resolve("web:2").version.as_str(), "2");
}

#[test]
fn the_same_bytes_under_the_same_name_change_nothing() {
    let scene = Scene::new();
    let first = scene.put("web:1", &[1, 2]);
    let second = scene.put("web:1", &[1, 2]);
    assert!(!first.unchanged);
    assert!(second.unchanged);
    assert_eq!(second.record, first.record);
    assert_eq!(second.bytes_written, 0);
    assert_eq!(scene.store.images(true).unwrap(), [first.record]);
}

#[test]
fn other_bytes_take_the_name_and_the_older_image_stays_until_collected() {
    let scene = Scene::new();
    let old = scene.put("web:1", &[1, 2]).record;
    let new = scene.put("web:1", &[1, 3]).record;
    assert_eq!(scene.resolve("web:1"), new);
    assert_eq!(scene.store.images(false).unwrap(), std::slice::from_ref(&new));
    let all = scene.store.images(true).unwrap();
    assert_eq!(all.iter().map(|image| image.replaced).collect::<Vec<_>>(), [false, true]);
    assert_reads_as(&scene.store.reader(&all[1]).unwrap(), &Disk::new([1, 2]));
    assert_eq!(all[1].digest, old.digest);
}

#[test]
fn an_image_that_comes_back_takes_its_name_again() {
    let scene = Scene::new();
    let first = scene.put("web:1", &[1]).record;
    scene.put("web:1", &[2]);
    let third = scene.put("web:1", &[1]);
    assert!(!third.unchanged);
    assert_eq!(scene.resolve("web:1").digest, first.digest);
    assert_eq!(scene.store.images(true).unwrap().len(), 3);
}

#[test]
fn removing_takes_the_name_and_the_next_newest_is_found() {
    let scene = Scene::new();
    scene.put("web:1", &[1]);
    scene.put("web:2", &[2]);
    let removed = scene.store.remove(&reference("web")).unwrap();
    assert_eq!(removed.version.as_str(), "2");
    assert_eq!(scene.resolve("web").version.as_str(), "1");
    assert!(scene.store.remove(&reference("web:2")).unwrap_err().is_not_found());
}

#[test]
fn removing_an_image_takes_those_that_it_replaced_along() {
    let scene = Scene::new();
    scene.put("web:1", &[1]);
    scene.put("web:1", &[2]);
    scene.store.remove(&reference("web:1")).unwrap();
    assert!(scene.store.images(true).unwrap().is_empty());
}

#[test]
fn records_say_what_the_put_said() {
    let scene = Scene::new();
    let put = scene.put("web:1.4.0", &[1]).record;
    let found = scene.resolve("web");
    assert_eq!(found, put);
    assert_eq!(found.created_at.to_string(), "2026-11-24T10:00:00.5Z");
    let json = serde_json::to_value(&found).unwrap();
    assert_eq!(json["architecture"], "x86_64");
    assert_eq!(json["version"], "1.4.0");
    assert_eq!(json.get("id"), None, "row numbers are nobody's business");
}

#[test]
fn an_unknown_name_is_answered_with_those_that_look_like_it() {
    let scene = Scene::new();
    scene.put("nginx-proxy:1", &[1]);
    scene.put("database:1", &[1]);
    let error = scene.store.resolve(&reference("nginx-proxi")).unwrap_err();
    assert!(
        matches!(&error, StoreError::NotFound { similar, .. } if similar == &["nginx-proxy"]),
        "{error:?}"
    );
    assert_eq!(error.to_string(), "no image `nginx-proxi` is in the store");
    assert_eq!(error.hint().unwrap(), "the store has `nginx-proxy`");
}

#[test]
fn an_unknown_version_is_answered_with_those_that_exist() {
    let scene = Scene::new();
    scene.put("web:1", &[1]);
    scene.put("web:2", &[2]);
    let error = scene.store.resolve(&reference("web:3")).unwrap_err();
    assert_eq!(error.hint().unwrap(), "the store has `web:2`, `web:1`");
}
