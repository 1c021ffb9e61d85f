//! Free space: nothing that is used, and all that is not.

use std::fs::{self, OpenOptions};
use std::ops::{ControlFlow, Range};
use std::os::unix::fs::FileExt as _;

use amint_btrfs::Btrfs;
use amint_fs::{FileSystem as _, read_file};

use crate::support::{FileSource, Image, noise, run};

fn free_ranges(fs: &Btrfs) -> Vec<Range<u64>> {
    let mut ranges: Vec<Range<u64>> = Vec::new();
    fs.free_ranges(&mut |range| {
        assert!(ranges.last().is_none_or(|last| last.end < range.start), "in order and merged");
        assert!(!range.is_empty());
        ranges.push(range);
        ControlFlow::Continue(())
    })
    .unwrap();
    ranges
}

/// Overwrites free space.
pub(crate) fn overwrite_free(image: &Image) {
    let ranges = free_ranges(&image.open());
    let file = OpenOptions::new().write(true).open(image.path()).unwrap();
    let junk = vec![0xa5; 1 << 20];
    for range in ranges {
        let mut at = range.start;
        while at < range.end {
            let bytes = (range.end - at).min(junk.len() as u64);
            file.write_all_at(&junk[..usize::try_from(bytes).unwrap()], at).unwrap();
            at += bytes;
        }
    }
}

/// Overwrites free space and lets `btrfs check` look at everything.
fn fill_and_check(image: &Image) {
    overwrite_free(image);
    let path = image.path();
    assert!(run("btrfs", &["check", "--check-data-csum", path.to_str().unwrap()]), "btrfs check");
}

#[test]
fn every_byte_is_used_or_free() {
    let Some(image) = Image::make(300, &["-m", "single", "-d", "single"]) else { return };
    if let Some(mount) = image.mount("noatime") {
        fs::write(mount.at("large"), noise(20 << 20, 1)).unwrap();
        for number in 0..2000 {
            fs::write(mount.at(&format!("file {number}")), noise(5000, number)).unwrap();
        }
        for number in (0..2000).step_by(2) {
            fs::remove_file(mount.at(&format!("file {number}"))).unwrap();
        }
    }
    let superblock = fs::read(image.path()).unwrap()[64 << 10..][..4096].to_vec();
    let used = u64::from_le_bytes(superblock[120..128].try_into().unwrap());
    let total = u64::from_le_bytes(superblock[112..120].try_into().unwrap());
    let fs = image.open();
    let free: u64 = free_ranges(&fs).iter().map(|range| range.end - range.start).sum();
    // The first MiB is reserved, and one mirror of the superblock lies behind it.
    assert_eq!(free + used + (1 << 20) + 4096, total);
    fill_and_check(&image);
}

#[test]
fn free_space_between_two_copies_and_in_mixed_groups_can_be_overwritten() {
    for options in [&["-m", "dup", "-n", "4096"][..], &["--mixed"]] {
        let Some(image) = Image::make(200, options) else { return };
        if let Some(mount) = image.mount("noatime") {
            fs::write(mount.at("large"), noise(10 << 20, 1)).unwrap();
            mount.run("btrfs", &["-q", "subvolume", "snapshot", "-r", "@/", "@/snapshot"]);
            fs::write(mount.at("large"), noise(3 << 20, 2)).unwrap();
        }
        fill_and_check(&image);
        if let Some(mount) = image.mount("ro") {
            let fs = Btrfs::open(FileSource::open(&image.path())).unwrap();
            assert!(
                read_file(&fs, b"snapshot/large", 1 << 30).unwrap()
                    == fs::read(mount.at("snapshot/large")).unwrap()
            );
        }
    }
}

#[test]
fn deleted_content_is_in_free_space() {
    let Some(image) = Image::make(200, &[]) else { return };
    let Some(mount) = image.mount("noatime,nodiscard") else { return };
    fs::write(mount.at("secret"), b"the secret of the day\n".repeat(1000)).unwrap();
    mount.run("sync", &["-f", "@/secret"]);
    fs::remove_file(mount.at("secret")).unwrap();
    drop(mount);
    let bytes = fs::read(image.path()).unwrap();
    let place = bytes.windows(22).position(|window| window == b"the secret of the day\n").unwrap() as u64;
    let fs = image.open();
    assert!(free_ranges(&fs).iter().any(|range| range.contains(&place)));
    // A visitor that has enough is not asked again.
    let mut count = 0;
    fs.free_ranges(&mut |_| {
        count += 1;
        ControlFlow::Break(())
    })
    .unwrap();
    assert_eq!(count, 1);
}
