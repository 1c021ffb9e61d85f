//! What the writer refuses.

use std::fs::{self, OpenOptions};
use std::os::unix::net::UnixListener;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use amint_disk::ext4::{Ext4Error, Ext4Options, write_tree};
use amint_types::{Cancel, Hint};

use super::support::{Bench, MIB, assert_clean, noise, options, write};

#[test]
fn a_tree_that_does_not_fit_tells_the_size_that_would_do() {
    let bench = Bench::new();
    fs::write(bench.tree().join("file"), noise(20 * MIB)).unwrap();
    let error = write(&bench.tree(), &bench.image(), 0, &options(16 * MIB)).unwrap_err();
    assert!(error.hint().is_some());
    let Ext4Error::TooSmall { needed_bytes, available_bytes } = error else { panic!("{error}") };
    assert_eq!(available_bytes, 16 * MIB);
    assert!(needed_bytes > 20 * MIB && needed_bytes < 30 * MIB, "{needed_bytes}");
}

#[test]
fn a_file_that_changes_while_it_is_read_is_an_error() {
    let bench = Bench::new();
    fs::write(bench.tree().join("a"), noise(8 * MIB)).unwrap();
    let late = bench.tree().join("z");
    fs::write(&late, noise(64 * MIB)).unwrap();
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(bench.image()).unwrap();
    file.set_len(128 * MIB).unwrap();
    let is_done = AtomicBool::new(false);
    let shrink = |_, _| {
        if !is_done.swap(true, Ordering::SeqCst) {
            OpenOptions::new().write(true).open(&late).unwrap().set_len(10).unwrap();
        }
    };
    let error =
        write_tree(&bench.tree(), &file, 0, &options(128 * MIB), &shrink, &Cancel::new()).unwrap_err();
    assert!(matches!(&error, Ext4Error::Changed { path } if *path == late), "{error}");
}

#[test]
fn progress_never_goes_back_and_ends_at_the_total() {
    let bench = Bench::new();
    fs::write(bench.tree().join("a"), noise(8 * MIB)).unwrap();
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(bench.image()).unwrap();
    file.set_len(64 * MIB).unwrap();
    let (last, total) = (AtomicU64::new(0), AtomicU64::new(0));
    let listen = |done, all| {
        assert!(last.swap(done, Ordering::SeqCst) <= done);
        total.store(all, Ordering::SeqCst);
    };
    write_tree(&bench.tree(), &file, 0, &options(64 * MIB), &listen, &Cancel::new()).unwrap();
    assert_eq!(last.load(Ordering::SeqCst), total.load(Ordering::SeqCst));
    assert!(total.into_inner() > 8 * MIB);
}

#[test]
fn a_raised_flag_stops_the_work_before_there_is_a_superblock() {
    let bench = Bench::new();
    fs::write(bench.tree().join("a"), noise(8 * MIB)).unwrap();
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(bench.image()).unwrap();
    file.set_len(64 * MIB).unwrap();
    let cancel = Cancel::new();
    let stop = |_, _| cancel.cancel();
    let error = write_tree(&bench.tree(), &file, 0, &options(64 * MIB), &stop, &cancel).unwrap_err();
    assert!(matches!(error, Ext4Error::Cancelled(_)), "{error}");
    assert!(fs::read(bench.image()).unwrap()[..4096].iter().all(|byte| *byte == 0));
}

#[test]
fn sizes_and_labels_that_no_file_system_can_have_are_refused() {
    let bench = Bench::new();
    let refused = |options: &Ext4Options| write(&bench.tree(), &bench.image(), 0, options).unwrap_err();
    assert!(matches!(refused(&options(64 * MIB + 1)), Ext4Error::InvalidSize { .. }));
    assert!(matches!(refused(&options(MIB)), Ext4Error::TooSmall { .. }));
    let label = "seventeen letters".to_owned();
    assert!(matches!(refused(&Ext4Options { label, ..options(64 * MIB) }), Ext4Error::InvalidLabel { .. }));
}

#[test]
fn a_lost_and_found_that_is_no_directory_is_refused() {
    let bench = Bench::new();
    fs::write(bench.tree().join("lost+found"), b"").unwrap();
    let error = write(&bench.tree(), &bench.image(), 0, &options(16 * MIB)).unwrap_err();
    assert!(matches!(error, Ext4Error::LostAndFound { .. }), "{error}");
}

#[test]
fn a_tree_that_is_not_there_is_named() {
    let bench = Bench::new();
    let missing = bench.path("missing");
    let error = write(&missing, &bench.image(), 0, &options(16 * MIB)).unwrap_err();
    assert!(matches!(&error, Ext4Error::Read { path, .. } if *path == missing), "{error}");
}

#[test]
fn attributes_beyond_one_block_are_refused_by_name() {
    let bench = Bench::new();
    // An ext4 host takes not more than we do, a memory file system of Linux 6.6 does.
    let Ok(memory) = tempfile::TempDir::new_in("/dev/shm") else {
        eprintln!("SKIPPED: this host has no memory file system");
        return;
    };
    let file = memory.path().join("file");
    fs::write(&file, b"").unwrap();
    for name in ["user.a", "user.b", "user.c"] {
        let flags = rustix::fs::XattrFlags::empty();
        if rustix::fs::lsetxattr(&file, name, &[b'x'; 2100], flags).is_err() {
            eprintln!("SKIPPED: this host's memory file system takes no attributes");
            return;
        }
    }
    let error = write(memory.path(), &bench.image(), 0, &options(16 * MIB)).unwrap_err();
    assert!(matches!(&error, Ext4Error::AttributesTooLarge { path } if *path == file), "{error}");
}

#[test]
fn sockets_are_left_out_and_counted() {
    let bench = Bench::new();
    let _listener = UnixListener::bind(bench.tree().join("socket")).unwrap();
    let summary = write(&bench.tree(), &bench.image(), 0, &options(16 * MIB)).unwrap();
    assert_eq!((summary.sockets_skipped, summary.files), (1, 0));
    assert_clean(&bench.image());
}
