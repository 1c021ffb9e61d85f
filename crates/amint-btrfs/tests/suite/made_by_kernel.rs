//! Images that the kernel writes: subvolumes, snapshots, reserved space, holes, links without number.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::{FileExt as _, symlink};

use amint_fs::{FileSystem as _, Kind, find, read_file};

use crate::support::{Except, Image, Mount, compare, noise, text};

/// Makes what only a mounted file system can hold.
fn fill(mount: &Mount) {
    let at = |name: &str| mount.at(name);
    fs::write(at("plain"), noise(3 << 20, 7)).unwrap();
    fs::write(at("small"), b"small").unwrap();
    // Overwritten in the middle: parts of extents stay.
    let file = OpenOptions::new().read(true).write(true).open(at("plain")).unwrap();
    file.sync_all().unwrap();
    file.write_all_at(&noise(70_000, 8), 1_000_000).unwrap();
    file.sync_all().unwrap();
    file.write_all_at(b"one", 20_000).unwrap();
    // Holes, reserved space, a size beyond all extents.
    let file = fs::File::create(at("sparse")).unwrap();
    file.write_all_at(b"begin", 0).unwrap();
    file.write_all_at(&noise(5000, 9), 10 << 20).unwrap();
    file.set_len((20 << 20) + 5).unwrap();
    mount.run("fallocate", &["-l", "3MiB", "@/reserved"]);
    let file = OpenOptions::new().write(true).open(at("reserved")).unwrap();
    file.write_all_at(&noise(9000, 10), 1 << 20).unwrap();
    fs::write(at("punched"), noise(1 << 20, 11)).unwrap();
    mount.run("fallocate", &["-p", "-o", "100000", "-l", "300000", "@/punched"]);
    mount.run("cp", &["--reflink=always", "@/plain", "@/clone"]);
    fs::write(at("no sums"), b"").unwrap();
    mount.run("chattr", &["+C", "@/no sums"]);
    fs::write(at("no sums"), noise(200_000, 12)).unwrap();
    mount.run("setfattr", &["-n", "user.large", "-v", &"v".repeat(3000), "@/small"]);
    mount.run(
        "setfattr",
        &["-n", "security.capability", "-v", "0x0100000200200000000000000000000000000000", "@/small"],
    );
    mount.run("setfacl", &["-m", "u:1000:rw,g:5:r", "@/small"]);
    mount.run("mknod", &["@/null", "c", "1", "3"]);
    mount.run("mknod", &["@/high", "b", "259", "70000"]);
    mount.run("mkfifo", &["@/pipe"]);
    symlink("a target that is somewhere else", at("link")).unwrap();
    fs::create_dir(at("names")).unwrap();
    for number in 0..400 {
        let name = format!("names/{}-{number}", "a long name that fills the items of references ".repeat(4));
        fs::hard_link(at("small"), at(&name)).unwrap();
    }
}

fn check(mkfs: &[&str], options: &str) {
    let Some(image) = Image::make(200, mkfs) else { return };
    let Some(mount) = image.mount(options) else { return };
    fill(&mount);
    drop(mount);
    let Some(mount) = image.mount("ro") else { return };
    let fs = image.open();
    assert!(compare(&fs, &mount.0, Except::default()) > 410);
}

#[test]
fn reads_what_the_kernel_writes() {
    check(&[], "noatime");
}

#[test]
fn reads_old_forms_that_the_kernel_writes() {
    check(&["-n", "4096", "-O", "^no-holes,^skinny-metadata", "-R", "^free-space-tree"], "max_inline=0");
}

#[test]
fn reads_what_the_kernel_writes_with_other_checksums() {
    check(&["--csum", "xxhash", "--mixed"], "max_inline=2048");
}

#[test]
fn subvolumes_are_folders_where_they_were_made_and_empty_in_snapshots() {
    let Some(image) = Image::make(200, &[]) else { return };
    let Some(mount) = image.mount("noatime") else { return };
    mount.run("btrfs", &["-q", "subvolume", "create", "@/root"]);
    mount.run("btrfs", &["-q", "subvolume", "create", "@/root/var"]);
    mount.run("btrfs", &["-q", "subvolume", "create", "@/gone"]);
    fs::create_dir(mount.at("root/etc")).unwrap();
    fs::write(mount.at("root/etc/hostname"), b"first").unwrap();
    fs::write(mount.at("root/var/log"), text(50_000)).unwrap();
    fs::create_dir(mount.at("snapshots")).unwrap();
    mount.run("btrfs", &["-q", "subvolume", "snapshot", "-r", "@/root", "@/snapshots/1"]);
    fs::write(mount.at("root/etc/hostname"), b"second").unwrap();
    mount.run("btrfs", &["-q", "subvolume", "snapshot", "@/root", "@/snapshots/2"]);
    fs::rename(mount.at("snapshots/2"), mount.at("snapshots/two")).unwrap();
    mount.run("btrfs", &["-q", "subvolume", "delete", "-c", "@/gone"]);
    drop(mount);

    let fs = image.open();
    let Some(mount) = image.mount("ro") else { return };
    compare(&fs, &mount.0, Except::default());
    assert_eq!(read_file(&fs, b"snapshots/1/etc/hostname", 100).unwrap(), b"first");
    assert_eq!(read_file(&fs, b"snapshots/two/etc/hostname", 100).unwrap(), b"second");
    let stub = find(&fs, b"snapshots/1/var").unwrap();
    assert_eq!(fs.node(stub).unwrap().kind, Kind::Folder);
    assert!(find(&fs, b"snapshots/1/var/log").unwrap_err().is_missing());
    let known: Vec<_> = fs
        .subvolumes()
        .into_iter()
        .map(|found| (found.id, found.parent, String::from_utf8(found.name).unwrap(), found.is_read_only))
        .collect();
    let expected = [
        (5, None, "", false),
        (256, Some(5), "root", false),
        (257, Some(256), "var", false),
        (259, Some(5), "1", true),
        (260, Some(5), "two", false),
    ];
    assert_eq!(known, expected.map(|(id, parent, name, ro)| (id, parent, name.to_owned(), ro)));
}

#[test]
fn the_default_subvolume_is_the_root_and_others_can_be_asked_for() {
    let Some(image) = Image::make(200, &[]) else { return };
    let Some(mount) = image.mount("noatime") else { return };
    fs::write(mount.at("top"), b"top").unwrap();
    mount.run("btrfs", &["-q", "subvolume", "create", "@/root"]);
    fs::write(mount.at("root/file"), b"content").unwrap();
    mount.run("btrfs", &["subvolume", "set-default", "@/root"]);
    drop(mount);

    let fs = image.open();
    assert_eq!(read_file(&fs, b"file", 100).unwrap(), b"content");
    assert_eq!(fs.root().tree, 256);
    assert!(fs.info().notes[0].contains("the default subvolume is 256 (`root`)"), "{:?}", fs.info().notes);
    let top = fs.at_subvolume(5).unwrap();
    assert_eq!(read_file(&top, b"top", 100).unwrap(), b"top");
    assert_eq!(read_file(&top, b"root/file", 100).unwrap(), b"content");
    assert!(fs.at_subvolume(99).is_err());
    let Some(mount) = image.mount("ro") else { return };
    compare(&fs, &mount.0, Except::default());
}
