//! Deleted inodes.

use std::fs;
use std::ops::ControlFlow;

use amint_ext::Ext;
use amint_fs::{FileSystem as _, Kind, NodeId, read_all};

use crate::support::{Image, debugfs, has_tools};
use crate::tree::noise;

/// Reads the content of all deleted inodes.
pub(crate) fn contents(ext: &Ext) -> Vec<(NodeId, Kind, Vec<u8>)> {
    let mut found = Vec::new();
    ext.deleted_inodes(&mut |deleted| {
        let content = read_all(deleted.open().unwrap().as_mut(), 1 << 20, "ext").unwrap();
        assert_eq!(content.len() as u64, deleted.size_bytes());
        found.push((deleted.id(), deleted.kind(), content));
        ControlFlow::Continue(())
    })
    .unwrap();
    found
}

#[test]
fn deleted_files_are_read_as_long_as_their_map_is_there() {
    if !has_tools(&["mke2fs", "debugfs"]) {
        return;
    }
    for arguments in [["-t", "ext2", "-b", "1024"], ["-t", "ext4", "-b", "4096"]] {
        let source = tempfile::tempdir().unwrap();
        let content = noise(30_000, 1);
        fs::write(source.path().join("gone"), &content).unwrap();
        fs::write(source.path().join("kept"), "kept").unwrap();
        let image = Image::make(&arguments, Some(source.path()), "8M");
        let ext = image.open().unwrap();
        assert_eq!(contents(&ext), []);
        let gone = ext.lookup(ext.root(), b"gone").unwrap();
        // Removes name and inode, and leaves the map.
        debugfs(&image.path(), "rm gone\n");
        let ext = image.open().unwrap();
        assert_eq!(contents(&ext), [(gone, Kind::File, content)]);
        assert!(ext.node(gone).is_err());
    }
}

#[test]
fn the_visitor_may_stop() {
    if !has_tools(&["mke2fs", "debugfs"]) {
        return;
    }
    let source = tempfile::tempdir().unwrap();
    fs::write(source.path().join("a"), noise(5000, 1)).unwrap();
    fs::write(source.path().join("b"), noise(5000, 2)).unwrap();
    let image = Image::make(&["-t", "ext4"], Some(source.path()), "8M");
    debugfs(&image.path(), "rm a\nrm b\n");
    let mut count = 0;
    let ext = image.open().unwrap();
    ext.deleted_inodes(&mut |_| {
        count += 1;
        ControlFlow::Break(())
    })
    .unwrap();
    assert_eq!((count, contents(&ext).len()), (1, 2));
}
