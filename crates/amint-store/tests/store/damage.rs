//! Damage is found when it is read, told with its place, and healed by putting the same bytes again.

use std::fs;
use std::os::unix::fs::FileExt;

use amint_store::{BlockFault, find_block_error};
use amint_types::{BlockSource, Cancel, Hint};

use super::support::{BLOCK, Disk, Scene, assert_reads_as, assert_sound, put};

fn flip_a_bit(path: &std::path::Path) {
    let file = fs::OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, 4711).unwrap();
    file.write_all_at(&[byte[0] ^ 0x10], 4711).unwrap();
}

#[test]
fn one_flipped_bit_makes_the_read_fail_and_names_the_place() {
    let scene = Scene::new();
    scene.put("web:1", &[1, 0, 2]);
    let path = scene.block_path(2);
    flip_a_bit(&path);
    let reader = scene.reader("web:1");
    let mut buffer = vec![0; BLOCK];
    assert_eq!(reader.read_block(0, &mut buffer).unwrap(), Some(BLOCK), "other blocks are read");
    let error = reader.read_block(2, &mut buffer).unwrap_err();
    assert_eq!(error.to_string(), format!("block 2 of `web:1` is damaged ({})", path.display()));
    let found = find_block_error(&error).unwrap();
    assert!(matches!(found.fault, BlockFault::Digest { .. }), "{found:?}");
    assert!(found.hint().unwrap().starts_with("build the image again"));
}

#[test]
fn a_missing_block_and_a_cut_block_make_the_read_fail() {
    let scene = Scene::new();
    scene.put("web:1", &[1, 2]);
    fs::remove_file(scene.block_path(1)).unwrap();
    fs::OpenOptions::new().write(true).open(scene.block_path(2)).unwrap().set_len(1000).unwrap();
    let reader = scene.reader("web:1");
    let mut buffer = vec![0; BLOCK];
    let missing = reader.read_block(0, &mut buffer).unwrap_err();
    assert!(matches!(find_block_error(&missing).unwrap().fault, BlockFault::Missing));
    let cut = reader.read_block(1, &mut buffer).unwrap_err();
    assert!(matches!(find_block_error(&cut).unwrap().fault, BlockFault::Length { found: 1000, .. }));
}

#[test]
fn a_link_in_place_of_a_block_is_not_followed() {
    let scene = Scene::new();
    scene.put("web:1", &[1]);
    let path = scene.block_path(1);
    let elsewhere = scene.root().join("elsewhere");
    fs::rename(&path, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
    let error = scene.reader("web:1").read_block(0, &mut vec![0; BLOCK]).unwrap_err();
    assert!(matches!(find_block_error(&error).unwrap().fault, BlockFault::Unreadable(_)));
}

#[test]
fn a_check_finds_all_damage_and_names_every_image_that_it_harms() {
    let scene = Scene::new();
    scene.put("web:1", &[1, 2, 3]);
    scene.put("database:1", &[4, 2]);
    assert_sound(&scene.store);
    flip_a_bit(&scene.block_path(2));
    fs::remove_file(scene.block_path(4)).unwrap();
    let summary = scene.store.check(&|_, _| {}, &Cancel::new()).unwrap();
    assert!(!summary.is_sound());
    assert_eq!((summary.images, summary.blocks), (2, 4));
    let places: Vec<_> = summary.problems.iter().map(|found| (found.image.as_str(), found.block)).collect();
    assert_eq!(places, [("database:1", Some(0)), ("database:1", Some(1)), ("web:1", Some(1))]);
    assert!(summary.problems[0].text.ends_with("its file is missing"), "{}", summary.problems[0].text);
}

#[test]
fn damage_that_was_found_is_healed_by_putting_the_same_bytes() {
    let scene = Scene::new();
    scene.put("web:1", &[1, 2, 3]);
    flip_a_bit(&scene.block_path(1));
    flip_a_bit(&scene.block_path(2));
    // One is found by a read, the other by a check.
    assert!(scene.reader("web:1").read_block(0, &mut vec![0; BLOCK]).is_err());
    assert!(!scene.store.check(&|_, _| {}, &Cancel::new()).unwrap().is_sound());
    let stored = scene.put("web:1", &[1, 2, 3]);
    assert!(stored.unchanged);
    assert_eq!((stored.blocks_new, stored.blocks_reused), (2, 1));
    assert_sound(&scene.store);
}

#[test]
fn missing_blocks_are_healed_even_when_nobody_missed_them_yet() {
    let scene = Scene::new();
    scene.put("web:1", &[1, 2]);
    fs::remove_file(scene.block_path(1)).unwrap();
    let disk = Disk::new([3, 1]);
    put(&scene.store, "database:1", &disk).unwrap();
    assert_reads_as(&scene.reader("database:1"), &disk);
    assert_sound(&scene.store);
}

#[test]
fn a_damaged_manifest_is_told_and_healed_the_same_way() {
    let scene = Scene::new();
    let record = scene.put("web:1", &[1, 2]).record;
    let path = scene.root().join("manifests").join(record.digest.to_string());
    flip_last_byte(&path);
    let error = scene.store.reader(&record).unwrap_err();
    assert!(error.is_corrupt(), "{error:?}");
    assert_eq!(error.to_string(), format!("the manifest {} is damaged", path.display()));
    assert_eq!(scene.store.check(&|_, _| {}, &Cancel::new()).unwrap().problems.len(), 1);
    scene.put("web:1", &[1, 2]);
    assert_sound(&scene.store);
}

fn flip_last_byte(path: &std::path::Path) {
    let mut bytes = fs::read(path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(path, bytes).unwrap();
}
