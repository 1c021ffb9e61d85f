//! Damaged images: errors, never panics or endless loops.

use std::collections::HashSet;
use std::fs;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use amint_fs::{FileSystem, FsError, Kind, NodeId};
use amint_squashfs::Squashfs;
use proptest::prelude::{any, prop, proptest};
use tempfile::TempDir;

use crate::support::{FileSource, Image, noise, run, text};

fn small_image(options: &[&str]) -> Option<Vec<u8>> {
    let source = TempDir::new().unwrap();
    let at = |name: &str| source.path().join(name);
    fs::create_dir_all(at("a/b")).unwrap();
    fs::write(at("a/b/c"), text(20_000)).unwrap();
    fs::write(at("d"), noise(9000, 1)).unwrap();
    for number in 0..50 {
        fs::write(at(&format!("a/{number}")), b"x").unwrap();
    }
    std::os::unix::fs::symlink("a/b", at("l")).unwrap();
    let path = at("d");
    run("setfattr", &["-n", "user.note", "-v", "hello", path.to_str().unwrap()]);
    let image = Image::make(source.path(), &[&["-b", "4096", "-nopad"], options].concat())?;
    Some(fs::read(image.path()).unwrap())
}

/// Visits everything that can be reached and reads it; errors are counted.
fn read_everything(fs: &dyn FileSystem) -> usize {
    let mut errors = 0;
    let mut pending = vec![fs.root()];
    let mut seen = HashSet::new();
    while let Some(id) = pending.pop() {
        if !seen.insert(id) || seen.len() > 1000 {
            continue;
        }
        let Ok(node) = fs.node(id) else {
            errors += 1;
            continue;
        };
        errors += usize::from(fs.xattrs(id).is_err()) + usize::from(fs.position(id).is_err());
        errors += match node.kind {
            Kind::Folder => usize::from(
                fs.read_dir(id, &mut |entry| {
                    pending.push(entry.node);
                    ControlFlow::Continue(())
                })
                .is_err(),
            ),
            Kind::Link => usize::from(fs.read_link(id).is_err()),
            Kind::File => {
                let mut buffer = vec![0; 100_000];
                usize::from(fs.open(id).and_then(|mut file| file.read_at(0, &mut buffer)).is_err())
            }
            _ => 0,
        };
    }
    errors
}

#[test]
fn changed_images_never_panic() {
    // Metadata that is not compressed, so that changes reach what is behind the compression.
    let plain = small_image(&["-noI", "-noF", "-noX", "-noId"]);
    for image in [plain, small_image(&["-comp", "gzip"]), small_image(&["-comp", "xz"])] {
        let Some(image) = image else { return };
        let fs = Squashfs::open(Arc::new(image.clone())).unwrap();
        assert_eq!(read_everything(&fs), 0);
        let shared = Mutex::new(image);
        let change = (any::<usize>(), any::<u8>());
        proptest!(proptest::test_runner::Config::with_cases(120), |(
            changes in prop::collection::vec(change, 1..8), near_end in any::<bool>(), cut in any::<Option<usize>>()
        )| {
            let mut bytes = shared.lock().unwrap().clone();
            let length = bytes.len();
            for (at, value) in changes {
                let at = if near_end { length - 1 - at % 3000 } else { at % length };
                bytes[at] = value;
            }
            if let Some(cut) = cut {
                bytes.truncate(cut % (length * 4));
            }
            if let Ok(fs) = Squashfs::open(Arc::new(bytes)) {
                read_everything(&fs);
            }
        });
    }
}

#[test]
fn a_block_that_cannot_be_unpacked_is_an_error() {
    let Some(mut image) = small_image(&["-comp", "zstd"]) else { return };
    // The first block of data follows the superblock and its options.
    image[96..].iter_mut().take(400).for_each(|byte| *byte = 0x55);
    let fs = Squashfs::open(Arc::new(image)).unwrap();
    assert!(read_everything(&fs) > 0);
}

#[test]
fn other_versions_and_unknown_compressions_are_refused() {
    let Some(image) = small_image(&[]) else { return };
    let patched = |at: usize, bytes: &[u8]| {
        let mut image = image.clone();
        image[at..at + bytes.len()].copy_from_slice(bytes);
        Squashfs::open(Arc::new(image)).err().unwrap().to_string()
    };
    assert!(patched(28, &[3]).contains("version 3.0"));
    assert!(patched(20, &[7]).contains("compression of kind 7"));
    assert!(patched(0, b"sqsh").contains("big-endian"));
    assert!(patched(12, &[1]).contains("blocks of"));
}

#[test]
fn what_is_no_squashfs_is_told_apart() {
    for bytes in [vec![], vec![0; 10], vec![0; 10_000]] {
        let bytes = Arc::new(bytes);
        assert!(!Squashfs::probe(bytes.as_ref()));
        assert!(matches!(Squashfs::open(bytes), Err(FsError::NotThis("squashfs"))));
    }
    let Some(image) = small_image(&[]) else { return };
    assert!(Squashfs::probe(&image));
}

#[test]
fn nodes_that_are_not_there_never_panic() {
    let Some(image) = small_image(&[]) else { return };
    let fs = Squashfs::open(Arc::new(image)).unwrap();
    for number in (0..3000).chain([u64::MAX, 1 << 16, 1 << 40]) {
        let id = NodeId::new(number);
        let _ = (fs.node(id), fs.xattrs(id), fs.read_link(id), fs.position(id));
        let _ = fs.read_dir(id, &mut |_| ControlFlow::Continue(()));
    }
    assert!(fs.node(NodeId { tree: 1, number: fs.root().number }).is_err());
    assert!(fs.node(NodeId::new(u64::MAX)).unwrap_err().is_missing());
    assert!(matches!(fs.open(fs.root()).err(), Some(FsError::WrongKind(_))));
    let _ = FileSource::open;
}
