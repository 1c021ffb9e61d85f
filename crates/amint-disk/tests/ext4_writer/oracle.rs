//! What `e2fsck`, `debugfs` and `dumpe2fs` say about our file systems.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use amint_disk::ext4::minimum_bytes;

use super::support::{
    Bench, CAPABILITY, EPOCH, MIB, access_list, assert_clean, is_root, look, make_nasty_tree, options, tool,
    write,
};

fn debugfs(image: &Path, command: &str) -> Option<String> {
    let output = tool("debugfs", &["-R".as_ref(), command.as_ref(), image.as_ref()])?;
    assert!(output.status.success());
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn e2fsck_finds_no_fault_in_a_nasty_tree() {
    let bench = Bench::new();
    make_nasty_tree(&bench.tree());
    let summary = write(&bench.tree(), &bench.image(), 0, &options(300 * MIB)).unwrap();
    assert_clean(&bench.image());
    assert_eq!(summary.directories, 4, "root, lost+found, empty and many");
    assert_eq!(summary.symlinks, 6);
    assert_eq!(summary.used_bytes + summary.free_bytes, 300 * MIB);
}

#[test]
fn debugfs_reads_back_contents_owners_modes_and_times() {
    let bench = Bench::new();
    make_nasty_tree(&bench.tree());
    write(&bench.tree(), &bench.image(), 0, &options(300 * MIB)).unwrap();
    let copy = bench.path("copy");
    fs::create_dir(&copy).unwrap();
    if debugfs(&bench.image(), &format!("rdump / {}", copy.display())).is_none() || !is_root() {
        return;
    }
    let (source, copied) = (look(&bench.tree()), look(&copy));
    let mut compared = 0;
    for (path, seen) in &source {
        let is_file = seen.mode & 0o170_000 == 0o100_000;
        let is_link = seen.mode & 0o170_000 == 0o120_000;
        if !is_file && !is_link {
            continue;
        }
        let copy = &copied[path];
        assert_eq!(copy.content, seen.content, "{}", path.display());
        if is_file {
            // debugfs sets owners after modes, which clears setuid, and knows only times since 1970.
            assert_eq!((copy.mode ^ seen.mode) & 0o777, 0, "{}", path.display());
            assert_eq!(copy.owner, seen.owner, "{}", path.display());
            assert!(copy.mtime == seen.mtime || seen.mtime < 0, "{}", path.display());
        }
        compared += 1;
    }
    assert!(compared > 5000);
}

#[test]
fn debugfs_reads_back_attributes_and_access_lists() {
    let bench = Bench::new();
    make_nasty_tree(&bench.tree());
    write(&bench.tree(), &bench.image(), 0, &options(300 * MIB)).unwrap();
    let value = |path: &str, name: &str| {
        let out = bench.path("value");
        debugfs(&bench.image(), &format!("ea_get -f {} {path} {name}", out.display()))?;
        Some(fs::read(out).unwrap())
    };
    let Some(comment) = value("/large", "user.comment") else { return };
    assert_eq!(comment, b"hello");
    assert_eq!(value("/zeros", "user.long").unwrap(), [b'v'; 2000]);
    if is_root() {
        assert_eq!(value("/none", "security.capability").unwrap(), CAPABILITY);
        assert_eq!(value("/none", "trusted.long").unwrap(), [b'w'; 300]);
        // debugfs fills in zero where the kernel says "no id".
        assert_eq!(value("/large", "system.posix_acl_access").unwrap(), access_list(0));
        assert_eq!(value("/empty", "system.posix_acl_default").unwrap(), access_list(0));
        let node = debugfs(&bench.image(), "stat /nvme").unwrap();
        assert!(node.contains("Device major/minor number: 259:70000"), "{node}");
    }
}

#[test]
fn no_time_but_mtime_comes_from_the_source() {
    let bench = Bench::new();
    fs::write(bench.tree().join("file"), b"now").unwrap();
    write(&bench.tree(), &bench.image(), 0, &options(16 * MIB)).unwrap();
    let Some(text) = debugfs(&bench.image(), "stat /file") else { return };
    let expected = format!("0x{EPOCH:08x}:00000000");
    for time in ["ctime", "atime", "mtime", "crtime"] {
        assert!(text.contains(&format!("{time}: {expected}")), "{time} in {text}");
    }
}

#[test]
fn features_journal_and_reserve_are_those_of_mke2fs() {
    let header = |image: &Path| -> Option<BTreeMap<String, String>> {
        let output = tool("dumpe2fs", &["-h".as_ref(), image.as_ref()])?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let pairs = text.lines().filter_map(|line| line.split_once(':'));
        Some(pairs.map(|(key, value)| (key.to_owned(), value.trim().to_owned())).collect())
    };
    let bench = Bench::new();
    for bytes in [64 * MIB, 300 * MIB, 2048 * MIB, 20_480 * MIB] {
        write(&bench.tree(), &bench.image(), 0, &options(bytes)).unwrap();
        let reference = bench.path("reference");
        fs::File::create(&reference).unwrap().set_len(bytes).unwrap();
        let features = "none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,64bit,flex_bg,\
                        sparse_super,large_file,huge_file,dir_nlink,extra_isize,metadata_csum";
        let arguments = ["-q", "-t", "ext4", "-b", "4096", "-i", "16384", "-O", features];
        let mut arguments: Vec<&std::ffi::OsStr> = arguments.iter().map(AsRef::as_ref).collect();
        arguments.push(reference.as_ref());
        let Some(made) = tool("mke2fs", &arguments) else { return };
        assert!(made.status.success());
        let (Some(ours), Some(theirs)) = (header(&bench.image()), header(&reference)) else { return };
        for key in [
            "Filesystem features",
            "Filesystem flags",
            "Default mount options",
            "Filesystem state",
            "Inode count",
            "Block count",
            "Reserved block count",
            "Reserved GDT blocks",
            "Free inodes",
            "Inodes per group",
            "Flex block group size",
            "Group descriptor size",
            "Inode size",
            "Journal backup",
            "Total journal blocks",
            "Checksum type",
            "Default directory hash",
        ] {
            assert_eq!(ours.get(key), theirs.get(key), "{key} at {bytes} bytes");
        }
    }
}

#[test]
fn every_size_class_is_clean_and_sparse() {
    let bench = Bench::new();
    for number in 0..300 {
        fs::write(bench.tree().join(format!("file-{number}")), format!("{number}")).unwrap();
    }
    for size_mib in [8, 9, 33, 64, 127, 128, 129, 130, 300, 2048, 2049, 4099, 20_480] {
        let bytes = size_mib * MIB + if size_mib == 9 { 4096 } else { 0 };
        write(&bench.tree(), &bench.image(), 0, &options(bytes)).unwrap();
        assert_clean(&bench.image());
        let stored = fs::metadata(bench.image()).unwrap().blocks() * 512;
        assert!(stored < 24 * MIB, "{size_mib} MiB take {stored} bytes");
    }
}

#[test]
fn the_minimum_is_enough_and_so_is_every_larger_size() {
    let bench = Bench::new();
    for number in 0..40 {
        fs::write(bench.tree().join(format!("{number}")), super::support::noise(2 * MIB + number)).unwrap();
    }
    let many = bench.tree().join("many");
    fs::create_dir(&many).unwrap();
    for number in 0..2000 {
        fs::write(many.join(format!("{number}-{}", "y".repeat(100))), b"").unwrap();
    }
    let minimum = minimum_bytes(&bench.tree()).unwrap();
    assert!(minimum < 110 * MIB, "{minimum}");
    for more in [0, 1, 2, 5, 10, 20, 30, 31, 32, 33, 34, 36, 40, 60] {
        write(&bench.tree(), &bench.image(), 0, &options(minimum + more * MIB)).unwrap();
        assert_clean(&bench.image());
    }
}

#[test]
fn a_lost_and_found_of_the_tree_is_kept() {
    let bench = Bench::new();
    fs::create_dir(bench.tree().join("lost+found")).unwrap();
    fs::write(bench.tree().join("lost+found/found"), b"again").unwrap();
    fs::create_dir(bench.tree().join("lost+found/below")).unwrap();
    let summary = write(&bench.tree(), &bench.image(), 0, &options(16 * MIB)).unwrap();
    assert_clean(&bench.image());
    assert_eq!(summary.directories, 3);
    if let Some(text) = debugfs(&bench.image(), "cat /lost+found/found") {
        assert_eq!(text, "again");
    }
}
