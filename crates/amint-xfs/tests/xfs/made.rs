//! Images of mkfs.xfs: every node as it was asked for and as `xfs_db` shows it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use amint_fs::{FileSystem, Kind};

use crate::support::{Seen, Thing, Tree, free_ranges, has_tools, make, open, sample_tree, walk, xfs_db};

/// Combinations of features: size in MiB and options.
const COMBINATIONS: [(u64, &str); 16] = [
    (64, "-m crc=0"),
    (64, "-m crc=0 -n ftype=0 -i size=256"),
    (64, "-m crc=0 -n ftype=1 -i size=512,attr=1"),
    (64, "-m crc=0 -n size=16k -b size=1024"),
    (64, "-m crc=0 -l version=1 -b size=512"),
    (64, "-m crc=0 -s size=4096"),
    (64, "-m crc=1,finobt=0,rmapbt=0,reflink=0,bigtime=0,inobtcount=0 -i sparse=0"),
    (64, "-m crc=1,finobt=1,rmapbt=1,reflink=1,bigtime=1,inobtcount=1 -i sparse=1"),
    (64, "-m rmapbt=1 -i nrext64=1 -d agcount=6"),
    (64, "-b size=1024 -d agcount=3 -n size=8192"),
    (64, "-n size=16k"),
    (64, "-n size=64k -b size=4096"),
    (64, "-s size=4096"),
    (64, "-i size=2048 -L volume-label"),
    (64, "-i size=512 -m uuid=3e7a0000-1111-4222-8333-444455556666"),
    (128, "-l su=256k,size=32m -d agcount=2"),
];

#[test]
fn reads_every_node_that_mkfs_made_with_any_features() {
    if !has_tools(&["mkfs.xfs", "xfs_db"]) {
        return;
    }
    let tree = sample_tree();
    let mut read = 0;
    for (megabytes, options) in COMBINATIONS {
        let Some(made) = make(&tree, megabytes, options) else { continue };
        read += 1;
        let fs = open(&made.path).unwrap_or_else(|error| panic!("{options}: {error}"));
        assert_eq!(fs.info().notes, Vec::<String>::new(), "{options}");
        assert_eq!(fs.info().size_bytes, megabytes << 20, "{options}");
        let seen = walk(&fs).unwrap_or_else(|error| panic!("{options}: {error}"));
        compare_with_tree(&seen, &tree, options);
        compare_with_xfs_db(&made.path, &seen, options);
        compare_free(&made.path, &fs, options);
    }
    assert!(read >= 12, "mkfs.xfs refused too much");
}

fn compare_with_tree(seen: &BTreeMap<String, Seen>, tree: &Tree, options: &str) {
    let paths: Vec<&str> = seen.keys().map(String::as_str).skip(1).collect();
    let asked: Vec<&str> = tree.keys().map(String::as_str).collect();
    assert_eq!(paths, asked, "{options}");
    for (path, (thing, mode, uid, gid)) in tree {
        let found = &seen[path];
        let node = found.node;
        // Prototypes know no sticky bit.
        assert_eq!((node.mode, node.uid, node.gid), (mode & 0o6777, *uid, *gid), "{options}: {path}");
        match thing {
            Thing::File(bytes) => {
                assert_eq!((node.kind, node.bytes), (Kind::File, bytes.len() as u64), "{options}: {path}");
                assert_eq!(found.content, *bytes, "{options}: {path}");
            }
            Thing::Folder => assert_eq!(node.kind, Kind::Folder, "{options}: {path}"),
            Thing::Link(target) => assert_eq!(found.target, target.as_bytes(), "{options}: {path}"),
            Thing::Device(kind, major, minor) => {
                assert_eq!(
                    (node.kind, node.device),
                    (*kind, Some((*major, *minor & 0x3_ffff))),
                    "{options}: {path}"
                );
            }
            Thing::Pipe => assert_eq!((node.kind, node.device), (Kind::Pipe, None), "{options}: {path}"),
        }
    }
}

/// Compares numbers and times with what `xfs_db` prints of each inode.
fn compare_with_xfs_db(path: &Path, seen: &BTreeMap<String, Seen>, options: &str) {
    let mut commands = Vec::new();
    for found in seen.values() {
        commands.push(format!("inode {}", found.id.number));
        commands.push(
            "print core.nlinkv2 core.uid core.gid core.size core.mtime core.ctime core.atime".to_owned(),
        );
    }
    let printed = xfs_db(path, &["-r"], &commands);
    let mut lines = printed.lines().map(|line| line.split_once(" = ").map_or(line, |(_, value)| value));
    for (name, found) in seen {
        let node = found.node;
        let mut number = || lines.next().and_then(|line| line.parse::<u64>().ok());
        let numbers = (number(), number(), number(), number());
        assert_eq!(
            numbers,
            (Some(node.nlink), Some(u64::from(node.uid)), Some(u64::from(node.gid)), Some(node.bytes)),
            "{options}: {name}"
        );
        for time in [node.modified, node.changed, node.accessed] {
            let seconds = seconds_of(lines.next().unwrap());
            let nanoseconds = lines.next().unwrap().parse::<u32>().unwrap();
            assert_eq!((seconds, nanoseconds), time, "{options}: {name}");
        }
    }
}

/// Reads `Thu Nov 26 00:30:39 2026`, a time of UTC.
fn seconds_of(text: &str) -> i64 {
    let words: Vec<&str> = text.split_whitespace().collect();
    let month = "JanFebMarAprMayJunJulAugSepOctNovDec".find(words[1]).unwrap() / 3;
    let day: i64 = words[2].parse().unwrap();
    let year: i64 = words[4].parse().unwrap();
    let clock = words[3].split(':').fold(0, |sum, part| sum * 60 + part.parse::<i64>().unwrap());
    let is_leap = |year: i64| (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let mut days: i64 = (1970..year).map(|year| 365 + i64::from(is_leap(year))).sum();
    days += [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][..month].iter().sum::<i64>();
    days += i64::from(month > 1 && is_leap(year)) + day - 1;
    days * 86_400 + clock
}

/// Compares free space with `freesp -d`, which also walks the trees and lists.
pub(crate) fn compare_free(path: &Path, fs: &dyn FileSystem, options: &str) {
    let geometry = xfs_db(path, &["-r"], &["sb 0".to_owned(), "print agblocks blocksize".to_owned()]);
    let numbers: Vec<u64> =
        geometry.lines().map(|line| line.rsplit(' ').next().unwrap().parse().unwrap()).collect();
    let printed = xfs_db(path, &["-r"], &["freesp -d".to_owned()]);
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for line in printed.lines().skip(1).take_while(|line| !line.contains("from")) {
        let words: Vec<u64> = line.split_whitespace().map(|word| word.parse().unwrap()).collect();
        let start = (words[0] * numbers[0] + words[1]) * numbers[1];
        runs.push((start, start + words[2] * numbers[1]));
    }
    runs.sort_unstable();
    let mut merged: Vec<std::ops::Range<u64>> = Vec::new();
    for (start, end) in runs {
        match merged.last_mut() {
            Some(last) if last.end == start => last.end = end,
            _ => merged.push(start..end),
        }
    }
    assert_eq!(free_ranges(fs).unwrap(), merged, "{options}");
}

#[test]
fn shows_label_and_id_as_blkid_does() {
    if !has_tools(&["mkfs.xfs"]) {
        return;
    }
    let options = "-L top -m uuid=3e7a0000-1111-4222-8333-444455556666";
    let Some(made) = make(&Tree::new(), 64, options) else { return };
    let fs = open(&made.path).unwrap();
    assert_eq!(fs.info().kind, "xfs");
    assert_eq!(fs.info().label.as_deref(), Some("top"));
    assert_eq!(fs.info().uuid.as_deref(), Some("3e7a0000-1111-4222-8333-444455556666"));
    assert_eq!(fs.info().block_bytes, 4096);
}

#[test]
fn reads_an_image_whose_id_was_changed_later() {
    if !has_tools(&["mkfs.xfs", "xfs_db"]) {
        return;
    }
    let tree = sample_tree();
    let Some(made) = make(&tree, 64, "") else { return };
    let id = "11112222-3333-4444-8555-666677778888";
    xfs_db(&made.path, &["-x"], &[format!("uuid {id}")]);
    let fs = open(&made.path).unwrap();
    assert_eq!(fs.info().uuid.as_deref(), Some(id));
    compare_with_tree(&walk(&fs).unwrap(), &tree, "changed id");
    compare_free(&made.path, &fs, "changed id");
}

#[test]
fn reads_from_several_threads_at_once() {
    if !has_tools(&["mkfs.xfs"]) {
        return;
    }
    let Some(made) = make(&sample_tree(), 64, "") else { return };
    let fs = open(&made.path).unwrap();
    let first = walk(&fs).unwrap();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..3).map(|_| scope.spawn(|| walk(&fs).unwrap())).collect();
        for thread in threads {
            assert!(thread.join().unwrap() == first);
        }
    });
}

#[test]
fn finds_one_name_among_many() {
    if !has_tools(&["mkfs.xfs"]) {
        return;
    }
    let Some(made) = make(&sample_tree(), 64, "") else { return };
    let fs = open(&made.path).unwrap();
    let id = amint_fs::find(&fs, b"/etc/../etc/link").unwrap();
    assert_eq!(id, amint_fs::find(&fs, b"etc/hostname").unwrap());
    assert!(amint_fs::find(&fs, b"/many/nothing").unwrap_err().is_missing());
    let read = amint_fs::read_file(&fs, b"/etc/hostname", 100).unwrap();
    assert_eq!(read, b"web\n");
    let status = Command::new("xfs_repair").arg("-n").arg(&made.path).output();
    assert!(status.is_ok_and(|output| output.status.success()), "the test's own image is damaged");
}

#[test]
fn refuses_content_on_a_realtime_device() {
    if !has_tools(&["mkfs.xfs", "xfs_db"]) {
        return;
    }
    let mut tree = sample_tree();
    tree.retain(|path, _| path.starts_with("etc"));
    let Some(made) = make(&tree, 64, "") else { return };
    let id = amint_fs::find(&open(&made.path).unwrap(), b"etc/hostname").unwrap();
    xfs_db(&made.path, &["-x"], &[format!("inode {}", id.number), "write core.realtime 1".to_owned()]);
    let fs = open(&made.path).unwrap();
    assert!(matches!(fs.open(id).map(|_| ()), Err(amint_fs::FsError::Unsupported { .. })));
    assert!(matches!(fs.position(id), Err(amint_fs::FsError::Unsupported { .. })));
    assert_eq!(fs.node(id).unwrap().bytes, 4);
}
