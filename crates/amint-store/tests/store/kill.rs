//! Killed at any moment, the store opens, is sound, and works.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use amint_store::{OperationState, Store};
use amint_types::Cancel;
use tempfile::TempDir;

use super::child;
use super::support::{Disk, assert_reads_as, assert_sound, files_below, put, reference};

const ROUNDS: u64 = 24;
/// Images that the child puts, replaces and removes in turn.
const IMAGES: u64 = 4;

/// Makes a folder in memory where that can be had: a sync of a busy disk would take nearly all of the time, and
/// catch nearly all of the kills.
fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// Returns the disk that the child puts as `image-N:1` in a turn.
fn disk(turn: u64) -> Disk {
    let own = turn % 7 + 100;
    Disk::new([1, 2, 0, own, own + 50, 3, own + 70, 0, 4 + turn % 3])
}

#[test]
fn a_store_survives_being_killed_at_any_moment() {
    let folder = folder();
    let root = folder.path().join("store");
    let mut interrupted = 0;
    for round in 0..ROUNDS {
        let mut child = child::spawn("kill::child_at_work", &root, round);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // In the first rounds even the making of the store is hit.
        let awaited = if round < 3 { "opening" } else { "working" };
        let is_awaited =
            |line: &std::io::Result<String>| line.as_ref().is_ok_and(|line| line.contains(awaited));
        assert!(lines.any(|line| is_awaited(&line)), "the child never came to {awaited}");
        // Not to wait for anything, but to hit another moment in each round.
        std::thread::sleep(Duration::from_micros(round * 7919 % 60_000));
        child.kill().unwrap();
        child.wait().unwrap();
        interrupted += survey(&root);
        let store = Store::open(&root).unwrap();
        for image in store.images(false).unwrap() {
            let version: u64 = image.version.as_str().parse().unwrap();
            assert_reads_as(&store.reader(&image).unwrap(), &disk(version));
        }
    }
    assert!(interrupted > 0, "no kill hit anything: the rounds are too short");
}

/// Looks at what a kill left, and works on with it; returns how many operations it broke off.
fn survey(root: &Path) -> usize {
    let store = Store::open(root).unwrap();
    assert_sound(&store);
    store.gc(false, &Cancel::new()).unwrap();
    assert!(files_below(&root.join("tmp")).is_empty(), "litter is collected");
    let again = store.gc(true, &Cancel::new()).unwrap();
    assert_eq!((again.blocks_removed, again.manifests_removed, again.images_removed), (0, 0, 0));
    assert_sound(&store);
    put(&store, "image-0:5", &disk(5)).unwrap();
    assert_reads_as(&store.reader(&store.resolve(&reference("image-0:5")).unwrap()).unwrap(), &disk(5));
    let log = store.operations(None).unwrap();
    assert!(log.iter().all(|entry| entry.state != OperationState::Running), "nobody else is at work");
    log.iter().filter(|entry| entry.state == OperationState::Interrupted).count()
}

/// Calls that change files: between any two of them the state on the disk is another one. With each, the distance
/// of the places that are hit: the database's many writes are its own concern, and tested by its makers.
const CALLS: [(&str, usize); 8] = [
    ("mkdir", 1),
    ("renameat2", 1),
    ("unlink", 1),
    ("unlinkat", 1),
    ("rmdir", 1),
    ("syncfs", 1),
    ("fsync", 3),
    ("pwrite64", 7),
];

/// Returns a disk with one block that is not zero. Calls are counted by thread: with more blocks, threads that write
/// them would always be hit before the one that writes the manifest and commits.
fn small_disk(turn: u64) -> Disk {
    Disk::new([0, turn + 10])
}

#[test]
fn a_store_survives_being_killed_before_any_call_that_changes_files() {
    let works = Command::new("strace").args(["-o", "/dev/null", "true"]).status();
    if !works.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: strace is missing or may not trace here");
        return;
    }
    let mut hits = 0;
    for (call, stride) in CALLS {
        for place in (1..).step_by(stride) {
            let folder = folder();
            let root = folder.path().join("store");
            let mut strace = Command::new("strace");
            strace.args(["-f", "-o", "/dev/null", "-e", &format!("trace={call}")]);
            strace.args(["-e", &format!("inject={call}:signal=KILL:when={place}")]);
            strace.arg(std::env::current_exe().unwrap());
            let child = child::command(strace, "kill::child_with_a_short_life", &root, 0).output().unwrap();
            survey(&root);
            if child.status.success() {
                break;
            }
            hits += 1;
        }
    }
    assert!(hits > 20, "only {hits} places were hit");
}

#[test]
#[ignore = "the child of another test"]
fn child_with_a_short_life() {
    let Some((root, _)) = child::task() else { return };
    let store = Store::open(&root).unwrap();
    put(&store, "image-0:1", &small_disk(9)).unwrap();
    put(&store, "image-0:1", &small_disk(1)).unwrap();
    put(&store, "image-0:2", &small_disk(2)).unwrap();
    store.remove(&reference("image-0:2")).unwrap();
    store.gc(false, &Cancel::new()).unwrap();
    put(&store, "image-1:3", &small_disk(3)).unwrap();
    put(&store, "image-1:2", &small_disk(2)).unwrap();
}

#[test]
#[ignore = "the child of another test"]
fn child_at_work() {
    let Some((root, seed)) = child::task() else { return };
    println!("opening");
    let store = Store::open(&root).unwrap();
    println!("working");
    for turn in (seed * 13).. {
        let name = format!("image-{}:{turn}", turn % IMAGES);
        put(&store, &name, &disk(turn)).unwrap();
        if turn % 3 == 1 {
            store.remove(&reference(&name)).unwrap();
        }
        if turn % 5 == 2 {
            store.gc(false, &Cancel::new()).unwrap();
        }
    }
}
