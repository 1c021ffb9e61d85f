//! What could not be read is said in words that help.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;

use amint_types::Hint as _;
use amint_types::scan::{CoverageStatus, ScanVerdict};

use crate::disk::{LINUX, disk, ext4};
use crate::root::Root;
use crate::support::{has_tools, look, open, part, sh};

/// A disk whose first partition holds a Debian root, and whose second holds `content`.
fn beside_a_root(root: &Root, content: &str) -> std::path::PathBuf {
    let files = ext4(root, "root", "rootfs", 16, "-L root");
    disk(root, "disk.raw", &[(LINUX, "root", files), (LINUX, "other", root.beside(content))])
}

#[test]
fn an_encrypted_partition_is_named_as_such() {
    if !has_tools(&["mke2fs", "sfdisk", "cryptsetup"]) {
        return;
    }
    let root = Root::debian();
    sh(
        root.folder.path(),
        "truncate -s 20M luks && printf secret | cryptsetup luksFormat -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 luks -",
    );
    let document = look(&beside_a_root(&root, "luks"));
    assert_eq!(document.verdict, ScanVerdict::Unread);
    assert_eq!(document.reasons, ["partition 2 (other) (luks2) was not read: it is encrypted"]);
}

#[test]
fn unknown_content_is_not_passed_over_and_swap_and_zeros_are() {
    if !has_tools(&["mke2fs", "sfdisk", "mkswap"]) {
        return;
    }
    let root = Root::debian();
    let noise: Vec<u8> =
        (0_u32..1 << 20).map(|at| at.wrapping_mul(2_654_435_761).to_be_bytes()[0] | 1).collect();
    fs::write(root.beside("noise"), noise).unwrap();
    let document = look(&beside_a_root(&root, "noise"));
    assert_eq!(document.verdict, ScanVerdict::Unread);
    assert!(document.reasons[0].contains("partition 2 (other)"), "{:?}", document.reasons);
    assert!(document.reasons[0].contains("nothing that amint knows"), "{:?}", document.reasons);

    sh(root.folder.path(), "truncate -s 2M swap && mkswap -q swap && truncate -s 2M zeros");
    for name in ["swap", "zeros"] {
        let document = look(&beside_a_root(&root, name));
        assert_eq!(document.verdict, ScanVerdict::Pass, "{name}: {:?}", document.reasons);
        assert_eq!(part(&document, "2").status, CoverageStatus::Empty, "{name}");
    }
}

#[test]
fn damaged_file_systems_say_what_is_damaged() {
    if !has_tools(&["mke2fs", "sfdisk", "mkfs.xfs", "debugfs"]) {
        return;
    }
    let root = Root::debian();
    sh(root.folder.path(), "truncate -s 320M xfs && mkfs.xfs -q xfs");
    let file = OpenOptions::new().write(true).open(root.beside("xfs")).unwrap();
    file.write_all_at(b"\xff\xff\xff\xff", 8).unwrap();
    let document = look(&beside_a_root(&root, "xfs"));
    assert_eq!(part(&document, "2").status, CoverageStatus::Unread, "{:#?}", document.coverage);
    assert!(document.reasons[0].contains("(xfs) was not read: "), "{:?}", document.reasons);

    // A block in the middle of the first table of inodes.
    let image = ext4(&root, "root", "rootfs", 16, "-L root -b 1024 -g 8192");
    let file = OpenOptions::new().write(true).open(&image).unwrap();
    let place = std::process::Command::new("debugfs").args(["-R", "imap <60>"]).arg(&image).output().unwrap();
    let text = String::from_utf8(place.stdout).unwrap();
    let block: u64 =
        text.split("located at block ").nth(1).unwrap().split(',').next().unwrap().parse().unwrap();
    file.write_all_at(&[0xa5; 1024], block * 1024).unwrap();
    let document = look(&image);
    let reason = &document.reasons[0];
    assert_eq!(document.verdict, ScanVerdict::Unread);
    assert!(reason.starts_with("the whole disk (ext4) was read in part: /"), "{reason}");
}

#[test]
fn a_damaged_partition_table_that_was_read_from_its_copy_is_told() {
    if !has_tools(&["mke2fs", "sfdisk"]) {
        return;
    }
    let root = Root::debian();
    let image = disk(&root, "disk.raw", &[(LINUX, "root", ext4(&root, "root", "rootfs", 16, "-L root"))]);
    OpenOptions::new().write(true).open(&image).unwrap().write_all_at(&[0xff; 8], 512 + 40).unwrap();
    let document = look(&image);
    let told = part(&document, "whole image").notes.join(" ");
    assert!(told.contains("first partition table is damaged"), "{told}");
    assert_eq!(document.verdict, ScanVerdict::Pass, "{:?}", document.reasons);
}

#[test]
fn what_is_no_image_is_refused_with_what_to_try() {
    let root = Root::debian();
    let error = open(std::path::Path::new("/dev/null")).err().unwrap();
    assert!(error.to_string().contains("no image"), "{error}");
    assert!(error.hint().is_some());
    assert!(open(&root.beside("nothing")).is_err());
    File::create(root.beside("empty")).unwrap();
    assert!(open(&root.beside("empty")).err().unwrap().hint().is_some());
}

#[test]
fn noise_and_folders_without_a_system_say_that_there_is_none() {
    let root = Root::debian();
    let noise: Vec<u8> =
        (0_u32..1 << 20).map(|at| at.wrapping_mul(2_654_435_761).to_be_bytes()[0] | 1).collect();
    fs::write(root.beside("noise"), noise).unwrap();
    let document = look(&root.beside("noise"));
    assert_eq!(
        document.reasons,
        [
            "the whole disk (unknown) was not read: its content is nothing that amint knows",
            "no operating system was found"
        ]
    );
    root.remove("etc");
    root.remove("var");
    let document = look(&root.path());
    assert_eq!(document.reasons, ["no operating system was found"]);
    assert_eq!(document.verdict, ScanVerdict::Unread);
}
