//! Damaged images: mirrors and copies are used, and the rest is an error.

use std::fs::{self, OpenOptions};
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use amint_btrfs::Btrfs;
use amint_fs::{FileSystem, FsError, Kind, NodeId, find, read_file};
use proptest::prelude::{Strategy, any, prop, proptest};
use tempfile::TempDir;

use crate::support::{FileSource, Image, noise, text};

/// An image with few files, whose metadata has `profile`.
fn small_image(profile: &str) -> Option<Image> {
    let source = TempDir::new().unwrap();
    fs::create_dir(source.path().join("etc")).unwrap();
    fs::write(source.path().join("etc/hostname"), b"web").unwrap();
    fs::write(source.path().join("noise"), noise(200_000, 21)).unwrap();
    fs::write(source.path().join("text"), text(20_000)).unwrap();
    let folder = source.path().to_str().unwrap();
    Image::make(128, &["-m", profile, "-d", "single", "-n", "4096", "--rootdir", folder])
}

fn overwrite(image: &Image, at: u64, bytes: &[u8]) {
    OpenOptions::new().write(true).open(image.path()).unwrap().write_all_at(bytes, at).unwrap();
}

/// Finds where a text is in an image.
fn places(image: &Image, wanted: &[u8]) -> Vec<u64> {
    let bytes = fs::read(image.path()).unwrap();
    let step = 4096;
    (0..bytes.len()).step_by(step).filter(|at| bytes[*at..].starts_with(wanted)).map(|at| at as u64).collect()
}

/// Visits everything that can be reached and reads it; errors are counted.
pub(crate) fn read_everything(fs: &dyn FileSystem) -> usize {
    let mut errors = 0;
    let mut pending = vec![(fs.root(), 0)];
    let mut seen = std::collections::HashSet::new();
    while let Some((id, depth)) = pending.pop() {
        if !seen.insert(id) || depth > 50 || seen.len() > 2000 {
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
                    pending.push((entry.node, depth + 1));
                    ControlFlow::Continue(())
                })
                .is_err(),
            ),
            Kind::Link => usize::from(fs.read_link(id).is_err()),
            Kind::File => {
                let mut buffer = vec![0; 300_000];
                usize::from(fs.open(id).and_then(|mut file| file.read_at(0, &mut buffer)).is_err())
            }
            _ => 0,
        };
    }
    errors += usize::from(fs.free_ranges(&mut |_| ControlFlow::Continue(())).is_err());
    errors
}

#[test]
fn a_damaged_superblock_is_replaced_by_its_mirror() {
    let Some(image) = small_image("dup") else { return };
    overwrite(&image, (64 << 10) + 500, b"damage");
    let fs = image.open();
    assert_eq!(read_file(&fs, b"etc/hostname", 10).unwrap(), b"web");
    assert!(fs.info().notes[0].contains("mirror at 67108864"), "{:?}", fs.info().notes);
    overwrite(&image, (64 << 20) + 500, b"damage");
    assert!(matches!(Btrfs::open(FileSource::open(&image.path())), Err(FsError::Damaged { .. })));
}

#[test]
fn damaged_metadata_comes_from_the_other_copy_or_is_an_error() {
    for (profile, is_readable) in [("dup", true), ("single", false)] {
        let Some(image) = small_image(profile) else { return };
        let bytes = fs::read(image.path()).unwrap();
        let name = b"hostname";
        let first = (1 << 20..bytes.len()).find(|at| bytes[*at..].starts_with(name)).unwrap();
        overwrite(&image, first as u64, b"h0stname");
        let found = find(&image.open(), b"etc/hostname");
        assert_eq!(found.is_ok(), is_readable, "{profile}: {found:?}");
        if let Err(error) = found {
            assert!(matches!(error, FsError::Damaged { .. }), "{error}");
        }
    }
}

#[test]
fn damaged_data_is_an_error() {
    let Some(image) = small_image("single") else { return };
    let places = places(&image, &noise(64, 21));
    assert_eq!(places.len(), 1);
    overwrite(&image, places[0] + 100_000, b"?");
    let fs = image.open();
    let error = read_file(&fs, b"noise", 1 << 20).unwrap_err();
    assert!(error.to_string().contains("checksum"), "{error}");
    // What is not touched can still be read.
    let mut buffer = vec![0; 1000];
    let mut file = fs.open(find(&fs, b"noise").unwrap()).unwrap();
    assert_eq!(file.read_at(190_000, &mut buffer).unwrap(), 1000);
    assert!(buffer == noise(200_000, 21)[190_000..191_000]);
}

#[test]
fn damaged_data_comes_from_the_other_copy() {
    let source = TempDir::new().unwrap();
    fs::write(source.path().join("noise"), noise(200_000, 21)).unwrap();
    let folder = source.path().to_str().unwrap();
    let Some(image) = Image::make(200, &["-d", "dup", "--rootdir", folder]) else { return };
    let places = places(&image, &noise(64, 21));
    assert_eq!(places.len(), 2, "two copies");
    overwrite(&image, places[0] + 100_000, b"?");
    overwrite(&image, places[1] + 180_000, b"?");
    assert!(read_file(&image.open(), b"noise", 1 << 20).unwrap() == noise(200_000, 21));
    overwrite(&image, places[1] + 100_000, b"?");
    assert!(read_file(&image.open(), b"noise", 1 << 20).is_err());
}

#[test]
fn unknown_features_and_several_devices_are_refused() {
    let Some(image) = small_image("single") else { return };
    let superblock = fs::read(image.path()).unwrap()[64 << 10..][..4096].to_vec();
    let patched = |at: usize, byte: u8| {
        let mut bytes = superblock.clone();
        bytes[at] |= byte;
        let sum = crc32c::crc32c(&bytes[32..]).to_le_bytes();
        bytes[..4].copy_from_slice(&sum);
        overwrite(&image, 64 << 10, &bytes);
        Btrfs::open(FileSource::open(&image.path())).err().unwrap().to_string()
    };
    assert!(patched(188 + 1, 0x10).contains("zoned"));
    assert!(patched(188 + 1, 0x20).contains("extent-tree-v2"));
    assert!(patched(188 + 1, 0x40).contains("raid-stripe-tree"));
    assert!(patched(188 + 4, 1).contains("incompatible feature 32"));
    assert!(patched(136, 2).contains("3 devices"));
    assert!(patched(196, 4).contains("checksums of kind 4"));
}

#[test]
fn what_is_no_btrfs_is_told_apart() {
    let zeros: Arc<Vec<u8>> = Arc::new(vec![0; 1 << 20]);
    assert!(!Btrfs::probe(zeros.as_ref()));
    assert!(matches!(Btrfs::open(zeros), Err(FsError::NotThis("btrfs"))));
    let short: Arc<Vec<u8>> = Arc::new(vec![0; 10]);
    assert!(!Btrfs::probe(short.as_ref()));
    assert!(matches!(Btrfs::open(short), Err(FsError::NotThis("btrfs"))));
    let Some(image) = small_image("single") else { return };
    let source = FileSource::open(&image.path());
    assert!(Btrfs::probe(source.as_ref()));
}

#[test]
fn nodes_that_are_not_there_are_errors() {
    let Some(image) = small_image("single") else { return };
    let fs = image.open();
    for (tree, number) in [(5, 0), (5, 9999), (5, u64::MAX), (7, 256), (u64::MAX, 256)] {
        assert!(fs.node(NodeId { tree, number }).is_err());
        assert!(fs.open(NodeId { tree, number }).is_err());
        assert!(fs.read_dir(NodeId { tree, number }, &mut |_| ControlFlow::Continue(())).is_err());
    }
    assert!(matches!(fs.open(fs.root()).err(), Some(FsError::WrongKind(_))));
    assert!(matches!(fs.read_link(fs.root()), Err(FsError::WrongKind(_))));
}

/// Where the blocks of metadata are, so that changes hit something and carry a right checksum.
pub(crate) fn metadata_blocks(bytes: &[u8]) -> Vec<usize> {
    let id = &bytes[(64 << 10) + 32..][..16];
    (1 << 20..bytes.len()).step_by(4096).filter(|at| bytes[at + 32..].starts_with(id)).collect()
}

pub(crate) fn changes() -> impl Strategy<Value = Vec<(usize, usize, u8)>> {
    prop::collection::vec((any::<usize>(), 0..4096_usize, any::<u8>()), 1..6)
}

#[test]
fn changed_metadata_with_right_checksums_never_panics() {
    let Some(image) = small_image("single") else { return };
    let bytes = fs::read(image.path()).unwrap();
    let blocks = metadata_blocks(&bytes);
    assert!(blocks.len() > 8);
    // The end of the image is empty and not needed.
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let shared = Arc::new(std::sync::Mutex::new(bytes[..used.next_multiple_of(4096)].to_vec()));
    let superblock = 64 << 10;
    proptest!(proptest::test_runner::Config::with_cases(150), |(changes in changes())| {
        let mut bytes = shared.lock().unwrap();
        let mut old = Vec::new();
        for (block, at, value) in changes {
            // Headers are hit rarely enough by chance; the superblock now and then.
            let block = if block % 16 == 0 { superblock } else { blocks[block % blocks.len()] };
            old.push((block, bytes[block..block + 4096].to_vec()));
            bytes[block + at] = value;
            let sum = crc32c::crc32c(&bytes[block + 32..block + 4096]).to_le_bytes();
            bytes[block..block + 4].copy_from_slice(&sum);
        }
        if let Ok(fs) = Btrfs::open(Arc::new(bytes.clone())) {
            read_everything(&fs);
        }
        for (block, content) in old.into_iter().rev() {
            bytes[block..block + 4096].copy_from_slice(&content);
        }
    });
}

#[test]
fn images_cut_short_never_panic() {
    let Some(image) = small_image("dup") else { return };
    let bytes = fs::read(image.path()).unwrap();
    for length in [0, 65_535, 65_536, 69_632, 1 << 20, 5 << 20, 14 << 20, 20 << 20] {
        if let Ok(fs) = Btrfs::open(Arc::new(bytes[..length].to_vec())) {
            assert!(read_everything(&fs) > 0);
        }
    }
    assert_eq!(read_everything(&image.open()), 0);
}
