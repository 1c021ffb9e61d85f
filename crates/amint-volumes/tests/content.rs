//! What lies in a part, as the tools that make file systems make it.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "what tests call fails and skips as tests do")]

mod common;

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::Path;

use amint_volumes::{Content, detect, divide};
use common::{command, disk, has_tool, run, sparse};
use proptest::prelude::*;

const MIB: u64 = 1 << 20;

fn found(path: &Path) -> Content {
    detect(disk(path).as_ref()).unwrap()
}

#[test]
fn what_the_tools_make_is_recognised() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fs");
    let cases: &[(&[&str], u64, Content)] = &[
        (&["mkfs.ext4", "-q", "-F"], 8, Content::Ext),
        (&["mkfs.ext2", "-q", "-F", "-b", "1024"], 4, Content::Ext),
        (&["mkfs.xfs", "-q", "-f"], 320, Content::Xfs),
        (&["mkfs.btrfs", "-q", "-f"], 128, Content::Btrfs),
        (&["mkfs.vfat", "-F", "12"], 2, Content::Fat),
        (&["mkfs.vfat", "-F", "16"], 32, Content::Fat),
        (&["mkfs.vfat", "-F", "32", "-S", "4096"], 300, Content::Fat),
        (&["mkfs.exfat"], 16, Content::Exfat),
        (&["mkntfs", "-q", "-F", "-f"], 8, Content::Ntfs),
        (&["mkfs.f2fs", "-q", "-f"], 64, Content::F2fs),
        (&["mkfs.reiserfs", "-q", "-ff"], 40, Content::Reiserfs),
        (&["mkfs.jfs", "-q"], 20, Content::Jfs),
        (&["mkswap", "-q"], 2, Content::Swap { is_hibernated: false }),
        (&["mkswap", "-q", "-p", "65536"], 2, Content::Swap { is_hibernated: false }),
    ];
    for (line, mib, expected) in cases {
        let Some((tool, arguments)) = line.split_first() else { continue };
        if has_tool(tool) {
            sparse(&path, mib * MIB);
            let output = command(tool).args(arguments).arg(&path).output().unwrap();
            assert!(output.status.success(), "{line:?}: {}", String::from_utf8_lossy(&output.stderr));
            assert_eq!(found(&path), *expected, "{line:?}");
        }
    }
    let tree = folder.path().join("tree");
    std::fs::create_dir(&tree).unwrap();
    std::fs::write(tree.join("file"), "content").unwrap();
    for (tool, flags, expected, is_target_last) in [
        ("mksquashfs", &["-quiet", "-noappend"][..], Content::Squashfs, true),
        ("mkfs.erofs", &[], Content::Erofs, false),
        ("genisoimage", &["-quiet", "-o"], Content::Iso9660, false),
    ] {
        if has_tool(tool) {
            let _ = std::fs::remove_file(&path);
            let mut call = command(tool);
            match (is_target_last, tool) {
                (true, _) => call.arg(&tree).arg(&path).args(flags),
                _ => call.args(flags).arg(&path).arg(&tree),
            };
            run(&mut call);
            assert_eq!(found(&path), expected, "{tool}");
        }
    }
}

#[test]
fn luks_tells_its_version_and_id() {
    if !has_tool("cryptsetup") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (path, key) = (folder.path().join("disk"), folder.path().join("key"));
    std::fs::write(&key, "secret").unwrap();
    for (kind, version) in [("luks1", 1), ("luks2", 2)] {
        sparse(&path, 32 * MIB);
        let uuid = "0d29b9a4-4b79-4f4c-8a2f-1d4b1f0f0a11";
        run(command("cryptsetup")
            .args(["luksFormat", "-q", "--type", kind, "--uuid", uuid, "--pbkdf", "pbkdf2"])
            .args(["--pbkdf-force-iterations", "1000", "--key-file"])
            .args([&key, &path]));
        let content = found(&path);
        assert_eq!(content, Content::Luks { version, uuid: uuid.to_owned() });
        assert_eq!(content.name(), kind);
        assert!(content.is_encrypted());
    }
}

#[test]
fn a_hibernated_system_is_noted() {
    if !has_tool("mkswap") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("swap");
    sparse(&path, 2 * MIB);
    run(command("mkswap").arg("-q").arg(&path));
    OpenOptions::new().write(true).open(&path).unwrap().write_all_at(b"S1SUSPEND\0", 4086).unwrap();
    let division = divide(disk(&path)).unwrap();
    assert_eq!(division.parts[0].content, Content::Swap { is_hibernated: true });
    assert!(division.notes[0].contains("hibernation image"), "{:?}", division.notes);
}

/// A superblock of software RAID, version 1.x, for a place.
fn raid_superblock(sector: u64, level: u32) -> Vec<u8> {
    let mut bytes = vec![0; 256];
    bytes[..4].copy_from_slice(&0xa92b_4efc_u32.to_le_bytes());
    bytes[4..8].copy_from_slice(&1_u32.to_le_bytes());
    bytes[72..76].copy_from_slice(&level.to_le_bytes());
    bytes[144..152].copy_from_slice(&sector.to_le_bytes());
    bytes
}

#[test]
fn raid_members_are_recognised_at_either_end_and_mirrors_read_as_what_they_mirror() {
    let put = |at: usize, level: u32| {
        let mut bytes = vec![0; 1 << 20];
        let superblock = raid_superblock((at / 512) as u64, level);
        bytes[at..at + 256].copy_from_slice(&superblock);
        detect(&bytes).unwrap()
    };
    assert_eq!(put(4096, 1), Content::RaidMember);
    assert_eq!(put(0, 5), Content::RaidMember);
    assert_eq!(put((1 << 20) - 8192, 5), Content::RaidMember);
    assert_ne!(put((1 << 20) - 8192, 1), Content::RaidMember);
    let mut misplaced = vec![0; 1 << 20];
    misplaced[4096..4352].copy_from_slice(&raid_superblock(0, 5));
    assert_eq!(detect(&misplaced).unwrap(), Content::Unknown);
}

#[test]
fn marks_without_sense_around_them_are_not_believed() {
    let mut bytes = vec![0xa5; 1 << 20];
    bytes[..4].copy_from_slice(b"XFSB");
    bytes[1024 + 56..1024 + 58].copy_from_slice(&[0x53, 0xef]);
    bytes[510..512].copy_from_slice(&[0x55, 0xaa]);
    bytes[65536 + 64..65536 + 72].copy_from_slice(b"_BHRfS_M");
    assert_eq!(detect(&bytes).unwrap(), Content::Unknown);
}

#[test]
fn zeros_are_empty_and_one_byte_in_the_first_mebibyte_is_not() {
    assert_eq!(detect(&vec![0; 3 << 20]).unwrap(), Content::Empty);
    let mut bytes = vec![0; 3 << 20];
    bytes[777_777] = 1;
    assert_eq!(detect(&bytes).unwrap(), Content::Unknown);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn random_bytes_are_not_taken_for_anything(seed in any::<u64>()) {
        let mut state = seed | 1;
        let bytes: Vec<u8> = (0..300_000)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state.to_le_bytes()[3]
            })
            .collect();
        prop_assert_eq!(detect(&bytes).unwrap(), Content::Unknown);
    }
}
