//! Disks that are written block by block.

use std::fs::OpenOptions;
use std::io::Write;

use amint_store::{Manifest, Store, manifest_of};
use amint_types::{BlockSource, Cancel, Digest, ImageRef};

use super::support::{BLOCK, Disk, Scene, block_bytes};

fn label() -> ImageRef {
    "snapshot".parse().unwrap()
}

fn seeds_of(store: &Store, digest: Digest, count: u64) -> Vec<Option<Vec<u8>>> {
    let reader = store.disk(digest, label()).unwrap();
    let mut buffer = vec![0; BLOCK];
    (0..count).map(|index| reader.read_block(index, &mut buffer).unwrap().map(|_| buffer.clone())).collect()
}

#[test]
fn blocks_in_any_order_make_the_disk_that_a_put_makes() {
    let scene = Scene::new();
    let writer = scene.store.writer("snap-1").unwrap();
    std::thread::scope(|scope| {
        for (index, seed) in [(2, 9), (0, 7), (1, 0), (3, 5)] {
            let writer = &writer;
            scope.spawn(move || writer.put(index, &block_bytes(seed, BLOCK)).unwrap());
        }
    });
    writer.put(3, &block_bytes(6, BLOCK)).unwrap();
    assert!(writer.put(4, &[1, 2, 3]).is_err());
    let digest = writer.finish(None, 4 * BLOCK as u64, "snap-1").unwrap();
    assert_eq!(digest, manifest_of(&Disk::new([7, 0, 9, 6]), &Cancel::new()).unwrap().digest());
    let blocks = seeds_of(&scene.store, digest, 4);
    assert_eq!(blocks, [7, 0, 9, 6].map(|seed| (seed != 0).then(|| block_bytes(seed, BLOCK))));
}

#[test]
fn a_writer_that_was_killed_goes_on_and_a_collection_leaves_it_its_blocks() {
    let scene = Scene::new();
    let writer = scene.store.writer("snap-1").unwrap();
    writer.put(0, &block_bytes(7, BLOCK)).unwrap();
    writer.put(1, &block_bytes(8, BLOCK)).unwrap();
    drop(writer);
    // What a kill in the middle of a write leaves.
    let list = scene.root().join("writers/snap-1");
    OpenOptions::new().append(true).open(&list).unwrap().write_all(&[1; 17]).unwrap();
    assert_eq!(scene.store.gc(false, &Cancel::new()).unwrap().blocks_removed, 0);
    let writer = scene.store.writer("snap-1").unwrap();
    assert_eq!(writer.blocks().into_keys().collect::<Vec<_>>(), [0, 1]);
    writer.put(2, &block_bytes(9, BLOCK)).unwrap();
    let digest = writer.finish(None, 3 * BLOCK as u64, "snap-1").unwrap();
    drop(writer);
    assert!(!list.exists());
    assert_eq!(scene.store.gc(false, &Cancel::new()).unwrap().blocks_removed, 0);
    assert_eq!(scene.store.pins().unwrap(), [("snap-1".to_owned(), digest)]);
    assert!(scene.store.unpin("snap-1").unwrap());
    assert!(!scene.store.unpin("snap-1").unwrap());
    assert_eq!(scene.store.gc(false, &Cancel::new()).unwrap().blocks_removed, 3);
    assert!(scene.store.disk(digest, label()).is_err());
}

#[test]
fn a_disk_upon_another_has_its_blocks_but_for_those_written() {
    let scene = Scene::new();
    let base = Disk { last_bytes: 1000, ..Disk::new([1, 2, 3, 4]) };
    let record = super::support::put(&scene.store, "web:1", &base).unwrap().record;
    let writer = scene.store.writer("snap-2").unwrap();
    writer.put(1, &block_bytes(0, BLOCK)).unwrap();
    writer.put(2, &block_bytes(30, BLOCK)).unwrap();
    let digest = writer.finish(Some(record.digest), 6 * BLOCK as u64, "snap-2").unwrap();
    drop(writer);
    let mut last = block_bytes(4, 1000);
    last.resize(BLOCK, 0);
    let block = |seed| Some(block_bytes(seed, BLOCK));
    assert_eq!(seeds_of(&scene.store, digest, 6), [block(1), None, block(30), Some(last), None, None]);
    let manifest: Manifest = scene.store.manifest(digest).unwrap();
    assert_eq!(manifest.disk_bytes(), 6 * BLOCK as u64);
    // The base may go: what the other needs of it stays.
    scene.store.remove(&record.reference()).unwrap();
    scene.store.gc(false, &Cancel::new()).unwrap();
    assert_eq!(seeds_of(&scene.store, digest, 1), [block(1)]);
}

#[test]
fn a_disk_that_is_given_up_is_collected_and_names_lead_nowhere_else() {
    let scene = Scene::new();
    let writer = scene.store.writer("snap-1").unwrap();
    writer.put(0, &block_bytes(7, BLOCK)).unwrap();
    // A writer that waits for blocks keeps no collection away.
    assert_eq!(scene.store.gc(false, &Cancel::new()).unwrap().blocks_removed, 0);
    assert_eq!(scene.store.begun().unwrap(), ["snap-1"]);
    scene.store.abandon("snap-1").unwrap();
    drop(writer);
    assert!(scene.store.begun().unwrap().is_empty());
    assert_eq!(scene.store.gc(false, &Cancel::new()).unwrap().blocks_removed, 1);
    for name in ["", "../x", "a/b", &"x".repeat(101)] {
        assert!(scene.store.writer(name).is_err(), "{name}");
    }
}
