//! Files that a loss of power left under their final names, empty or torn, are not believed.

use std::fs;

use super::support::{BLOCK, Disk, Scene, assert_reads_as, assert_sound, block_bytes, put};

#[test]
fn blocks_that_no_commit_vouches_for_are_compared_before_use() {
    let scene = Scene::new();
    let whole = block_bytes(1, BLOCK);
    let half_zeroes = [&whole[..BLOCK / 2], &vec![0; BLOCK / 2][..]].concat();
    for (seed, content) in [(1, half_zeroes), (2, Vec::new()), (3, block_bytes(3, BLOCK))] {
        let path = scene.block_path(seed);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let disk = Disk::new([1, 2, 3]);
    let stored = put(&scene.store, "web:1", &disk).unwrap();
    assert_eq!((stored.blocks_new, stored.blocks_reused), (2, 1), "only the good one is used as it is");
    assert_reads_as(&scene.reader("web:1"), &disk);
}

#[test]
fn a_torn_manifest_that_no_commit_vouches_for_is_written_anew() {
    let (scene, other) = (Scene::new(), Scene::new());
    let digest = other.put("web:1", &[1, 2]).record.digest;
    fs::write(scene.root().join("manifests").join(digest.to_string()), b"").unwrap();
    assert_eq!(scene.put("web:1", &[1, 2]).record.digest, digest);
    assert_sound(&scene.store);
}
