//! Images that `mkfs.btrfs --rootdir` fills.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use amint_fs::FileSystem as _;
use tempfile::TempDir;

use crate::support::{Except, Image, compare, noise, run, text};

/// Fills a folder with a bit of everything.
fn fill(folder: &Path) {
    fs::create_dir_all(folder.join("etc/deep/er")).unwrap();
    fs::create_dir(folder.join("many")).unwrap();
    for number in 0..700 {
        fs::write(folder.join(format!("many/file {number}")), format!("{number}\n")).unwrap();
    }
    fs::write(folder.join("empty"), b"").unwrap();
    fs::write(folder.join("etc/inline"), noise(2000, 1)).unwrap();
    fs::write(folder.join("etc/block"), noise(4096, 2)).unwrap();
    fs::write(folder.join("etc/deep/odd"), noise(100_001, 3)).unwrap();
    fs::write(folder.join("etc/deep/er/large"), noise(5 << 20, 4)).unwrap();
    fs::write(folder.join("text"), text(300_000)).unwrap();
    fs::hard_link(folder.join("text"), folder.join("etc/same text")).unwrap();
    symlink("etc/deep/../inline", folder.join("link")).unwrap();
    symlink("x".repeat(1000), folder.join("long link")).unwrap();
    fs::write(folder.join("n\u{e4}me\\ with \"all\"\n"), b"x").unwrap();
    let path = folder.join("etc/inline");
    let path = path.to_str().unwrap();
    assert!(run("chmod", &["4750", path]) && run("setfattr", &["-n", "user.note", "-v", "hello", path]));
    assert!(run("touch", &["-d", "1965-03-04 05:06:07.891", folder.join("text").to_str().unwrap()]));
    if rustix::process::geteuid().is_root() {
        assert!(run("chown", &["1234:70000", folder.join("etc/block").to_str().unwrap()]));
        assert!(run("mkfifo", &[folder.join("pipe").to_str().unwrap()]));
        assert!(run("mknod", &[folder.join("disk").to_str().unwrap(), "b", "8", "17"]));
    }
}

fn check(mib: u64, options: &[&str]) {
    let source = TempDir::new().unwrap();
    fill(source.path());
    let folder = source.path().to_str().unwrap();
    let Some(image) = Image::make(mib, &[options, &["--rootdir", folder]].concat()) else { return };
    let fs = image.open();
    // Older versions of mkfs store numbers of devices in the form of the C library.
    let except = Except { times: true, folders: true, devices: true, ..Except::default() };
    assert!(compare(&fs, source.path(), except) > 710, "all files are there");
    if let Some(mount) = image.mount("ro") {
        compare(&fs, &mount.0, Except::default());
    }
    assert_eq!(fs.info().size_bytes, mib << 20);
}

#[test]
fn reads_all_that_mkfs_copies_in() {
    check(128, &["-L", "a label", "-U", "12345678-9abc-def0-1234-56789abcdef0"]);
}

#[test]
fn reads_nodes_of_4_kib_and_checksums_of_xxhash() {
    check(128, &["-n", "4096", "--csum", "xxhash"]);
}

#[test]
fn reads_nodes_of_64_kib_and_checksums_of_sha256() {
    check(160, &["-n", "65536", "--csum", "sha256"]);
}

#[test]
fn reads_mixed_groups_and_checksums_of_blake2() {
    check(96, &["--mixed", "--csum", "blake2"]);
}

#[test]
fn reads_explicit_holes_and_single_metadata() {
    check(128, &["-O", "^no-holes,^skinny-metadata", "-R", "^free-space-tree", "-m", "single"]);
}

#[test]
fn tells_label_and_id() {
    let Some(image) = Image::make(128, &["-L", "a label", "-U", "12345678-9abc-def0-1234-56789abcdef0"])
    else {
        return;
    };
    let fs = image.open();
    assert_eq!(fs.info().kind, "btrfs");
    assert_eq!(fs.info().label.as_deref(), Some("a label"));
    assert_eq!(fs.info().uuid.as_deref(), Some("12345678-9abc-def0-1234-56789abcdef0"));
    assert_eq!(fs.info().block_bytes, 4096);
    assert!(fs.info().notes.is_empty());
}
