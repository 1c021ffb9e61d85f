//! Several processes at once: whatever one collects, no block of another one's image is lost.

use std::io::{BufRead, BufReader, Read};
use std::time::Duration;

use amint_store::{Store, StoreOptions};
use amint_types::Cancel;

use super::child;
use super::support::{Disk, Scene, assert_reads_as, assert_sound, put, reference};

const TURNS: u64 = 24;
/// A file in the store's folder that tells the collecting child to end.
const ENOUGH: &str = "enough";

/// Blocks that all images share, so that each put races with a collection that wants to remove them.
fn disk(turn: u64) -> Disk {
    Disk::new([1, 2, 3, 0, 10 + turn % 4, 20 + turn])
}

#[test]
fn puts_and_collections_of_other_processes_lose_no_block() {
    let scene = Scene::new();
    let root = scene.root();
    let mut collecting = child::spawn("two_processes::child_that_collects", &root, 0);
    let mut putting: Vec<_> =
        (0..2).map(|number| child::spawn("two_processes::child_that_puts", &root, number)).collect();
    let mut stored = Vec::new();
    for child in &mut putting {
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            stored.extend(line.unwrap().split_once("stored ").map(|(_, name)| name.to_owned()));
        }
    }
    std::fs::write(root.join(ENOUGH), "").unwrap();
    for child in &mut putting {
        assert!(child.wait().unwrap().success());
    }
    assert!(collecting.wait().unwrap().success());
    let log = scene.store.operations(None).unwrap();
    assert!(log.iter().any(|entry| entry.kind == "gc"), "nothing was collected meanwhile");
    assert_eq!(stored.len() as u64, TURNS, "each of the two keeps every second image");
    assert_sound(&scene.store);
    for name in stored {
        let turn: u64 = name.split_once(':').unwrap().1.parse().unwrap();
        assert_reads_as(&scene.reader(&name), &disk(turn));
    }
}

#[test]
fn newcomers_wait_behind_a_collection_that_waits_itself() {
    let scene = Scene::new();
    scene.put("web:1", &[1]);
    let reader = scene.reader("web:1");
    let collecting = Store::open(&scene.root()).unwrap();
    let impatient = StoreOptions { lock_wait: Duration::ZERO, ..StoreOptions::default() };
    let newcomer = Store::open_with(&scene.root(), impatient).unwrap();
    std::thread::scope(|scope| {
        let collection = scope.spawn(|| collecting.gc(false, &Cancel::new()));
        while newcomer.temporary().is_ok() {
            assert!(!collection.is_finished(), "the collection did not wait for the reader");
        }
        // Whoever reads already may put as well: it must not wait for who waits for it.
        put(&scene.store, "web:2", &Disk::new([1, 2])).unwrap();
        drop(reader);
        collection.join().unwrap().unwrap();
    });
    newcomer.temporary().unwrap();
}

#[test]
fn a_live_work_folder_of_another_process_is_spared_and_a_dead_one_collected() {
    let scene = Scene::new();
    let mut child = child::spawn("two_processes::child_with_a_work_folder", &scene.root(), 0);
    let mut line = String::new();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    while !line.contains("made") {
        line.clear();
        assert!(output.read_line(&mut line).unwrap() > 0, "the child ended early");
    }
    let summary = scene.store.gc(false, &Cancel::new()).unwrap();
    assert_eq!((summary.temporary_removed, summary.temporary_live), (0, 1));
    child.kill().unwrap();
    child.wait().unwrap();
    let summary = scene.store.gc(false, &Cancel::new()).unwrap();
    assert_eq!((summary.temporary_removed, summary.temporary_live), (1, 0));
}

#[test]
#[ignore = "the child of another test"]
fn child_that_puts() {
    let Some((root, number)) = child::task() else { return };
    let store = Store::open(&root).unwrap();
    for turn in 0..TURNS {
        let name = format!("image-{number}:{turn}");
        put(&store, &name, &disk(turn)).unwrap();
        let record = store.resolve(&reference(&name)).unwrap();
        assert_reads_as(&store.reader(&record).unwrap(), &disk(turn));
        if turn % 2 == 0 {
            store.remove(&reference(&name)).unwrap();
        } else {
            println!("stored {name}");
        }
    }
}

#[test]
#[ignore = "the child of another test"]
fn child_that_collects() {
    let Some((root, _)) = child::task() else { return };
    let store = Store::open(&root).unwrap();
    loop {
        store.gc(false, &Cancel::new()).unwrap();
        if root.join(ENOUGH).exists() {
            return;
        }
    }
}

#[test]
#[ignore = "the child of another test"]
fn child_with_a_work_folder() {
    let Some((root, _)) = child::task() else { return };
    let work = Store::open(&root).unwrap().temporary().unwrap();
    std::fs::write(work.path().join("disk.raw"), "bytes").unwrap();
    println!("made");
    // Until it is killed.
    let (mut reader, _writer) = std::io::pipe().unwrap();
    reader.read_exact(&mut [0]).unwrap();
}
