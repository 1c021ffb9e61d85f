//! Documents kept beside an image.

use amint_types::Cancel;

use super::support::{Disk, Scene, reference, request};

#[test]
fn keeps_what_came_with_the_put_and_what_came_later() {
    let scene = Scene::new();
    let mut put = request("web:1");
    put.documents.push(("recipe".to_owned(), b"[image]".to_vec()));
    let record = scene.store.put(&put, &Disk::new([1]), &|_, _| {}, &Cancel::new()).unwrap().record;
    scene.store.put_document(&record, "build-report", b"{}").unwrap();
    assert_eq!(scene.store.document(&record, "recipe").unwrap().unwrap(), b"[image]");
    assert_eq!(scene.store.document(&record, "build-report").unwrap().unwrap(), b"{}");
    assert_eq!(scene.store.document(&record, "sbom").unwrap(), None);
}

#[test]
fn a_later_document_of_the_same_kind_takes_its_place() {
    let scene = Scene::new();
    let record = scene.put("web:1", &[1]).record;
    scene.store.put_document(&record, "build-report", b"first").unwrap();
    scene.store.put_document(&record, "build-report", b"second").unwrap();
    assert_eq!(scene.store.document(&record, "build-report").unwrap().unwrap(), b"second");
}

#[test]
fn the_same_image_put_again_brings_its_documents() {
    let scene = Scene::new();
    for text in ["first", "second"] {
        let mut put = request("web:1");
        put.documents.push(("recipe".to_owned(), text.into()));
        scene.store.put(&put, &Disk::new([1]), &|_, _| {}, &Cancel::new()).unwrap();
    }
    let record = scene.resolve("web:1");
    assert_eq!(scene.store.document(&record, "recipe").unwrap().unwrap(), b"second");
}

#[test]
fn replaced_images_keep_their_own() {
    let scene = Scene::new();
    let old = scene.put("web:1", &[1]).record;
    scene.store.put_document(&old, "recipe", b"old").unwrap();
    let new = scene.put("web:1", &[2]).record;
    assert_eq!(scene.store.document(&new, "recipe").unwrap(), None);
    assert_eq!(scene.store.document(&old, "recipe").unwrap().unwrap(), b"old");
}

#[test]
fn refuses_kinds_that_could_be_a_path() {
    let scene = Scene::new();
    let record = scene.put("web:1", &[1]).record;
    for kind in ["", "../recipe", "Recipe", "a b", &"x".repeat(65)] {
        assert!(scene.store.put_document(&record, kind, b"").is_err(), "{kind:?}");
        let mut put = request("web:2");
        put.documents.push((kind.to_owned(), Vec::new()));
        assert!(scene.store.put(&put, &Disk::new([1]), &|_, _| {}, &Cancel::new()).is_err(), "{kind:?}");
    }
    assert_eq!(scene.store.images(true).unwrap().len(), 1);
}

#[test]
fn an_image_that_is_gone_takes_no_documents() {
    let scene = Scene::new();
    let record = scene.put("web:1", &[1]).record;
    scene.store.remove(&reference("web:1")).unwrap();
    scene.store.gc(false, &Cancel::new()).unwrap();
    assert!(scene.store.put_document(&record, "recipe", b"late").unwrap_err().is_not_found());
    assert_eq!(scene.store.document(&record, "recipe").unwrap(), None);
}
