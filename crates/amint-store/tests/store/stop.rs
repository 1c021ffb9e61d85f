//! Work that the user stops leaves nothing half done.

use amint_types::{BLOCK_BYTES, Cancel};

use super::support::{Disk, Scene, assert_sound, files_below, reference, request};

#[test]
fn a_put_that_is_stopped_half_way_stores_nothing_and_gives_its_space_back() {
    let scene = Scene::new();
    scene.put("web:1", &[1, 2]);
    let before = files_below(&scene.root().join("blocks"));
    let cancel = Cancel::new();
    let progress = |done, _| {
        if done >= 8 * BLOCK_BYTES {
            cancel.cancel();
        }
    };
    let disk = Disk::new((1..40).collect::<Vec<_>>());
    let error = scene.store.put(&request("web:2"), &disk, &progress, &cancel).unwrap_err();
    assert!(error.is_cancelled(), "{error:?}");
    assert_eq!(scene.store.images(true).unwrap().len(), 1);
    assert_eq!(files_below(&scene.root().join("blocks")), before);
    assert_sound(&scene.store);
}

#[test]
fn a_collection_and_a_check_stop_when_asked() {
    let scene = Scene::new();
    scene.put("web:1", &[1, 2]);
    scene.store.remove(&reference("web:1")).unwrap();
    scene.put("web:2", &[2, 3]);
    let cancel = Cancel::new();
    cancel.cancel();
    assert!(scene.store.gc(false, &cancel).unwrap_err().is_cancelled());
    assert!(scene.store.check(&|_, _| {}, &cancel).unwrap_err().is_cancelled());
    assert_sound(&scene.store);
    assert_eq!(scene.store.gc(false, &Cancel::new()).unwrap().blocks_removed, 1);
}
