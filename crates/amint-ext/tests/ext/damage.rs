//! Damage: checksums tell of it, and nothing panics or hangs.

use std::fs;
use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};

use amint_ext::Ext;
use amint_fs::{FileSystem, FsError, NodeId};
use proptest::prelude::*;

use crate::support::{Image, debugfs, has_tools};
use crate::tree::{noise, set};

/// Goes through all that a file system offers, at most `count_max` nodes, and returns the first error.
fn walk(ext: &Ext, count_max: usize) -> Result<(), FsError> {
    let mut first = Ok(());
    let mut note = |result: Result<(), FsError>| {
        if first.is_ok() {
            first = result;
        }
    };
    let mut pending = vec![ext.root()];
    let mut count = 0;
    while let Some(id) = pending.pop() {
        count += 1;
        if count > count_max {
            break;
        }
        note(ext.node(id).map(|_| ()));
        note(ext.xattrs(id).map(|_| ()));
        note(ext.position(id).map(|_| ()));
        note(ignore_kind(ext.read_link(id).map(|_| ())));
        note(ignore_kind(read(ext, id)));
        let result = ext.read_dir(id, &mut |entry| {
            pending.push(entry.node);
            if pending.len() > count_max { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        note(ignore_kind(result));
    }
    note(ext.free_ranges(&mut |_| ControlFlow::Continue(())));
    note(ext.journal_ranges().map(|_| ()));
    note(ext.deleted_inodes(&mut |deleted| {
        let mut buffer = [0; 4096];
        let _ = deleted.open().and_then(|mut file| file.read_at(0, &mut buffer));
        ControlFlow::Continue(())
    }));
    first
}

/// Reads the beginning and the end of a file.
fn read(ext: &Ext, id: NodeId) -> Result<(), FsError> {
    let mut file = ext.open(id)?;
    let mut buffer = vec![0; 100_000];
    file.read_at(0, &mut buffer)?;
    file.read_at(file.size_bytes().saturating_sub(5000), &mut buffer)?;
    Ok(())
}

fn ignore_kind(result: Result<(), FsError>) -> Result<(), FsError> {
    match result {
        Err(FsError::WrongKind(_)) => Ok(()),
        other => other,
    }
}

fn open_and_walk(bytes: Vec<u8>) -> Result<(), FsError> {
    walk(&Ext::open(Arc::new(bytes))?, 300)
}

/// A small image with every structure.
fn image(arguments: &[&str]) -> Image {
    let source = tempfile::tempdir().unwrap();
    let root = source.path();
    fs::create_dir(root.join("folder")).unwrap();
    for number in 0..60 {
        fs::write(root.join("folder").join(format!("{number:050}")), "x").unwrap();
    }
    let pieces = fs::File::create(root.join("pieces")).unwrap();
    for number in 0..40_u64 {
        std::os::unix::fs::FileExt::write_all_at(&pieces, &noise(100, 1), number * 8192).unwrap();
    }
    std::os::unix::fs::symlink("y".repeat(200), root.join("link")).unwrap();
    fs::write(root.join("tiny"), "tiny").unwrap();
    set(&root.join("tiny"), "user.some", &noise(500, 1));
    fs::write(root.join("gone"), noise(5000, 1)).unwrap();
    let image = Image::make(arguments, Some(root), "2M");
    debugfs(&image.path(), "rm gone\n");
    image
}

/// Returns the blocks of one kind of structure, by a request of `debugfs` and the words before the number.
fn number_after(said: &str, words: &str) -> u64 {
    let rest = &said[said.find(words).unwrap_or_else(|| panic!("{words} in {said}")) + words.len()..];
    rest.trim_start().split(|byte: char| !byte.is_ascii_digit()).next().unwrap().parse().unwrap()
}

#[test]
fn a_flipped_bit_in_any_metadata_is_told() {
    if !has_tools(&["mke2fs", "debugfs", "e2fsck"]) {
        return;
    }
    let image = image(&["-t", "ext4", "-b", "1024", "-O", "^has_journal"]);
    let path = image.path();
    let _ = crate::support::command("e2fsck").args(["-fyD"]).arg(&path).output().unwrap();
    let clean = image.bytes();
    open_and_walk(clean.clone()).unwrap();
    let at = |said: String, words: &str| usize::try_from(number_after(&said, words) * 1024).unwrap();
    let folder = at(debugfs(&path, "blocks folder\n"), "blocks folder\n");
    let said = debugfs(&path, "imap tiny\n");
    let within = said.split("offset 0x").nth(1).unwrap().trim();
    let within = usize::from_str_radix(within.split_whitespace().next().unwrap(), 16).unwrap();
    let inode = at(said, "located at block") + within;
    let places = [
        ("the superblock", 1024 + 0x80),
        ("a group descriptor", 2048 + 0x6),
        ("an inode", inode + 0x4),
        ("the index of a folder", folder + 0x24),
        ("a block of a folder", at(debugfs(&path, "bmap folder 1\n"), "bmap folder 1\n") + 0x20),
        ("a block of extents", at(debugfs(&path, "ex -n pieces\n"), "0 -   312") + 0x20),
        ("a block of attributes", at(debugfs(&path, "stat tiny\n"), "File ACL:") + 0x30),
        ("a block bitmap", at(debugfs(&path, "stats\n"), "block bitmap at") + 0x8),
    ];
    for (what, place) in places {
        let mut bytes = clean.clone();
        bytes[place] ^= 0x4;
        let result = open_and_walk(bytes);
        assert!(matches!(&result, Err(FsError::Damaged { .. })), "{what} at {place:#x}: {result:?}");
    }
}

#[test]
fn encrypted_files_and_folders_are_told() {
    if !has_tools(&["mke2fs", "debugfs"]) {
        return;
    }
    let image = image(&["-t", "ext4", "-b", "1024", "-O", "encrypt"]);
    debugfs(
        &image.path(),
        "set_inode_field pieces flags 0x80800\nset_inode_field link flags 0x80800\n\
         set_inode_field folder flags 0x80800\n",
    );
    let ext = image.open().unwrap();
    let id = |name: &[u8]| ext.lookup(ext.root(), name).unwrap();
    assert!(matches!(ext.open(id(b"pieces")).map(|_| ()), Err(FsError::Encrypted)));
    assert!(matches!(ext.read_link(id(b"link")), Err(FsError::Encrypted)));
    assert!(ext.node(id(b"pieces")).is_ok());
    let mut count = 0;
    ext.read_dir(id(b"folder"), &mut |_| {
        count += 1;
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(count, 60);
}

#[test]
fn what_is_no_file_system_is_told() {
    for bytes in [0, 100, 2047, 2048, 4096] {
        assert!(matches!(Ext::open(Arc::new(vec![0_u8; bytes])), Err(FsError::NotThis(_))));
        assert!(!Ext::probe(&vec![0_u8; bytes]));
    }
}

/// Images to damage: with checksums and a journal, without checksums, with block maps, with inline content.
fn images() -> &'static [Vec<u8>] {
    static IMAGES: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    IMAGES.get_or_init(|| {
        if !has_tools(&["mke2fs", "debugfs"]) {
            return Vec::new();
        }
        let combinations: [&[&str]; 4] = [
            &["-t", "ext4", "-b", "1024"],
            &["-t", "ext4", "-b", "1024", "-O", "^metadata_csum,^has_journal", "-I", "256"],
            &["-t", "ext2", "-b", "1024"],
            &["-t", "ext4", "-b", "1024", "-O", "^metadata_csum,inline_data,^has_journal"],
        ];
        let mut images: Vec<Vec<u8>> =
            combinations.iter().map(|arguments| image(arguments).bytes()).collect();
        images.extend(journaled());
        images
    })
}

/// An image with a journal to be replayed.
fn journaled() -> Option<Vec<u8>> {
    let image = Image::make(&["-t", "ext4", "-b", "1024", "-O", "^metadata_csum"], None, "4M");
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), noise(4096, 5)).ok()?;
    debugfs(
        &image.path(),
        &format!("jo\njw -b 3000,3001,3002,3003 {}\njw -r 3001\njc\n", file.path().display()),
    );
    Some(image.bytes())
}

/// A change of some bytes: where among the blocks that hold anything, and to what.
fn changes() -> impl Strategy<Value = Vec<(prop::sample::Index, u8)>> {
    let byte = prop_oneof![Just(0), Just(0xFF), Just(1), any::<u8>()];
    prop::collection::vec((any::<prop::sample::Index>(), byte), 1..30)
}

/// Returns the places of bytes that are not zero, and their neighbours: structures.
fn places(image: usize) -> &'static [usize] {
    static PLACES: OnceLock<Vec<Vec<usize>>> = OnceLock::new();
    let all = PLACES.get_or_init(|| {
        let of = |bytes: &Vec<u8>| {
            let pieces = bytes.chunks(8).enumerate().filter(|(_, piece)| piece.iter().any(|byte| *byte != 0));
            pieces.flat_map(|(number, _)| number * 8..number * 8 + 8).collect()
        };
        images().iter().map(of).collect()
    });
    &all[image]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_images_never_panic(which in 0_usize..5, changes in changes(), cut in prop::option::weighted(0.1, any::<prop::sample::Index>())) {
        let Some(clean) = images().get(which) else { return Ok(()) };
        let mut bytes = clean.clone();
        for (place, byte) in changes {
            bytes[*place.get(places(which))] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(clean.len()));
        }
        let _ = open_and_walk(bytes);
    }
}
