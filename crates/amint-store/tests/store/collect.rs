//! Collections free what no image needs, and nothing else.

use std::fs;
use std::time::Duration;

use amint_store::{GcSummary, Store, StoreOptions};
use amint_types::{BLOCK_BYTES, Cancel, Digest, Hint};

use super::support::{Disk, Scene, assert_reads_as, assert_sound, files_below, reference};

fn gc(scene: &Scene) -> GcSummary {
    scene.store.gc(false, &Cancel::new()).unwrap()
}

#[test]
fn frees_what_only_removed_and_replaced_images_had() {
    let scene = Scene::new();
    scene.put("web:1", &[1, 2]);
    scene.put("web:1", &[1, 3]);
    scene.put("database:1", &[4, 1]);
    scene.store.remove(&reference("database:1")).unwrap();
    let dry = scene.store.gc(true, &Cancel::new()).unwrap();
    assert_eq!(files_below(&scene.root().join("blocks")).len(), 4, "a dry run removes nothing");
    let summary = gc(&scene);
    assert_eq!(summary, dry, "and tells what a collection does");
    assert_eq!((summary.images_removed, summary.manifests_removed, summary.blocks_removed), (2, 2, 2));
    assert_eq!(summary.bytes_freed, 2 * BLOCK_BYTES + 2 * (24 + 2 * 32));
    assert_reads_as(&scene.reader("web:1"), &Disk::new([1, 3]));
    assert_eq!(scene.store.images(true).unwrap().len(), 1);
    assert_sound(&scene.store);
    assert_eq!(gc(&scene), GcSummary::default(), "nothing is left to collect");
}

#[test]
fn blocks_that_were_collected_are_written_again() {
    let scene = Scene::new();
    scene.put("web:1", &[1, 2]);
    scene.store.remove(&reference("web:1")).unwrap();
    gc(&scene);
    let stored = scene.put("web:1", &[1, 2]);
    assert_eq!(stored.blocks_new, 2);
    assert_reads_as(&scene.reader("web:1"), &Disk::new([1, 2]));
}

#[test]
fn stops_before_anything_is_removed_when_a_manifest_cannot_be_read() {
    let scene = Scene::new();
    let record = scene.put("web:1", &[1, 2]).record;
    scene.put("old:1", &[3]);
    scene.store.remove(&reference("old:1")).unwrap();
    fs::write(scene.root().join("manifests").join(record.digest.to_string()), b"torn").unwrap();
    let before = files_below(&scene.root().join("blocks"));
    let error = scene.store.gc(false, &Cancel::new()).unwrap_err();
    assert!(error.is_corrupt(), "{error:?}");
    assert_eq!(files_below(&scene.root().join("blocks")), before);
}

#[test]
fn a_disk_that_a_pin_keeps_is_read_on_while_a_collection_runs() {
    let scene = Scene::new();
    let digest = scene.put("web:1", &[1, 2]).record.digest;
    scene.store.pin("volume", digest).unwrap();
    let pinned = scene.store.pinned("volume", reference("volume")).unwrap();
    scene.store.remove(&reference("web:1")).unwrap();
    // A reader that has the lock would make this wait.
    assert_eq!(gc(&scene).blocks_removed, 0);
    assert_reads_as(&pinned, &Disk::new([1, 2]));
    assert!(scene.store.pinned("none", reference("none")).is_err());
    scene.store.unpin("volume").unwrap();
    assert_eq!(gc(&scene).blocks_removed, 2);
}

#[test]
fn leaves_files_alone_that_are_not_its_own() {
    let scene = Scene::new();
    scene.put("web:1", &[1]);
    let foreign = [scene.root().join("blocks/NOTES"), scene.root().join("manifests/README.txt")];
    for path in &foreign {
        fs::write(path, "mine").unwrap();
    }
    gc(&scene);
    assert!(foreign.iter().all(|path| path.exists()));
}

#[test]
fn waits_for_readers_and_gives_up_with_a_hint() {
    let scene = Scene::new();
    scene.put("web:1", &[1]);
    let options = StoreOptions { lock_wait: Duration::ZERO, ..StoreOptions::default() };
    let other = Store::open_with(&scene.root(), options).unwrap();
    let reader = scene.reader("web:1");
    scene.store.remove(&reference("web:1")).unwrap();
    let error = other.gc(false, &Cancel::new()).unwrap_err();
    assert!(error.is_busy(), "{error:?}");
    assert!(error.to_string().starts_with("another amint is using the store"), "{error}");
    assert_eq!(error.hint().unwrap(), "try again when it has finished");
    assert_reads_as(&reader, &Disk::new([1]));
    drop(reader);
    assert_eq!(other.gc(false, &Cancel::new()).unwrap().blocks_removed, 1);
}

#[test]
fn a_reader_of_an_image_collected_meanwhile_is_told_so() {
    let scene = Scene::new();
    let record = scene.put("web:1", &[1]).record;
    scene.store.remove(&reference("web:1")).unwrap();
    gc(&scene);
    let error = scene.store.reader(&record).unwrap_err();
    assert!(error.is_not_found() && !error.is_corrupt(), "{error:?}");
    assert_eq!(error.to_string(), "no image `web:1` is in the store");
}

#[test]
fn removes_blocks_that_a_broken_off_put_left() {
    let scene = Scene::new();
    let bytes = b"half a block";
    let name = Digest::of(b"a whole block").to_string();
    let path = scene.root().join("blocks").join(&name[..2]).join(&name[2..]);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, bytes).unwrap();
    let summary = gc(&scene);
    assert_eq!((summary.blocks_removed, summary.bytes_freed), (1, bytes.len() as u64));
    assert!(!path.exists());
}
