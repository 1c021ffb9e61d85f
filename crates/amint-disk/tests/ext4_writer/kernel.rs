//! What the kernel makes of our file systems.

use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};

use super::support::{Bench, MIB, assert_clean, look, make_nasty_tree, options, tool, write};

const OFFSET: u64 = 3 * MIB;

/// A mounted image, unmounted when dropped.
struct Mounted(PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        if let Some(output) = tool("umount", &[self.0.as_ref()]) {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
    }
}

fn try_mount(image: &Path, at: &Path, mount_options: &str) -> Option<Result<Mounted, String>> {
    fs::create_dir_all(at).unwrap();
    let arguments: [&OsStr; 6] =
        ["-t".as_ref(), "ext4".as_ref(), "-o".as_ref(), mount_options.as_ref(), image.as_ref(), at.as_ref()];
    let output = tool("mount", &arguments)?;
    Some(if output.status.success() {
        Ok(Mounted(at.to_path_buf()))
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    })
}

/// Makes a small file system with `mke2fs` and mounts it, to tell a fault of ours from a host that forbids it.
fn mount_reference(bench: &Bench) -> Option<Mounted> {
    let reference = bench.path("reference");
    fs::File::create(&reference).unwrap().set_len(64 * MIB).unwrap();
    tool(
        "mke2fs",
        &["-q".as_ref(), "-t".as_ref(), "ext4".as_ref(), "-b".as_ref(), "4096".as_ref(), reference.as_ref()],
    )?;
    match try_mount(&reference, &bench.path("reference-mount"), "loop")? {
        Ok(mounted) => Some(mounted),
        Err(reason) => {
            eprintln!("SKIPPED: this host mounts no loop devices: {reason}");
            None
        }
    }
}

#[test]
fn the_mounted_tree_is_the_source_tree() {
    let bench = Bench::new();
    if mount_reference(&bench).is_none() {
        return;
    }
    make_nasty_tree(&bench.tree());
    write(&bench.tree(), &bench.image(), OFFSET, &options(300 * MIB)).unwrap();
    let at = bench.path("mounted");
    let mounted = try_mount(&bench.image(), &at, &format!("loop,ro,offset={OFFSET}")).unwrap().unwrap();
    let (source, image) = (look(&bench.tree()), look(&at));
    assert_eq!(source.len(), image.len());
    // Each file is looked up by name: 5,000 times through the hash tree.
    for (path, seen) in &source {
        assert_eq!(image.get(path), Some(seen), "{}", path.display());
    }
    drop(mounted);
}

#[test]
fn holes_stay_holes() {
    use std::os::unix::fs::MetadataExt;
    let bench = Bench::new();
    if mount_reference(&bench).is_none() {
        return;
    }
    make_nasty_tree(&bench.tree());
    write(&bench.tree(), &bench.image(), 0, &options(300 * MIB)).unwrap();
    let at = bench.path("mounted");
    let _mounted = try_mount(&bench.image(), &at, "loop,ro").unwrap().unwrap();
    let stored = |name: &str| fs::metadata(at.join(name)).unwrap().blocks() * 512;
    assert_eq!(stored("only-hole"), 0);
    assert_eq!(
        stored("zeros"),
        20_480 + 4096,
        "zeros that the source stores are allocated, and an attribute block"
    );
    assert!(stored("sparse") < MIB, "{}", stored("sparse"));
    assert!(stored("comb") < 1500 * 4096 + 16 * 4096, "{}", stored("comb"));
}

#[test]
fn a_mounted_file_system_can_be_written_to() {
    let bench = Bench::new();
    if mount_reference(&bench).is_none() {
        return;
    }
    make_nasty_tree(&bench.tree());
    write(&bench.tree(), &bench.image(), 0, &options(300 * MIB)).unwrap();
    let at = bench.path("mounted");
    let mounted = try_mount(&bench.image(), &at, "loop,rw").unwrap().unwrap();
    for number in 0..2000 {
        fs::write(at.join(format!("many/new-{number}")), vec![b'n'; number]).unwrap();
    }
    for entry in fs::read_dir(at.join("many")).unwrap() {
        let path = entry.unwrap().path();
        if path.to_string_lossy().ends_with('x') {
            fs::remove_file(path).unwrap();
        }
    }
    fs::create_dir_all(at.join("a/b/c")).unwrap();
    fs::remove_file(at.join("comb")).unwrap();
    OpenOptions::new().write(true).open(at.join("sparse")).unwrap().set_len(6 * MIB).unwrap();
    let expected = look(&at);
    drop(mounted);
    assert_clean(&bench.image());
    let mounted = try_mount(&bench.image(), &at, "loop,ro").unwrap().unwrap();
    assert_eq!(look(&at), expected);
    drop(mounted);
}

/// Grows an image and, mounted on a loop device, its file system; none when the host forbids it.
fn grow_mounted(bench: &Bench, image: &Path, bytes: u64) -> Option<Result<(), String>> {
    OpenOptions::new().write(true).open(image).unwrap().set_len(bytes).unwrap();
    let output = tool("losetup", &["-f".as_ref(), "--show".as_ref(), image.as_ref()])?;
    let device = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let at = bench.path("growing");
    let result = match try_mount(Path::new(&device), &at, "rw") {
        Some(Ok(mounted)) => {
            let output = tool("resize2fs", &[device.as_ref()])?;
            drop(mounted);
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            if output.status.success() { Ok(()) } else { Err(text) }
        }
        Some(Err(reason)) => Err(reason),
        None => Err("no mount".to_owned()),
    };
    tool("losetup", &["-d".as_ref(), device.as_ref()])?;
    Some(result)
}

#[test]
fn the_file_system_grows_sixteen_times_while_mounted() {
    let bench = Bench::new();
    if mount_reference(&bench).is_none() {
        return;
    }
    let reference = bench.path("reference");
    if let Some(Err(reason)) = grow_mounted(&bench, &reference, 256 * MIB) {
        eprintln!("SKIPPED: this host lets no file system grow while mounted: {reason}");
        return;
    }
    make_nasty_tree(&bench.tree());
    for (bytes, grown_bytes) in
        [(64 * MIB, 1100 * MIB), (300 * MIB, 20_480 * MIB), (2048 * MIB, 40_960 * MIB)]
    {
        write(&bench.tree(), &bench.image(), 0, &options(bytes)).unwrap();
        grow_mounted(&bench, &bench.image(), grown_bytes).unwrap().unwrap();
        assert_clean(&bench.image());
    }
}

#[test]
fn the_file_system_grows_sixteen_times_at_rest() {
    let bench = Bench::new();
    let image = bench.image();
    make_nasty_tree(&bench.tree());
    for (bytes, grown_bytes) in
        [(64 * MIB, 1100 * MIB), (300 * MIB, 20_480 * MIB), (2048 * MIB, 40_960 * MIB)]
    {
        write(&bench.tree(), &image, 0, &options(bytes)).unwrap();
        OpenOptions::new().write(true).open(&image).unwrap().set_len(grown_bytes).unwrap();
        let arguments: [&OsStr; 2] = ["-f".as_ref(), image.as_ref()];
        let Some(output) = tool("resize2fs", &arguments) else { return };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_clean(&image);
    }
}
