//! Of the next version of a file system only what a change touches is another: what a snapshot or a store of the version
//! before does not have yet.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fs::{self, File};
use std::path::Path;

use amint_disk::ext4::{Ext4Options, write_tree};
use amint_types::Cancel;
use tempfile::TempDir;
use uuid::Uuid;

const MIB: u64 = 1 << 20;
const BLOCK: usize = 512 << 10;

/// Bytes that look like no others.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    // A linear congruential generator (Knuth, The Art of Computer Programming, volume 2, section 3.3.4).
    let mut state = seed + 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..length).map(|_| next()).collect()
}

/// A tree as programs have it: 3,000 files in 60 directories, some 150 MiB.
fn plant(tree: &Path) {
    for directory in 0..60_u64 {
        let folder = tree.join(format!("usr/lib/package{directory}"));
        fs::create_dir_all(&folder).unwrap();
        for file in 0..50_u64 {
            let seed = directory * 50 + file;
            let length = 4096 + usize::try_from(seed * 7919 % 97).unwrap() * 1024;
            fs::write(folder.join(format!("file{file}.so")), noise(seed, length)).unwrap();
        }
    }
}

/// Writes the file system, and returns its blocks.
fn image(tree: &Path, bytes: u64) -> Vec<Vec<u8>> {
    let target = tempfile::tempfile().unwrap();
    target.set_len(bytes).unwrap();
    let options = Ext4Options {
        bytes,
        uuid: Uuid::from_u128(1),
        label: "root".to_owned(),
        hash_seed: Uuid::from_u128(2),
        epoch: 1_700_000_000,
    };
    write_tree(tree, &target, 0, &options, &|_, _| {}, &Cancel::new()).unwrap();
    blocks(target)
}

fn blocks(mut file: File) -> Vec<Vec<u8>> {
    use std::io::{Read, Seek};
    file.rewind().unwrap();
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).unwrap();
    bytes.chunks(BLOCK).map(<[u8]>::to_vec).collect()
}

/// Returns how many blocks carry something, and how many of them differ from those of another disk.
fn compare(old: &[Vec<u8>], new: &[Vec<u8>]) -> (usize, usize) {
    let used = new.iter().filter(|block| block.iter().any(|byte| *byte != 0)).count();
    (used, old.iter().zip(new).filter(|(old, new)| old != new).count())
}

#[test]
fn a_file_that_grows_changes_less_than_a_twentieth_of_the_blocks() {
    let folder = TempDir::new().unwrap();
    plant(folder.path());
    let old = image(folder.path(), 512 * MIB);
    // One file in the middle, one at the beginning, one at the end: each is replaced by one that is 8 KiB longer.
    for (directory, file) in [(30, 20), (0, 3), (59, 48)] {
        let path = folder.path().join(format!("usr/lib/package{directory}/file{file}.so"));
        let before = fs::read(&path).unwrap();
        fs::write(&path, noise(9_999, before.len() + 8192)).unwrap();
        let (used, changed) = compare(&old, &image(folder.path(), 512 * MIB));
        println!("package{directory}/file{file}: {changed} of {used} blocks");
        assert!(changed > 0 && changed * 20 < used, "package{directory}: {changed} of {used}");
        fs::write(&path, before).unwrap();
    }
    // A file more gives all behind it another number: inodes and directories change as well.
    fs::write(folder.path().join("usr/lib/package20/more.so"), noise(9_998, 20_000)).unwrap();
    let (used, changed) = compare(&old, &image(folder.path(), 512 * MIB));
    println!("a file more: {changed} of {used} blocks");
    assert!(changed > 0 && changed * 20 < used, "{changed} of {used}");
}

#[test]
fn where_there_is_no_room_between_groups_the_tree_still_fits() {
    let folder = TempDir::new().unwrap();
    plant(folder.path());
    let least = amint_disk::ext4::minimum_bytes(folder.path()).unwrap();
    let (used, _) = compare(&[], &image(folder.path(), least));
    assert!(used as u64 * BLOCK as u64 <= least);
}
