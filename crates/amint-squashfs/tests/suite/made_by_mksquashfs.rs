//! Images of all forms that `mksquashfs` makes.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt as _, symlink};
use std::path::Path;

use amint_fs::{FileSystem as _, Kind, find, read_file};
use tempfile::TempDir;

use crate::support::{Image, With, compare, noise, run, text};

/// Fills a folder with a bit of everything. Times have whole seconds, as a squashfs keeps no others.
fn fill(folder: &Path) {
    let at = |name: &str| folder.join(name);
    fs::create_dir_all(at("etc/deep/er")).unwrap();
    fs::create_dir(at("empty folder")).unwrap();
    fs::create_dir(at("many")).unwrap();
    for number in 0..700 {
        let name =
            format!("many/file {number} with a name that is long enough to need several blocks of names");
        fs::write(at(&name), format!("{number}\n")).unwrap();
    }
    fs::write(at("empty"), b"").unwrap();
    fs::write(at("etc/small"), noise(2000, 1)).unwrap();
    fs::write(at("etc/deep/odd"), noise(300_001, 3)).unwrap();
    fs::write(at("etc/deep/er/whole"), text(1 << 20)).unwrap();
    fs::write(at("text"), text(1_000_000)).unwrap();
    fs::write(at("twin"), text(1_000_000)).unwrap();
    let sparse = File::create(at("sparse")).unwrap();
    sparse.write_all_at(&text(10_000), 700_000).unwrap();
    sparse.set_len(3_000_000).unwrap();
    File::create(at("all hole")).unwrap().set_len(1 << 20).unwrap();
    fs::hard_link(at("text"), at("etc/same text")).unwrap();
    symlink("etc/deep/../small", at("link")).unwrap();
    symlink("x".repeat(1000), at("long link")).unwrap();
    fs::write(at("n\u{e4}me\\ with \"all\"\n"), b"x").unwrap();
    let path = |name: &str| at(name).to_str().unwrap().to_owned();
    assert!(run("chmod", &["4750", &path("etc/small")]));
    for name in ["etc/small", "etc/deep", "text"] {
        assert!(run(
            "setfattr",
            &["-n", "user.note", "-v", "the same value of some length in all three", &path(name)]
        ));
    }
    assert!(run("setfattr", &["-n", "user.large", "-v", &"v".repeat(3000), &path("text")]));
    if rustix::process::geteuid().is_root() {
        assert!(run("chown", &["1234:70000", &path("etc/deep/odd")]));
        assert!(run("mkfifo", &[&path("pipe")]));
        assert!(run("mknod", &[&path("disk"), "b", "8", "17"]));
        assert!(run("mknod", &[&path("high"), "c", "259", "70000"]));
        let capability = "0x0100000200200000000000000000000000000000";
        assert!(run("setfattr", &["-n", "security.capability", "-v", capability, &path("etc/small")]));
        assert!(run("setfattr", &["-h", "-n", "trusted.of.link", "-v", "yes", &path("link")]));
        assert!(run("setfattr", &["-n", "trusted.of.pipe", "-v", "yes", &path("pipe")]));
        assert!(run("setfattr", &["-n", "trusted.of.disk", "-v", "yes", &path("disk")]));
    }
    assert!(run("find", &[&path(""), "-exec", "touch", "-h", "-d", "2020-03-04 05:06:07", "{}", "+"]));
}

fn check(options: &[&str]) {
    let source = TempDir::new().unwrap();
    fill(source.path());
    let Some(image) = Image::make(source.path(), options) else { return };
    let fs = image.open();
    assert!(compare(&fs, source.path(), With::Source) > 715, "all files are there");
    if let Some(mount) = image.mount() {
        compare(&fs, &mount.0, With::Kernel);
    }
}

#[test]
fn reads_gzip() {
    check(&["-comp", "gzip"]);
}

#[test]
fn reads_xz_with_filters_and_small_dictionaries() {
    check(&["-comp", "xz", "-Xbcj", "x86", "-Xdict-size", "25%"]);
}

#[test]
fn reads_zstd_with_large_blocks() {
    check(&["-comp", "zstd", "-b", "1M"]);
}

#[test]
fn reads_lz4_with_small_blocks() {
    check(&["-comp", "lz4", "-b", "4096"]);
}

#[test]
fn reads_lzo() {
    check(&["-comp", "lzo"]);
}

#[test]
fn reads_lzma() {
    check(&["-comp", "lzma"]);
}

#[test]
fn reads_what_is_not_compressed() {
    check(&["-comp", "gzip", "-noI", "-noD", "-noF", "-noX", "-noId"]);
}

#[test]
fn reads_without_fragments_exports_and_padding() {
    check(&["-comp", "zstd", "-no-fragments", "-no-exports", "-nopad", "-no-duplicates"]);
}

#[test]
fn reads_with_all_tails_in_fragments() {
    check(&["-comp", "lz4", "-always-use-fragments"]);
}

#[test]
fn reads_pseudo_files() {
    let source = TempDir::new().unwrap();
    fs::write(source.path().join("file"), b"content").unwrap();
    let options = [
        "-p",
        "dev d 755 0 5",
        "-p",
        "dev/console c 600 1 2 5 1",
        "-p",
        "dev/sda b 660 3 4 8 0",
        "-p",
        "dev/made f 644 7 8 echo made",
        "-p",
        "pipe i 622 0 0 f",
        "-p",
        "socket i 600 0 0 s",
    ];
    let Some(image) = Image::make(source.path(), &options) else { return };
    let fs = image.open();
    let node = |path: &str| fs.node(find(&fs, path.as_bytes()).unwrap()).unwrap();
    assert_eq!(node("dev").mode, 0o755);
    assert_eq!((node("dev").uid, node("dev").gid), (0, 5));
    assert_eq!((node("dev/console").kind, node("dev/console").device), (Kind::CharDevice, Some((5, 1))));
    assert_eq!((node("dev/sda").kind, node("dev/sda").device), (Kind::BlockDevice, Some((8, 0))));
    assert_eq!(node("pipe").kind, Kind::Pipe);
    assert_eq!(node("socket").kind, Kind::Socket);
    assert_eq!(read_file(&fs, b"dev/made", 100).unwrap(), b"made\n");
}

#[test]
fn files_are_in_the_order_of_their_positions() {
    let source = TempDir::new().unwrap();
    fs::write(source.path().join("a"), noise(500_000, 1)).unwrap();
    fs::write(source.path().join("b"), noise(500_000, 2)).unwrap();
    fs::write(source.path().join("small"), b"small").unwrap();
    fs::write(source.path().join("empty"), b"").unwrap();
    let Some(image) = Image::make(source.path(), &[]) else { return };
    let fs = image.open();
    let position = |name: &[u8]| fs.position(find(&fs, name).unwrap()).unwrap();
    let bytes = fs::read(image.path()).unwrap();
    let start = usize::try_from(position(b"a").unwrap()).unwrap();
    assert!(bytes[start..].starts_with(&noise(100, 1)), "noise is stored as it is");
    assert!(position(b"a") < position(b"b"));
    assert!(position(b"small").is_some());
    assert_eq!(position(b"empty"), None);
    assert_eq!(fs.info().kind, "squashfs");
    assert_eq!(fs.info().block_bytes, 128 << 10);
    assert!(fs.info().size_bytes <= bytes.len() as u64);
}

#[test]
fn several_threads_read_at_once() {
    let source = TempDir::new().unwrap();
    fill(source.path());
    let Some(image) = Image::make(source.path(), &[]) else { return };
    let fs = image.open();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert!(read_file(&fs, b"etc/same text", 1 << 30).unwrap() == text(1_000_000)));
        }
    });
}
