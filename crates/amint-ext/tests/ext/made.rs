//! Images that `mke2fs` fills from a folder: every node has to be as it was there.

use std::fs;
use std::path::Path;

use amint_fs::{FileSystem as _, Kind};

use crate::facts::{Tree, assert_same, of_folder, of_image};
use crate::support::{Image, command, debugfs, has_tools, run};
use crate::tree::fill;

/// What is compared of a tree that `mke2fs` copied in: it drops fractions of seconds and
/// the bits of times beyond 32, and times of change.
fn comparable(mut tree: Tree) -> Tree {
    for facts in tree.values_mut() {
        facts.modified = (facts.modified.0 & 0xFFFF_FFFF, 0);
        facts.changed = (0, 0);
        if facts.kind == Kind::Folder {
            // Whether `lost+found` is one more, and whether folders count at all, differs.
            facts.nlink = 0;
        }
    }
    // The topmost folder is not copied but made.
    let root = tree.get_mut(&b""[..]).unwrap();
    (root.modified, root.owner) = ((0, 0), (0, 0));
    tree
}

/// Makes an image from `source` and compares every node.
fn compare(source: &Path, expected: &Tree, arguments: &[&str], kind: &str) -> Image {
    let image = Image::make(arguments, Some(source), "64M");
    compare_image(&image, expected, &format!("{arguments:?}"), kind);
    image
}

fn compare_image(image: &Image, expected: &Tree, context: &str, kind: &str) {
    let ext = image.open().unwrap();
    assert_eq!(ext.info().kind, kind, "{context}");
    let found = comparable(of_image(&ext));
    let mut expected = expected.clone();
    if context.contains("\"-r\"") {
        // Revision 0 has no attributes.
        for facts in expected.values_mut() {
            facts.xattrs.clear();
        }
    }
    assert_same(&found, &expected, context);
}

#[test]
fn every_node_is_as_it_was_in_the_folder() {
    if !has_tools(&["mke2fs", "e2fsck", "debugfs"]) {
        return;
    }
    let source = tempfile::tempdir().unwrap();
    fill(source.path());
    let expected = comparable(of_folder(source.path()));
    let combinations: &[(&[&str], &str)] = &[
        (&["-t", "ext2", "-b", "1024", "-I", "128"], "ext2"),
        (&["-t", "ext2", "-b", "4096", "-O", "^filetype"], "ext2"),
        (&["-t", "ext2", "-r", "0", "-b", "2048"], "ext2"),
        (&["-t", "ext3", "-b", "1024"], "ext3"),
        (&["-t", "ext4", "-b", "1024"], "ext4"),
        (&["-t", "ext4", "-b", "1024", "-O", "^64bit,^metadata_csum,uninit_bg"], "ext4"),
        (&["-t", "ext4", "-b", "2048", "-O", "64bit,^metadata_csum,uninit_bg"], "ext4"),
        (&["-t", "ext4", "-b", "4096", "-O", "metadata_csum_seed,inline_data"], "ext4"),
        (&["-t", "ext4", "-b", "1024", "-O", "inline_data", "-I", "1024"], "ext4"),
        (&["-t", "ext4", "-b", "1024", "-O", "meta_bg,^resize_inode", "-g", "2048"], "ext4"),
        (&["-t", "ext4", "-b", "4096", "-O", "sparse_super2,^resize_inode,large_dir,casefold"], "ext4"),
        (
            &[
                "-t",
                "ext4",
                "-b",
                "4096",
                "-O",
                "^resize_inode,^flex_bg,^sparse_super,quota,project,encrypt,verity",
            ],
            "ext4",
        ),
        (&["-t", "ext4", "-b", "1024", "-O", "ea_inode,orphan_file,mmp"], "ext4"),
        (&["-t", "ext4", "-b", "8192", "-O", "^has_journal"], "ext4"),
        (&["-t", "ext4", "-b", "65536", "-N", "1500"], "ext4"),
        (&["-t", "ext4", "-b", "4096", "-O", "bigalloc", "-C", "16384"], "ext4"),
        (&["-t", "ext4", "-b", "4096", "-O", "^extent,^64bit"], "ext4"),
    ];
    for (arguments, kind) in combinations {
        compare(source.path(), &expected, arguments, kind);
    }
}

#[test]
fn folders_with_an_index_are_read() {
    if !has_tools(&["mke2fs", "e2fsck", "debugfs"]) {
        return;
    }
    let source = tempfile::tempdir().unwrap();
    fill(source.path());
    let expected = comparable(of_folder(source.path()));
    for block_bytes in ["1024", "4096"] {
        let image = compare(source.path(), &expected, &["-t", "ext4", "-b", block_bytes], "ext4");
        // `e2fsck -D` builds the indexes, and may answer 1 because it changed something.
        let path = image.path();
        let status = command("e2fsck").args(["-fyD"]).arg(&path).output().unwrap().status;
        assert!(matches!(status.code(), Some(0 | 1)));
        assert!(debugfs(&path, "htree_dump /many\n").contains("Root node dump"));
        compare_image(&image, &expected, "with indexes", "ext4");
    }
}

#[test]
fn several_threads_read_at_once() {
    if !has_tools(&["mke2fs"]) {
        return;
    }
    let source = tempfile::tempdir().unwrap();
    fill(source.path());
    let image = Image::make(&["-t", "ext4", "-b", "4096"], Some(source.path()), "64M");
    let ext = image.open().unwrap();
    let expected = of_image(&ext);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_same(&of_image(&ext), &expected, "in a thread"));
        }
    });
}

#[test]
fn the_file_system_says_who_it_is() {
    if !has_tools(&["mke2fs"]) {
        return;
    }
    let id = "01234567-89ab-cdef-0123-456789abcdef";
    let image = Image::make(&["-t", "ext4", "-L", "rootfs", "-U", id, "-b", "1024"], None, "8M");
    let info = image.open().unwrap().info().clone();
    assert_eq!((info.label.as_deref(), info.uuid.as_deref()), (Some("rootfs"), Some(id)));
    assert_eq!((info.block_bytes, info.size_bytes), (1024, 8 << 20));
    assert_eq!(info.notes, Vec::<String>::new());
}

#[test]
fn large_attributes_in_inodes_of_their_own_are_read() {
    if !has_tools(&["mke2fs", "debugfs"]) {
        return;
    }
    let source = tempfile::tempdir().unwrap();
    let file = source.path().join("file");
    fs::write(&file, "x").unwrap();
    let value = crate::tree::noise(3000, 11);
    crate::tree::set(&file, "user.large", &value);
    crate::tree::set(&file, "user.b", b"small");
    let image = Image::make(&["-t", "ext4", "-b", "1024", "-O", "ea_inode"], Some(source.path()), "8M");
    let ext = image.open().unwrap();
    let id = ext.lookup(ext.root(), b"file").unwrap();
    let xattrs = ext.xattrs(id).unwrap();
    let names: Vec<&[u8]> = xattrs.iter().map(|xattr| xattr.name.as_slice()).collect();
    assert_eq!(names, [&b"user.b"[..], b"user.large"]);
    assert!(xattrs[1].value == value);
}

#[test]
fn times_and_devices_are_as_debugfs_sets_them() {
    if !has_tools(&["mke2fs", "debugfs"]) {
        return;
    }
    let image = Image::make(&["-t", "ext4", "-I", "256"], None, "8M");
    debugfs(
        &image.path(),
        "mknod old c 5 1\nmknod new b 255 7\nset_inode_field old mtime @0x1_2345_6789\n\
         set_inode_field old crtime @1700000000\nset_inode_field old crtime_extra 0x10\n\
         set_inode_field old mtime_extra 0x7735941d\nset_inode_field old uid 123456\n",
    );
    let ext = image.open().unwrap();
    let old = ext.node(ext.lookup(ext.root(), b"old").unwrap()).unwrap();
    assert_eq!((old.kind, old.device, old.uid), (Kind::CharDevice, Some((5, 1)), 123_456));
    assert_eq!(old.born, Some((1_700_000_000, 4)));
    assert_eq!(old.modified.1, 0x7735_941d >> 2);
    let new = ext.node(ext.lookup(ext.root(), b"new").unwrap()).unwrap();
    assert_eq!((new.kind, new.device), (Kind::BlockDevice, Some((255, 7))));
}

#[test]
fn unknown_features_and_journal_devices_are_refused_by_name() {
    if !has_tools(&["mke2fs", "debugfs"]) {
        return;
    }
    let image = Image::make(&["-t", "ext4", "-O", "^metadata_csum"], None, "8M");
    let mut bytes = image.bytes();
    bytes[1024 + 0x61] |= 0x08;
    let message = amint_ext::Ext::open(std::sync::Arc::new(bytes)).unwrap_err().to_string();
    assert!(message.contains("an incompatible feature 0x800"), "{message}");
    let journal = Image::make(&["-O", "journal_dev", "-b", "4096"], None, "8M");
    let message = journal.open().unwrap_err().to_string();
    assert!(message.contains("an external journal"), "{message}");
    let _ = run("dumpe2fs", &["-h", journal.path().to_str().unwrap()]);
}
