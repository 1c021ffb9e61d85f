//! The promise: an image is never called clean when a part of it was not read.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use amint_types::scan::{ScanDocument, ScanVerdict};

use crate::containers::xfs;
use crate::disk::{EFI, LINUX, disk, efi, ext4};
use crate::root::Root;
use crate::support::{has_tools, inventory, look_at, open, sh};

const SECTOR: usize = 512;
/// How often each image is damaged.
const ROUNDS: u64 = 200;

/// Numbers that are the same in every run (xorshift64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }
}

/// Finds the sectors that hold something which is no file's content: the metadata.
fn metadata_sectors(image: &Path, root: &Path) -> Vec<u64> {
    fn add(folder: &Path, contents: &mut HashSet<Vec<u8>>) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                add(&entry.path(), contents);
            } else if entry.file_type().unwrap().is_file() {
                for sector in fs::read(entry.path()).unwrap().chunks(SECTOR) {
                    let mut sector = sector.to_vec();
                    sector.resize(SECTOR, 0);
                    contents.insert(sector);
                }
            }
        }
    }
    let mut contents = HashSet::from([vec![0; SECTOR]]);
    add(root, &mut contents);
    let bytes = fs::read(image).unwrap();
    let is_metadata = |sector: &&[u8]| !sector.iter().all(|byte| *byte == 0) && !contents.contains(*sector);
    (0..)
        .zip(bytes.chunks_exact(SECTOR))
        .filter(|(_, sector)| is_metadata(sector))
        .map(|(at, _)| at)
        .collect()
}

/// What one kind of damage came to.
#[derive(Debug, Default)]
struct Tally {
    unread: u64,
    clean: u64,
    refused: u64,
}

/// Damages an image many times, each time at one place, and gives each document that was called clean to `check`.
fn damage(image: &Path, sectors: &[u64], seed: u64, check: &dyn Fn(&ScanDocument)) -> Tally {
    let file = OpenOptions::new().read(true).write(true).open(image).unwrap();
    let mut numbers = Numbers(seed);
    let mut tally = Tally::default();
    for _ in 0..ROUNDS {
        let at = sectors[numbers.below(sectors.len())] * SECTOR as u64;
        let mut whole = [0; SECTOR];
        file.read_exact_at(&mut whole, at).unwrap();
        let mut damaged = whole;
        let bytes = [1, 4, 32, SECTOR][numbers.below(4)];
        let start = numbers.below(SECTOR - bytes + 1);
        for byte in &mut damaged[start..start + bytes] {
            *byte = numbers.below(256).try_into().unwrap();
        }
        file.write_all_at(&damaged, at).unwrap();
        match open(image) {
            Err(_) => tally.refused += 1,
            Ok(opened) => {
                let document = look_at(&opened, 1).document;
                if document.verdict == ScanVerdict::Pass {
                    tally.clean += 1;
                    check(&document);
                } else {
                    assert!(!document.reasons.is_empty());
                    tally.unread += 1;
                }
            }
        }
        file.write_all_at(&whole, at).unwrap();
    }
    tally
}

fn sound(image: &Path) -> ScanDocument {
    let document = look_at(&open(image).unwrap(), 1).document;
    assert_eq!(document.verdict, ScanVerdict::Pass, "{:#?}", document.reasons);
    document
}

/// With checksums over all metadata, whatever is called clean is all there.
fn assert_whole_or_told(root: &Root, image: &Path, seed: u64) {
    let expected = inventory(&sound(image));
    let sectors = metadata_sectors(image, &root.path());
    let tally = damage(image, &sectors, seed, &|document| assert_eq!(inventory(document), expected));
    assert!(tally.unread + tally.refused > 0, "{tally:?}");
}

#[test]
fn damage_in_ext4_is_never_called_clean() {
    if !has_tools(&["mke2fs", "sfdisk", "mkfs.vfat", "mcopy"]) {
        return;
    }
    let root = Root::debian();
    let files = ext4(&root, "root", "rootfs", 16, "-L root -O metadata_csum,has_journal -J size=1");
    let image = disk(&root, "disk.raw", &[(EFI, "esp", efi(&root)), (LINUX, "root", files)]);
    assert_whole_or_told(&root, &image, 0x5eed_0001);
}

#[test]
fn damage_in_xfs_is_never_called_clean() {
    if !has_tools(&["mkfs.xfs"]) {
        return;
    }
    let root = Root::debian();
    xfs(&root);
    assert_whole_or_told(&root, &root.beside("xfs"), 0x5eed_0002);
}

#[test]
fn damage_in_btrfs_is_never_called_clean() {
    if !has_tools(&["mkfs.btrfs"]) {
        return;
    }
    let root = Root::debian();
    sh(root.folder.path(), "truncate -s 128M btrfs && mkfs.btrfs -q -m single --rootdir root btrfs");
    assert_whole_or_told(&root, &root.beside("btrfs"), 0x5eed_0003);
}

/// Without checksums a name or a number may change unseen, but no package of the system is lost without a word.
#[test]
fn damage_without_checksums_loses_no_package_without_a_word() {
    if !has_tools(&["mke2fs"]) {
        return;
    }
    let root = Root::debian();
    let image: PathBuf = ext4(&root, "root", "rootfs", 16, "-L root -b 1024 -O ^metadata_csum,^has_journal");
    let expected = packages(&sound(&image));
    let sectors = metadata_sectors(&image, &root.path());
    let tally = damage(&image, &sectors, 0x5eed_0004, &|document| assert_eq!(packages(document), expected));
    assert!(tally.unread > 0);
}

fn packages(document: &ScanDocument) -> Vec<(String, String)> {
    let of_system = document.packages.iter().filter(|package| package.kind.is_of_system());
    of_system.map(|package| (package.name.clone(), package.version.clone())).collect()
}

#[test]
fn an_image_that_is_cut_off_is_never_called_clean() {
    if !has_tools(&["mke2fs"]) {
        return;
    }
    let root = Root::debian();
    let image = ext4(&root, "root", "rootfs", 16, "-L root");
    let expected = inventory(&sound(&image));
    let bytes = fs::metadata(&image).unwrap().len();
    for eighth in (0..8).rev() {
        File::options().write(true).open(&image).unwrap().set_len(bytes / 8 * eighth).unwrap();
        let Ok(opened) = open(&image) else { continue };
        let document = look_at(&opened, 1).document;
        assert!(document.verdict != ScanVerdict::Pass || inventory(&document) == expected, "{eighth}/8");
    }
}

#[test]
fn an_archive_that_is_cut_off_is_refused() {
    if !has_tools(&["tar"]) {
        return;
    }
    let root = Root::debian();
    sh(root.folder.path(), "tar -C root --format=pax --sort=name -cf root.tar .");
    let image = root.beside("root.tar");
    let expected = inventory(&sound(&image));
    let bytes = fs::metadata(&image).unwrap().len();
    for eighth in (1..8).rev() {
        File::options().write(true).open(&image).unwrap().set_len((bytes / 8 * eighth) & !511).unwrap();
        match open(&image) {
            Ok(opened) => assert_eq!(inventory(&look_at(&opened, 1).document), expected),
            Err(error) => assert!(amint_types::Hint::hint(&error).is_some(), "{error:?}"),
        }
    }
}

#[test]
fn an_empty_block_amid_an_archive_does_not_end_it() {
    if !has_tools(&["tar"]) {
        return;
    }
    let root = Root::debian();
    sh(root.folder.path(), "tar -C root --format=ustar --sort=name -cf root.tar .");
    let image = root.beside("root.tar");
    let bytes = fs::read(&image).unwrap();
    let is_header = |block: &&[u8]| block.get(257..262) == Some(b"ustar");
    let places: Vec<usize> = (0..)
        .zip(bytes.chunks(SECTOR))
        .filter(|(_, block)| is_header(block))
        .map(|(at, _)| at * SECTOR)
        .collect();
    for place in places.iter().skip(1).step_by(29) {
        let mut damaged = bytes.clone();
        damaged[*place..*place + SECTOR].fill(0);
        fs::write(&image, damaged).unwrap();
        assert!(open(&image).is_err(), "{place}");
    }
}

mod archives {
    //! Archives of any bytes.

    use std::process::Command;
    use std::sync::{Arc, OnceLock};

    use amint_fs::FileSystem;
    use amint_inspect::index::{Index, MountPlan};
    use amint_inspect::source::TarFs;
    use amint_types::Cancel;
    use proptest::prelude::*;

    /// A small archive of each type of entry, as GNU tar writes it.
    fn archive() -> &'static [u8] {
        static ARCHIVE: OnceLock<Vec<u8>> = OnceLock::new();
        ARCHIVE.get_or_init(|| {
            let folder = tempfile::tempdir().unwrap();
            let line = "mkdir -p r/a/b; echo x > r/a/f; ln r/a/f r/a/g; ln -s f r/a/l; mkfifo r/p; tar -C r --format=pax --sort=name -cf - .";
            let made = Command::new("sh").args(["-ec", line]).current_dir(folder.path()).output().unwrap();
            made.stdout
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

        #[test]
        fn damage_ends_in_an_error_or_in_a_walk_that_ends(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
            cut in any::<prop::sample::Index>(),
            is_cut in any::<bool>(),
        ) {
            let mut bytes = archive().to_vec();
            for (at, value) in changes {
                let at = at.index(bytes.len());
                bytes[at] = value;
            }
            if is_cut {
                bytes.truncate(cut.index(bytes.len()));
            }
            let source = Arc::new(bytes);
            let _ = TarFs::has_description(&*source);
            if let Ok(opened) = TarFs::open(source) {
                let root = opened.root();
                let plan = MountPlan { file_system: Arc::new(opened), root, path: b"/".to_vec() };
                let index = Index::build(vec![plan], &Cancel::new()).unwrap();
                for (id, _) in index.iter() {
                    let _ = index.read(id, 1 << 20);
                    let _ = index.find(&index.path(id));
                }
            }
        }
    }
}
