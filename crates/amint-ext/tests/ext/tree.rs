//! A folder with one of everything.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt as _, PermissionsExt as _, symlink};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, FileType, Mode, Timespec, Timestamps, XattrFlags};

use crate::support::{command, is_root};

/// Bytes that look like nothing and are always the same.
pub(crate) fn noise(count: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    (0..count).map(|_| next()).collect()
}

/// Fills a folder. What needs root is left out for others.
pub(crate) fn fill(root: &Path) {
    files(root);
    for bytes in [1, 59, 60, 61, 100, 500, 1000] {
        symlink("x".repeat(bytes), root.join(format!("link-{bytes}"))).unwrap();
    }
    fs::create_dir_all(root.join("a/b/c/d/e")).unwrap();
    fs::write(root.join("a/b/c/d/e/leaf"), "deep").unwrap();
    fs::hard_link(root.join("a/b/c/d/e/leaf"), root.join("a/same")).unwrap();
    fs::create_dir(root.join("many")).unwrap();
    for number in 0..700 {
        let name = format!("{number}-{}", "n".repeat(number % 120));
        fs::write(root.join("many").join(name), number.to_string()).unwrap();
    }
    fs::create_dir(root.join("few")).unwrap();
    for name in ["one", "two", "three with spaces", "\u{e4}\u{f6}\u{fc}", &"l".repeat(255)] {
        File::create(root.join("few").join(name)).unwrap();
    }
    rustix::fs::mknodat(CWD, root.join("pipe"), FileType::Fifo, Mode::from_raw_mode(0o640), 0).unwrap();
    rustix::fs::mknodat(CWD, root.join("socket"), FileType::Socket, Mode::from_raw_mode(0o600), 0).unwrap();
    fs::set_permissions(root.join("small"), fs::Permissions::from_mode(0o4751)).unwrap();
    fs::set_permissions(root.join("few"), fs::Permissions::from_mode(0o1777)).unwrap();
    attributes(root);
    if is_root() {
        of_root(root);
    }
    times(root);
}

fn files(root: &Path) {
    File::create(root.join("empty")).unwrap();
    fs::write(root.join("small"), "some text\n").unwrap();
    for bytes in [59, 60, 61, 120, 160, 1023, 1024, 5000, 65_536, 70_001] {
        fs::write(root.join(format!("file-{bytes}")), noise(bytes, bytes as u64)).unwrap();
    }
    fs::write(root.join("large"), noise(3_000_000, 7)).unwrap();
    File::create(root.join("nothing")).unwrap().set_len(1_000_000).unwrap();
    let holes = File::create(root.join("holes")).unwrap();
    // Enough pieces for a tree of two levels, and far enough apart for triple indirect blocks of 1 KiB.
    for number in 0..400_u64 {
        holes.write_all_at(&noise(100, number), number * 16_384).unwrap();
    }
    holes.write_all_at(b"end", 40_000_000).unwrap();
}

/// Sets an attribute; a file system of the tests' folder that has none is none of ours.
pub(crate) fn set(path: &Path, name: &str, value: &[u8]) {
    rustix::fs::lsetxattr(path, name, value, XattrFlags::empty()).unwrap();
}

fn attributes(root: &Path) {
    set(&root.join("small"), "user.note", b"hello");
    set(&root.join("small"), "user.empty", b"");
    set(&root.join("file-160"), "user.long", &noise(700, 3));
    set(&root.join("file-60"), "user.a", b"1");
    set(&root.join("few"), "user.folder", b"yes");
}

fn of_root(root: &Path) {
    set(&root.join("small"), "trusted.hidden", b"x");
    set(&root.join("file-5000"), "security.capability", &noise_capability());
    set(&root.join("file-5000"), "security.selinux", b"system_u:object_r:bin_t:s0\0");
    set(&root.join("link-100"), "trusted.on-link", b"y");
    let character = Mode::from_raw_mode(0o600);
    for (name, major, minor) in [("tty", 4, 64), ("wide", 300, 70_000)] {
        let device = rustix::fs::makedev(major, minor);
        rustix::fs::mknodat(CWD, root.join(name), FileType::CharacterDevice, character, device).unwrap();
    }
    let device = rustix::fs::makedev(259, 3);
    rustix::fs::mknodat(CWD, root.join("disk"), FileType::BlockDevice, character, device).unwrap();
    std::os::unix::fs::lchown(root.join("file-1023"), Some(70_000), Some(4_000_000_000)).unwrap();
    std::os::unix::fs::lchown(root.join("link-60"), Some(1000), Some(100)).unwrap();
    let access = ["-m", "u:1000:rw,g:70000:x,m::rwx"];
    if command("setfacl").args(access).arg(root.join("file-61")).status().is_ok() {
        let default = ["-d", "-m", "g:5:rx"];
        assert!(command("setfacl").args(default).arg(root.join("few")).status().unwrap().success());
    }
}

/// The capability to bind low ports.
fn noise_capability() -> [u8; 20] {
    let mut value = [0; 20];
    value[..4].copy_from_slice(&0x0200_0001_u32.to_le_bytes());
    value[5] = 4;
    value
}

/// Gives files times before 1970 and after 2038.
fn times(root: &Path) {
    for (name, seconds) in [("file-59", -1_000_000_000), ("file-61", 4_000_000_000), ("small", 1_700_000_000)]
    {
        let time = Timespec { tv_sec: seconds, tv_nsec: 123_456_789 };
        let times = Timestamps { last_access: time, last_modification: time };
        rustix::fs::utimensat(CWD, root.join(name), &times, AtFlags::SYMLINK_NOFOLLOW).unwrap();
    }
}
