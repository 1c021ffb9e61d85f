//! FAT file systems made by `mkfs.vfat` and filled by mtools, and damage done to them.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "what tests call fails and skips as tests do")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::ops::{ControlFlow, Range};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use amint_fat::Fat;
use amint_fs::{FileSystem, FsError, Kind, Node, NodeId, find, read_all, read_file};
use amint_types::ReadAt;
use proptest::prelude::*;

const MIB: u64 = 1 << 20;

struct Disk(File);

impl ReadAt for Disk {
    fn size_bytes(&self) -> u64 {
        self.0.metadata().unwrap().len()
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.0.read_exact_at(buffer, offset)
    }
}

fn has_tools() -> bool {
    for tool in ["mkfs.vfat", "mcopy", "mdir", "fsck.vfat"] {
        if !["/usr/sbin", "/usr/bin"].iter().any(|dir| Path::new(dir).join(tool).exists()) {
            eprintln!("SKIPPED: needs {tool}");
            return false;
        }
    }
    true
}

/// A command for an image, in UTC and with the code page that Linux takes.
fn command(tool: &str, folder: &Path) -> Command {
    let settings = folder.join("mtoolsrc");
    fs::write(&settings, "default_codepage=437\nmtools_skip_check=1\n").unwrap();
    let mut command = Command::new(tool);
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("TZ", "UTC").env("LC_ALL", "C.UTF-8");
    command.env("MTOOLSRC", settings).stdin(Stdio::null());
    command
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn make(folder: &Path, bytes: u64, arguments: &[&str]) -> std::path::PathBuf {
    let path = folder.join("image");
    let _ = fs::remove_file(&path);
    File::create(&path).unwrap().set_len(bytes).unwrap();
    run(command("mkfs.vfat", folder).args(arguments).arg(&path));
    path
}

fn open(path: &Path) -> Fat {
    let source: Arc<dyn ReadAt> = Arc::new(Disk(File::open(path).unwrap()));
    assert!(Fat::probe(source.as_ref()));
    Fat::open(source).unwrap()
}

/// Some content that depends on a number.
fn content(number: usize, bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| u8::try_from((at * 31 + at / 251 + number * 7) % 256).unwrap()).collect()
}

/// Fills a folder with names and sizes that matter.
fn fill(tree: &Path) {
    let names = [
        "UPPER.TXT",
        "lower.txt",
        "Mixed.Case",
        "lower.EXT",
        "UPPER.ext",
        "noext",
        "a.b.c.d",
        ".hidden",
        "with space.txt",
        "größe.txt",
        "日本語のファイル",
        "trailing.dots..x",
        "x+y=z;[1],2.txt",
    ];
    for (number, name) in names.iter().enumerate() {
        fs::write(tree.join(name), content(number, number * 700)).unwrap();
    }
    fs::write(tree.join("n".repeat(255)), b"long").unwrap();
    fs::write(tree.join("empty"), b"").unwrap();
    fs::write(tree.join("big"), content(99, 300_000)).unwrap();
    let mut deep = tree.to_owned();
    for level in 0..12 {
        deep = deep.join(format!("Level {level}"));
    }
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("bottom"), b"here").unwrap();
    let many = tree.join("many");
    fs::create_dir(&many).unwrap();
    for number in 0..300 {
        fs::write(many.join(format!("a rather long file name {number}")), content(number, number % 5))
            .unwrap();
    }
    fs::create_dir(tree.join("EMPTYDIR")).unwrap();
    for entry in fs::read_dir(tree).unwrap() {
        let file = File::open(entry.unwrap().path()).unwrap();
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_234_567_890);
        file.set_modified(time).unwrap();
    }
}

/// Everything in a file system, by path.
fn walk(fs: &dyn FileSystem) -> BTreeMap<String, (NodeId, Node, Vec<u8>)> {
    let mut all = BTreeMap::new();
    let mut pending = vec![(String::new(), fs.root())];
    while let Some((path, id)) = pending.pop() {
        let mut entries = Vec::new();
        fs.read_dir(id, &mut |entry| {
            entries.push((entry.name.to_vec(), entry.node, entry.kind));
            ControlFlow::Continue(())
        })
        .unwrap();
        for (name, child, kind) in entries {
            let path = format!("{path}/{}", String::from_utf8(name).unwrap());
            let node = fs.node(child).unwrap();
            assert_eq!(kind, Some(node.kind));
            let bytes = if node.kind == Kind::Folder {
                pending.push((path.clone(), child));
                Vec::new()
            } else {
                read_all(fs.open(child).unwrap().as_mut(), 1 << 24, "vfat").unwrap()
            };
            all.insert(path, (child, node, bytes));
        }
    }
    all
}

/// Compares with a folder of the system.
fn assert_same(fs: &dyn FileSystem, tree: &Path) {
    let found = walk(fs);
    let mut expected = 0;
    let mut pending = vec![(String::new(), tree.to_owned())];
    while let Some((path, folder)) = pending.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let path = format!("{path}/{}", entry.file_name().into_string().unwrap());
            let metadata = entry.metadata().unwrap();
            let (_, node, bytes) = found.get(&path).unwrap_or_else(|| panic!("{path} is missing"));
            expected += 1;
            assert_eq!(node.modified.0, metadata.mtime() & !1, "{path}");
            assert_eq!((node.uid, node.gid), (0, 0));
            if metadata.is_dir() {
                assert_eq!(node.kind, Kind::Folder);
                pending.push((path, entry.path()));
            } else {
                assert_eq!((node.kind, node.bytes, node.mode), (Kind::File, metadata.len(), 0o755), "{path}");
                assert!(*bytes == fs::read(entry.path()).unwrap(), "{path}");
            }
        }
    }
    assert_eq!(found.len(), expected);
}

fn free(fs: &dyn FileSystem) -> Vec<Range<u64>> {
    let mut ranges = Vec::new();
    fs.free_ranges(&mut |range| {
        ranges.push(range);
        ControlFlow::Continue(())
    })
    .unwrap();
    assert!(ranges.is_sorted_by(|a, b| a.end < b.start));
    ranges
}

/// Clusters that `fsck.vfat` counts as free.
fn free_clusters(path: &Path, folder: &Path) -> u64 {
    let text = run(command("fsck.vfat", folder).args(["-n", "-v"]).arg(path));
    let counts = text.lines().find(|line| line.contains("files,")).unwrap();
    let (used, all) = counts.split(", ").nth(1).unwrap().split(' ').next().unwrap().split_once('/').unwrap();
    all.parse::<u64>().unwrap() - used.parse::<u64>().unwrap()
}

#[test]
fn every_width_reads_as_it_was_filled() {
    if !has_tools() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let tree = folder.path().join("tree");
    fs::create_dir(&tree).unwrap();
    fill(&tree);
    for (mib, arguments) in [
        (2, &["-F", "12", "-s", "1", "-r", "512"][..]),
        (3, &["-F", "12", "-f", "1", "-n", "BOOT"]),
        (20, &["-F", "16", "-s", "1", "-n", "EFI", "-r", "512"]),
        (64, &["-F", "16", "-s", "8", "-S", "1024"]),
        (300, &["-F", "32", "-s", "8", "-n", "MY BOOT"]),
        (300, &["-F", "32", "-S", "4096"]),
        (140, &["-F", "32", "-s", "4", "-f", "1", "-R", "64"]),
    ] {
        let path = make(folder.path(), mib * MIB, arguments);
        let image = path.to_str().unwrap();
        // Files that go again leave holes, so that what follows lies in pieces.
        fs::write(folder.path().join("filler"), content(5, 3000)).unwrap();
        for number in 0..20 {
            let name = format!("::/filler{number}");
            run(command("mcopy", folder.path())
                .args(["-i", image])
                .arg(folder.path().join("filler"))
                .arg(name));
        }
        for number in (0..20).step_by(2) {
            run(command("mdel", folder.path()).args(["-i", image]).arg(format!("::/filler{number}")));
        }
        let mut copy = command("mcopy", folder.path());
        copy.args(["-s", "-m", "-Q", "-i", image]);
        for entry in fs::read_dir(&tree).unwrap() {
            copy.arg(entry.unwrap().path());
        }
        run(copy.arg("::/"));
        for number in (1..20).step_by(2) {
            run(command("mdel", folder.path()).args(["-i", image]).arg(format!("::/filler{number}")));
        }
        let fs = open(&path);
        assert_same(&fs, &tree);
        assert_eq!(fs.info().notes, Vec::<String>::new());
        let blkid = |field: &str| {
            let mut call = command("blkid", folder.path());
            let output = call.args(["-p", "-o", "value", "-s", field]).arg(&path).output().unwrap();
            Some(String::from_utf8_lossy(&output.stdout).trim().to_owned()).filter(|text| !text.is_empty())
        };
        assert_eq!(fs.info().uuid, blkid("UUID"), "{arguments:?}");
        let label = blkid("LABEL").or_else(|| blkid("LABEL_FATBOOT")).filter(|label| label != "NO NAME");
        assert_eq!(fs.info().label, label, "{arguments:?}");
        let ranges = free(&fs);
        let total: u64 = ranges.iter().map(|range| range.end - range.start).sum();
        assert_eq!(total / fs.info().block_bytes, free_clusters(&path, folder.path()), "{arguments:?}");
        for (id, node, _) in walk(&fs).values() {
            let position = fs.position(*id).unwrap();
            assert_eq!(position.is_some(), node.bytes > 0);
            assert!(position.is_none_or(|at| !ranges.iter().any(|range| range.contains(&at))));
        }
    }
}

#[test]
fn read_only_files_and_lookups_follow_the_rules_of_fat() {
    if !has_tools() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = make(folder.path(), 4 * MIB, &[]);
    let image = path.to_str().unwrap();
    fs::write(folder.path().join("file"), b"content").unwrap();
    run(command("mmd", folder.path()).args(["-i", image, "::/EFI", "::/EFI/Boot"]));
    let file = folder.path().join("file");
    run(command("mcopy", folder.path()).args(["-i", image]).arg(&file).arg("::/EFI/Boot/Long Name.conf"));
    run(command("mattrib", folder.path()).args(["-i", image, "+r", "::/EFI/Boot/Long Name.conf"]));
    let fs = open(&path);
    let id = find(&fs, b"/efi/BOOT/long NAME.CONF").unwrap();
    assert_eq!(fs.node(id).unwrap().mode, 0o555);
    assert_eq!(find(&fs, b"/EFI/Boot/LONGNA~1.CON").unwrap(), id);
    assert_eq!(read_file(&fs, b"/EFI/Boot/Long Name.conf", 100).unwrap(), b"content");
    assert!(find(&fs, b"/EFI/Boot/nothing").unwrap_err().is_missing());
    assert!(matches!(fs.read_link(id), Err(FsError::WrongKind(_))));
    assert!(matches!(fs.read_dir(id, &mut |_| ControlFlow::Continue(())), Err(FsError::WrongKind(_))));
    assert!(matches!(fs.open(fs.root()), Err(FsError::WrongKind(_))));
    let mut opened = fs.open(id).unwrap();
    let mut buffer = [0; 10];
    assert_eq!(opened.read_at(5, &mut buffer).unwrap(), 2);
    assert_eq!(opened.read_at(7, &mut buffer).unwrap(), 0);
    assert_eq!(opened.read_at(u64::MAX, &mut buffer).unwrap(), 0);
}

#[test]
fn circles_and_short_chains_are_damage() {
    if !has_tools() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = make(folder.path(), 20 * MIB, &["-F", "16", "-s", "1"]);
    let image = path.to_str().unwrap();
    fs::write(folder.path().join("file"), content(1, 20_000)).unwrap();
    let file = folder.path().join("file");
    run(command("mcopy", folder.path()).args(["-i", image]).arg(&file).arg("::/FILE"));
    let good = fs::read(&path).unwrap();
    let table = usize::from(u16::from_le_bytes([good[14], good[15]])) * 512;
    let try_with = |cluster: usize, entry: u16| {
        let mut bytes = good.clone();
        bytes[table + cluster * 2..table + cluster * 2 + 2].copy_from_slice(&entry.to_le_bytes());
        let fs = Fat::open(Arc::new(bytes)).unwrap();
        let id = find(&fs, b"FILE").unwrap();
        fs.open(id).map(drop).unwrap_err().to_string()
    };
    assert!(try_with(20, 5).contains("circle"));
    assert!(try_with(20, 0).contains("is free"));
    assert!(try_with(20, 0xffff).contains("shorter than the file"));
    assert!(try_with(20, 0xfff7).contains("bad cluster"));
    assert!(try_with(20, 0xfff0).contains("does not exist"));
    let mut dirty = good;
    dirty[table + 3] &= 0x7f;
    assert_eq!(Fat::open(Arc::new(dirty)).unwrap().info().notes, ["not cleanly unmounted"]);
}

#[test]
fn other_file_systems_are_not_taken_for_fat() {
    assert!(!Fat::probe(&vec![0; 1 << 16]));
    assert!(!Fat::probe(&vec![0xeb; 1 << 16]));
    assert!(!Fat::probe(&vec![0; 100]));
    assert!(matches!(Fat::open(Arc::new(vec![0_u8; 4096])), Err(FsError::NotThis("vfat"))));
}

/// Reads all that can be read, whatever it is; folders may be circles here.
fn read_everything(fs: &dyn FileSystem) {
    let mut pending = vec![fs.root()];
    let mut steps = 0;
    while let Some(id) = pending.pop() {
        steps += 1;
        if steps > 200 {
            return;
        }
        let mut children = Vec::new();
        let _ = fs.read_dir(id, &mut |entry| {
            assert!(!entry.name.is_empty() && !entry.name.contains(&b'/'));
            children.push(entry.node);
            ControlFlow::Continue(())
        });
        for child in children {
            let _ = fs.position(child);
            if fs.node(child).is_ok_and(|node| node.kind == Kind::Folder) {
                pending.push(child);
            } else if let Ok(mut file) = fs.open(child) {
                let _ = file.read_at(0, &mut [0; 100]);
                let _ = file.read_at(file.size_bytes() / 2, &mut [0; 9000]);
            }
        }
    }
    let _ = fs.free_ranges(&mut |_| ControlFlow::Continue(()));
    for number in [1, 31, 32, 512, 4096, 1 << 20, u64::MAX] {
        let _ = fs.node(NodeId::new(number));
        let _ = fs.open(NodeId::new(number));
    }
}

#[test]
fn mutated_images_make_errors_but_no_panic() {
    if !has_tools() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let tree = folder.path().join("tree");
    fs::create_dir_all(tree.join("sub/sub")).unwrap();
    for number in 0..40 {
        fs::write(tree.join(format!("sub/some long name {number}")), content(number, 900)).unwrap();
    }
    let images: Vec<Vec<u8>> = [(1, "12"), (10, "16"), (34, "32")]
        .into_iter()
        .map(|(mib, width)| {
            let path = make(folder.path(), mib * MIB, &["-F", width, "-s", "1"]);
            let image = path.to_str().unwrap();
            run(command("mcopy", folder.path()).args(["-s", "-i", image]).arg(tree.join("sub")).arg("::/"));
            let mut bytes = fs::read(&path).unwrap();
            // What lies behind is free.
            bytes.truncate(2 << 20);
            bytes
        })
        .collect();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let changes = proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..12);
    runner
        .run(
            &(0..images.len(), changes, 0..10_u8, any::<proptest::sample::Index>()),
            |(which, changes, cut, end)| {
                let mut bytes = images[which].clone();
                let table = usize::from(u16::from_le_bytes([bytes[14], bytes[15]])) * 512;
                for (number, (at, byte)) in changes.iter().enumerate() {
                    // Half of the damage goes to the boot sector, half to tables and folders.
                    let range = if number % 2 == 0 { 0..90 } else { table..bytes.len().min(table + 200_000) };
                    let at = range.start + at.index(range.len());
                    bytes[at] = *byte;
                }
                if cut == 0 {
                    bytes.truncate(end.index(bytes.len()));
                }
                if let Ok(fs) = Fat::open(Arc::new(bytes)) {
                    read_everything(&fs);
                }
                Ok(())
            },
        )
        .unwrap();
}
