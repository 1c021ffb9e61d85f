//! Images that the kernel writes: every node has to be as the kernel shows it, also while the journal is still full.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use amint_fs::{FileSystem as _, Kind};
use rustix::fs::FallocateFlags;

use crate::facts::{assert_same, of_folder, of_image};
use crate::support::{Image, command, has_tools, is_root};
use crate::tree::{fill, noise, set};

/// An image that is mounted until it is dropped.
struct Mounted {
    point: PathBuf,
    _folder: tempfile::TempDir,
}

impl Mounted {
    /// Mounts an image; none where that is not possible, said loudly.
    fn new(image: &Path, options: &str) -> Option<Self> {
        if !is_root() || !has_tools(&["mount", "umount", "mke2fs"]) {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let point = folder.path().join("mounted");
        fs::create_dir(&point).unwrap();
        let options = format!("loop,noatime,{options}");
        let output =
            command("mount").args(["-t", "ext4", "-o", &options]).arg(image).arg(&point).output().unwrap();
        if !output.status.success() {
            eprintln!(
                "SKIPPED: needs a kernel that mounts {options}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
            return None;
        }
        Some(Self { point, _folder: folder })
    }

    /// Writes the journal, and nothing else.
    fn commit(&self) {
        File::open(&self.point).unwrap().sync_all().unwrap();
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // When a test fails, files may still be open.
        let is_gone = command("umount").arg(&self.point).status().is_ok_and(|status| status.success());
        if !is_gone {
            let _ = command("umount").arg("-l").arg(&self.point).status();
        }
    }
}

/// Adds what only a kernel makes: space that holds nothing yet, content in pieces, names that are gone.
fn fill_further(root: &Path) {
    let file = File::create(root.join("reserved")).unwrap();
    // ext3 cannot.
    let _ = rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, 200_000);
    file.write_all_at(b"middle", 100_000).unwrap();
    let (one, two) = (File::create(root.join("one")).unwrap(), File::create(root.join("two")).unwrap());
    for number in 0..60 {
        one.write_all_at(&noise(3000, number), number * 3000).unwrap();
        one.sync_data().unwrap();
        two.write_all_at(&noise(3000, number + 99), number * 3000).unwrap();
        two.sync_data().unwrap();
    }
    // Names so long that an index in blocks of 1 KiB gets a second level.
    fs::create_dir(root.join("crowd")).unwrap();
    for number in 0..1500 {
        File::create(root.join("crowd").join(format!("{number:0200}"))).unwrap();
    }
    for number in (0..1500).step_by(3) {
        fs::remove_file(root.join("crowd").join(format!("{number:0200}"))).unwrap();
    }
    set(&root.join("one"), "user.some", &noise(600, 5));
}

#[test]
fn every_node_is_as_the_kernel_wrote_it() {
    let combinations: &[(&[&str], &str)] = &[
        (&["-t", "ext4", "-b", "1024"], "defaults"),
        (&["-t", "ext4", "-b", "4096", "-O", "inline_data,ea_inode"], "defaults"),
        (&["-t", "ext3", "-b", "1024", "-O", "^resize_inode"], "defaults"),
    ];
    for (arguments, options) in combinations {
        let image = Image::make(arguments, None, "64M");
        let Some(mounted) = Mounted::new(&image.path(), options) else { return };
        fill(&mounted.point);
        fill_further(&mounted.point);
        if arguments.concat().contains("ea_inode") {
            set(&mounted.point.join("one"), "user.large", &noise(50_000, 8));
        }
        let expected = of_folder(&mounted.point);
        drop(mounted);
        let ext = image.open().unwrap();
        assert_eq!(ext.info().notes, Vec::<String>::new());
        assert_same(&of_image(&ext), &expected, &format!("{arguments:?}"));
    }
}

/// Makes, removes and makes again, so that the journal wraps and revokes.
fn churn(mounted: &Mounted, writes_content: bool) {
    let write = |path: PathBuf, content: Vec<u8>| {
        let mut file = File::create(path).unwrap();
        file.write_all(&content).unwrap();
        if writes_content {
            file.sync_data().unwrap();
        }
    };
    for round in 0..12_u64 {
        let folder = mounted.point.join(format!("round-{round}"));
        fs::create_dir(&folder).unwrap();
        for number in 0..40_u64 {
            write(folder.join(format!("{number:0100}")), noise(900, number));
        }
        mounted.commit();
        if round % 2 == 0 {
            fs::remove_dir_all(&folder).unwrap();
            write(mounted.point.join(format!("after-{round}")), noise(60_000, round));
            mounted.commit();
        }
    }
}

#[test]
fn a_full_journal_is_replayed_as_the_kernel_would() {
    let combinations: &[(&[&str], &str)] = &[
        (&["-t", "ext4", "-b", "1024", "-J", "size=1"], "nodelalloc"),
        (&["-t", "ext4", "-b", "1024", "-J", "size=4"], "data=journal"),
        (
            &["-t", "ext4", "-b", "1024", "-O", "^metadata_csum,^64bit", "-J", "size=2"],
            "nodelalloc,journal_checksum",
        ),
        (&["-t", "ext4", "-b", "4096", "-J", "size=4"], "data=writeback,nodelalloc,journal_async_commit"),
        (
            &["-t", "ext4", "-b", "4096", "-O", "^metadata_csum"],
            "data=writeback,nodelalloc,journal_async_commit",
        ),
        (&["-t", "ext3", "-b", "1024"], "data=journal"),
    ];
    for (arguments, options) in combinations {
        let image = Image::make(arguments, None, "24M");
        let Some(mounted) = Mounted::new(&image.path(), options) else { continue };
        // In this mode a commit does not wait for content.
        churn(&mounted, options.contains("writeback"));
        let copy = Image::copy_of(&image);
        let expected = of_folder(&mounted.point);
        drop(mounted);
        let ext = copy.open().unwrap();
        let context = format!("{arguments:?} {options}: {:?}", ext.info().notes);
        assert!(
            ext.info().notes.iter().any(|note| note.starts_with("journal replayed in memory")),
            "{context}"
        );
        assert_same(&of_image(&ext), &expected, &context);
    }
}

#[test]
fn fast_commits_are_noted() {
    let image = Image::make(&["-t", "ext4", "-b", "1024", "-O", "fast_commit"], None, "24M");
    let Some(mounted) = Mounted::new(&image.path(), "defaults") else { return };
    fs::write(mounted.point.join("before"), "1").unwrap();
    rustix::fs::syncfs(File::open(&mounted.point).unwrap()).unwrap();
    let file = File::create(mounted.point.join("last")).unwrap();
    file.sync_all().unwrap();
    file.write_all_at(b"more", 0).unwrap();
    file.sync_all().unwrap();
    let copy = Image::copy_of(&image);
    drop(file);
    drop(mounted);
    let ext = copy.open().unwrap();
    assert!(ext.info().notes.iter().any(|note| note.contains("fast commits")), "{:?}", ext.info().notes);
    assert!(ext.lookup(ext.root(), b"before").is_ok());
}

#[test]
fn files_deleted_while_in_use_are_found() {
    let image = Image::make(&["-t", "ext4", "-b", "1024"], None, "24M");
    let Some(mounted) = Mounted::new(&image.path(), "nodelalloc") else { return };
    let path = mounted.point.join("secret");
    let content = noise(50_000, 3);
    fs::write(&path, &content).unwrap();
    let held = File::open(&path).unwrap();
    fs::remove_file(&path).unwrap();
    mounted.commit();
    let copy = Image::copy_of(&image);
    drop(held);
    drop(mounted);
    let ext = copy.open().unwrap();
    assert!(ext.info().notes.iter().any(|note| note.contains("deleted while still in use")));
    let found = crate::deleted::contents(&ext);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].1, Kind::File);
    assert!(found[0].2 == content);
}
