//! What is put is read back, block by block, and only what is new takes space.

use std::sync::Mutex;

use amint_store::{Manifest, StoreError, manifest_of};
use amint_types::{BLOCK_BYTES, BlockSource, Cancel, Hint};
use proptest::prelude::*;

use super::support::{BLOCK, Disk, Scene, assert_reads_as, assert_sound, files_below, put, request};

#[test]
fn reads_back_what_was_put() {
    let scene = Scene::new();
    let disk = Disk::new([1, 0, 2, 3]);
    let stored = put(&scene.store, "web:1", &disk).unwrap();
    assert_eq!((stored.blocks_total, stored.blocks_zero, stored.blocks_new), (4, 1, 3));
    assert_eq!(stored.bytes_written, 3 * BLOCK_BYTES);
    assert_eq!(stored.record.disk_bytes, 4 * BLOCK_BYTES);
    assert_eq!(stored.record.used_bytes, 3 * BLOCK_BYTES);
    assert_reads_as(&scene.reader("web:1"), &disk);
    assert_sound(&scene.store);
}

#[test]
fn keeps_a_block_once_however_often_it_comes() {
    let scene = Scene::new();
    let stored = scene.put("web:1", &[1, 1, 2, 1]);
    assert_eq!((stored.blocks_new, stored.blocks_reused), (2, 2));
    let stored = scene.put("database:1", &[2, 3]);
    assert_eq!((stored.blocks_new, stored.blocks_reused), (1, 1));
    assert_eq!(files_below(&scene.root().join("blocks")).len(), 3);
}

#[test]
fn finds_zero_blocks_that_the_source_does_not_tell() {
    let scene = Scene::new();
    let told = put(&scene.store, "web:1", &Disk::new([1, 0])).unwrap();
    let untold = Disk { knows_holes: false, ..Disk::new([1, 0]) };
    let untold = put(&scene.store, "web:2", &untold).unwrap();
    assert_eq!(untold.blocks_zero, 1);
    assert_eq!(untold.record.digest, told.record.digest);
}

#[test]
fn reads_back_a_last_block_that_is_short() {
    let scene = Scene::new();
    let disk = Disk { last_bytes: 512, ..Disk::new([1, 2]) };
    let stored = put(&scene.store, "web:1", &disk).unwrap();
    assert_eq!(stored.record.disk_bytes, BLOCK_BYTES + 512);
    assert_eq!(stored.record.used_bytes, BLOCK_BYTES + 512);
    assert_reads_as(&scene.reader("web:1"), &disk);
}

#[test]
fn tells_progress_in_rising_order_up_to_the_whole_disk() {
    let scene = Scene::new();
    let told = Mutex::new(Vec::new());
    let progress = |done, total| told.lock().unwrap().push((done, total));
    scene.store.put(&request("web:1"), &Disk::new([1, 0, 2]), &progress, &Cancel::new()).unwrap();
    let total = 3 * BLOCK_BYTES;
    let expected = [(BLOCK_BYTES, total), (2 * BLOCK_BYTES, total), (total, total)];
    assert_eq!(*told.lock().unwrap(), expected);
}

#[test]
fn the_digest_is_the_same_with_and_without_storing() {
    let scene = Scene::new();
    let disk = Disk::new([5, 0, 6]);
    let manifest: Manifest = manifest_of(&disk, &Cancel::new()).unwrap();
    let stored = put(&scene.store, "web:1", &disk).unwrap();
    assert_eq!(stored.record.digest, manifest.digest());
    assert_eq!(scene.store.manifest(stored.record.digest).unwrap(), manifest);
}

#[test]
fn an_image_is_a_source_for_another_store() {
    let (here, there) = (Scene::new(), Scene::new());
    let stored = here.put("web:1", &[1, 0, 2]);
    let copied =
        there.store.put(&request("web:1"), &here.reader("web:1"), &|_, _| {}, &Cancel::new()).unwrap();
    assert_eq!(copied.record.digest, stored.record.digest);
}

#[test]
fn an_image_can_be_put_into_its_own_store() {
    let scene = Scene::new();
    scene.put("web:1", &[1, 0, 2]);
    let reader = scene.reader("web:1");
    let copied = scene.store.put(&request("copy:1"), &reader, &|_, _| {}, &Cancel::new()).unwrap();
    assert_eq!((copied.blocks_new, copied.blocks_reused), (0, 2));
}

#[test]
fn refuses_reads_beyond_the_end_and_into_small_buffers() {
    let scene = Scene::new();
    scene.put("web:1", &[1]);
    let reader = scene.reader("web:1");
    assert!(reader.read_block(1, &mut vec![0; BLOCK]).is_err());
    assert!(reader.read_block(u64::MAX, &mut vec![0; BLOCK]).is_err());
    assert!(reader.read_block(0, &mut vec![0; BLOCK - 1]).is_err());
}

#[test]
fn refuses_a_disk_without_bytes() {
    let scene = Scene::new();
    let empty = Disk { last_bytes: 0, ..Disk::new([1]) };
    let error = put(&scene.store, "web:1", &empty).unwrap_err();
    assert!(matches!(error, StoreError::Disk { .. }), "{error:?}");
    assert_eq!(error.hint(), None);
    assert!(scene.store.images(true).unwrap().is_empty());
}

#[test]
fn a_source_that_fails_stores_nothing_and_leaves_nothing() {
    struct Broken;
    impl BlockSource for Broken {
        fn disk_bytes(&self) -> u64 {
            8 * BLOCK_BYTES
        }
        fn read_block(&self, index: u64, buffer: &mut [u8]) -> std::io::Result<Option<usize>> {
            if index == 5 {
                return Err(std::io::Error::other("the cable was pulled"));
            }
            buffer.fill(7 + u8::try_from(index).unwrap());
            Ok(Some(BLOCK))
        }
    }
    let scene = Scene::new();
    let error = scene.store.put(&request("web:1"), &Broken, &|_, _| {}, &Cancel::new()).unwrap_err();
    assert_eq!(error.to_string(), "failed to read block 5 of the disk to be stored");
    assert!(scene.store.images(true).unwrap().is_empty());
    assert!(files_below(&scene.root().join("blocks")).is_empty(), "space is given back at once");
    assert!(files_below(&scene.root().join("tmp")).is_empty());
}

#[test]
fn a_source_that_gives_fewer_bytes_than_it_told_is_refused() {
    struct Short;
    impl BlockSource for Short {
        fn disk_bytes(&self) -> u64 {
            2 * BLOCK_BYTES
        }
        fn read_block(&self, _: u64, buffer: &mut [u8]) -> std::io::Result<Option<usize>> {
            buffer[..100].fill(1);
            Ok(Some(100))
        }
    }
    let scene = Scene::new();
    let error = scene.store.put(&request("web:1"), &Short, &|_, _| {}, &Cancel::new()).unwrap_err();
    assert!(matches!(error, StoreError::Source { .. }), "{error:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_disk_comes_back_as_it_was(
        seeds in prop::collection::vec(0..5_u64, 1..12),
        last_bytes in 1..=BLOCK,
        knows_holes: bool,
    ) {
        let scene = Scene::new();
        let disk = Disk { seeds, last_bytes, knows_holes };
        let stored = put(&scene.store, "web:1", &disk).unwrap();
        assert_reads_as(&scene.reader("web:1"), &disk);
        let counted = stored.blocks_zero + stored.blocks_new + stored.blocks_reused;
        prop_assert_eq!(counted, disk.seeds.len() as u64);
    }
}
