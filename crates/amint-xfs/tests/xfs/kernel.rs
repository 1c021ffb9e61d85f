//! Images that Linux 6.1 wrote, and the lists of their nodes that it made after it had mounted them.
//!
//! The dirty ones were shut down with their changes only in the journal; the lists show what Linux saw after its own
//! replay. How they were made stands in `tests/fixtures/README.md`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use amint_fs::{FileSystem as _, Kind};
use amint_xfs::Xfs;
use sha2::{Digest as _, Sha256};

use crate::support::{Seen, free_ranges, walk};

pub(crate) fn fixture(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    zstd::decode_all(bytes.as_slice()).unwrap()
}

/// Writes what was seen in the form of the lists.
fn describe(seen: &BTreeMap<String, Seen>) -> Vec<String> {
    let mut lines = Vec::new();
    for (path, found) in seen {
        let path = if path.is_empty() { ".".to_owned() } else { format!("./{path}") };
        let node = found.node;
        let kind: u32 = match node.kind {
            Kind::File => 0o100,
            Kind::Folder => 0o040,
            Kind::Link => 0o120,
            Kind::Pipe => 0o010,
            Kind::Socket => 0o140,
            Kind::CharDevice => 0o020,
            Kind::BlockDevice => 0o060,
        };
        let (major, minor) = node.device.unwrap_or((0, 0));
        let time = |(seconds, nanoseconds): (i64, u32)| {
            // Before 1970 the list counts both parts backwards.
            if seconds < 0 && nanoseconds > 0 {
                format!("-{}.{:09}", -(seconds + 1), 1_000_000_000 - nanoseconds)
            } else {
                format!("{seconds}.{nanoseconds:09}")
            }
        };
        // Version 4 keeps no time of birth, and Linux then shows none.
        let born = node.born.map_or("0.000000000".to_owned(), time);
        lines.push(format!(
            "S {} {:x} {} {} {} {} {major:x} {minor:x} {} {} {} {born} {path}",
            found.id.number,
            kind << 9 | node.mode,
            node.uid,
            node.gid,
            node.bytes,
            node.nlink,
            time(node.accessed),
            time(node.modified),
            time(node.changed),
        ));
        match node.kind {
            Kind::File => lines.push(format!("H {}  {path}", hex(&Sha256::digest(&found.content)))),
            Kind::Link => {
                lines.push(format!("L {path} -> {}", String::from_utf8_lossy(&found.target)));
            }
            _ => {}
        }
        for xattr in &found.xattrs {
            let name = String::from_utf8_lossy(&xattr.name);
            lines.push(format!("A {} {name}=0x{}", path.trim_start_matches("./"), hex(&xattr.value)));
        }
    }
    lines.sort();
    lines
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

/// Brings a list into the form of [`describe`]: attributes with their path, and access lists once.
fn listed(text: &str) -> Vec<String> {
    let (_, text) = text.split_once("MANIFEST\n").unwrap();
    let (text, _) = text.rsplit_once("END").unwrap();
    let mut lines = Vec::new();
    let mut path = "";
    for line in text.lines() {
        if let Some(next) = line.strip_prefix("A # file: ") {
            path = next;
        } else if let Some(attribute) = line.strip_prefix("A ") {
            let (name, value) = attribute.split_once('=').unwrap_or((attribute, "0x"));
            // Linux shows the raw form as well.
            if !name.starts_with("trusted.SGI_ACL_") {
                lines.push(format!("A {path} {name}={value}"));
            }
        } else {
            lines.push(line.to_owned());
        }
    }
    lines.sort();
    lines
}

fn compare(name: &str) -> Xfs {
    let fs = Xfs::open(Arc::new(fixture(&format!("{name}.image.zst")))).unwrap();
    let seen = walk(&fs).unwrap_or_else(|error| panic!("{name}: {error} {:?}", fs.info().notes));
    let (ours, theirs) =
        (describe(&seen), listed(&String::from_utf8(fixture(&format!("{name}.list.zst"))).unwrap()));
    let only = |one: &[String], other: &[String]| {
        let only: Vec<String> = one
            .iter()
            .filter(|line| other.binary_search(line).is_err())
            .map(|line| line.chars().take(220).collect())
            .collect();
        only.into_iter().take(12).collect::<Vec<_>>().join("\n")
    };
    assert!(
        ours == theirs,
        "{name} {:?}\nonly here:\n{}\nonly in Linux:\n{}",
        fs.info().notes,
        only(&ours, &theirs),
        only(&theirs, &ours)
    );
    free_ranges(&fs).unwrap();
    fs
}

#[test]
fn sees_what_linux_sees_of_a_clean_file_system() {
    let fs = compare("v5-clean");
    assert_eq!(fs.info().notes, Vec::<String>::new());
}

#[test]
fn replays_a_journal_as_linux_does() {
    // Free blocks as `freesp` of xfs_db counted them after the replay by Linux. In the killed ones, room of inodes that were
    // given up had become the content of files.
    let free_blocks = [
        ("v5-dirty", 8132),
        ("v4-dirty", 43_905),
        ("small-dirty", 44_527),
        ("v5-killed", 7693),
        ("v4-killed", 43_389),
    ];
    for (name, expected) in free_blocks {
        let fs = compare(name);
        let free: u64 = free_ranges(&fs).unwrap().iter().map(|range| range.end - range.start).sum();
        assert_eq!(free / fs.info().block_bytes, expected, "{name}");
        let notes = fs.info().notes.clone();
        let is_told = matches!(notes.as_slice(), [note] if note.starts_with("journal replayed in memory"));
        assert!(is_told, "{name}: {notes:?}");
    }
}

#[test]
fn reads_any_piece_of_a_file_as_it_is_in_the_whole() {
    let fs = Xfs::open(Arc::new(fixture("v5-clean.image.zst"))).unwrap();
    let seen = walk(&fs).unwrap();
    for name in [
        "files/frag",
        "files/sparse",
        "files/unwritten",
        "files/allunwritten",
        "files/prealloc",
        "files/refl",
    ] {
        let found = &seen[name];
        let mut file = fs.open(found.id).unwrap();
        let bytes = found.content.len();
        for (offset, count) in [
            (0, 1),
            (4095, 2),
            (4097, 50_000),
            (200_000, 8191),
            (bytes - 3, 100),
            (bytes, 5),
            (bytes + 9000, 1),
        ] {
            let mut buffer = vec![0xee; count];
            let read = file.read_at(offset as u64, &mut buffer).unwrap();
            let expected = found.content.get(offset..).unwrap_or_default();
            let expected = &expected[..count.min(expected.len())];
            assert!(buffer[..read] == *expected, "{name} {offset} {count}");
        }
        assert_eq!(file.read_at(u64::MAX, &mut [0; 4]).unwrap(), 0);
    }
    assert_eq!(fs.position(seen["files/allunwritten"].id).unwrap(), None);
    assert!(fs.position(seen["files/frag"].id).unwrap().is_some());
}
