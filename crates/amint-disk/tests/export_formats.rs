//! Exports read back by QEMU, the reader that most of them will meet.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "what tests call fails and skips as tests do")]

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use amint_disk::export::{ExportError, ExportOptions, Format, export, export_with};
use amint_disk::raw::RawDisk;
use amint_types::{BLOCK_BYTES, BlockSource, Cancel, Digest, GIB, KIB, MIB};
use proptest::prelude::*;

/// Tells whether a tool is there, and says so loudly if not.
fn has_tool(tool: &str) -> bool {
    let found = Command::new(tool).arg("--version").output().is_ok();
    if !found {
        eprintln!("SKIPPED: `{tool}` is not installed");
    }
    found
}

fn qemu_name(format: Format) -> &'static str {
    match format {
        Format::Raw => "raw",
        Format::Qcow2 => "qcow2",
        Format::Vmdk => "vmdk",
        Format::Vhd | Format::VhdFixed => "vpc",
        other => panic!("QEMU's name of {other} is not known here"),
    }
}

/// Runs qemu-img and returns what it prints; fails the test when it fails.
fn qemu_img(arguments: &[&str], files: &[&Path]) -> String {
    let output = Command::new("qemu-img").args(arguments).args(files).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "qemu-img {arguments:?} {files:?}: {text}{error}");
    text
}

/// Makes a raw disk with pieces of noise; the rest are holes.
fn make_disk(path: &Path, bytes: u64, pieces: &[(u64, u64)]) -> RawDisk {
    let file = File::create(path).unwrap();
    file.set_len(bytes).unwrap();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for (start, length) in pieces {
        let start = start % bytes;
        let length = usize::try_from((*length).min(bytes - start)).unwrap();
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state.to_be_bytes()[0]
        })
        .take(length)
        .collect();
        file.write_all_at(&noise, start).unwrap();
    }
    RawDisk::open(path).unwrap()
}

fn no_progress(_done: u64, _total: u64) {}

/// Exports in all formats and has QEMU compare each with the raw disk.
fn check_all_formats(folder: &Path, bytes: u64, pieces: &[(u64, u64)]) {
    let raw = folder.join("disk.raw");
    let disk = make_disk(&raw, bytes, pieces);
    for format in Format::ALL {
        let path = folder.join(format!("disk-{format}"));
        let summary = export(&disk, format, &path, &no_progress, &Cancel::new()).unwrap();
        let content = fs::read(&path).unwrap();
        assert_eq!(summary.bytes, content.len() as u64, "{format}");
        assert_eq!(summary.sha256, Digest::of(&content), "{format}");

        let name = qemu_name(format);
        let info = qemu_img(&["info", "--output=json", "-f", name], &[&path]);
        assert!(info.contains(&format!("\"virtual-size\": {bytes},")), "{format} of {bytes}: {info}");
        qemu_img(&["compare", "-f", name, "-F", "raw"], &[&path, &raw]);
        if matches!(format, Format::Qcow2 | Format::Vmdk) {
            qemu_img(&["check", "-f", name], &[&path]);
        }
        fs::remove_file(&path).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn qemu_reads_every_format_as_the_disk_it_was(
        sectors in 1_u64..12_000,
        pieces in prop::collection::vec((0_u64..6_000_000, 1_u64..400_000), 0..6),
    ) {
        if has_tool("qemu-img") {
            let folder = tempfile::tempdir().unwrap();
            check_all_formats(folder.path(), sectors * 512, &pieces);
        }
    }
}

#[test]
fn qemu_reads_disks_that_need_several_tables() {
    if !has_tool("qemu-img") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // Data on both sides of what one qcow2 table (512 MiB) and one VMDK table (32 MiB) map, a beginning, and
    // an end that is no whole cluster.
    let bytes = 640 * MIB + 5 * MIB + 512;
    let pieces = [(0, 512), (32 * MIB - 3, 6), (512 * MIB - 100_000, 200_000), (bytes - 700, 700)];
    check_all_formats(folder.path(), bytes, &pieces);
}

#[test]
fn zeros_take_no_room_whether_holes_or_written() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = 96 * MIB;
    let holes = make_disk(&folder.path().join("holes"), bytes, &[(MIB, 1000)]);
    let path = folder.path().join("zeros");
    let mut content = vec![0; 64 * 1024 * 1024];
    holes_block(&holes, 2, &mut content[1024 * 1024..]);
    fs::write(&path, &content).unwrap();
    File::options().write(true).open(&path).unwrap().set_len(bytes).unwrap();
    let written = RawDisk::open(&path).unwrap();
    assert!(fs::metadata(&path).unwrap().blocks() * 512 >= 64 * MIB);

    for format in Format::ALL {
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        let options = ExportOptions { format, overwrite: true };
        let first = export_with(&holes, options, &one, &no_progress, &Cancel::new()).unwrap();
        let second = export_with(&written, options, &two, &no_progress, &Cancel::new()).unwrap();
        assert_eq!(first, second, "{format}");
        for path in [&one, &two] {
            let metadata = fs::metadata(path).unwrap();
            assert!(metadata.blocks() * 512 <= 3 * MIB, "{format} takes {} sectors", metadata.blocks());
            assert_eq!(metadata.mode() & 0o777, 0o600);
        }
    }
}

/// Copies a block of a disk.
fn holes_block(disk: &RawDisk, index: u64, target: &mut [u8]) {
    let length = usize::try_from(BLOCK_BYTES).unwrap();
    assert_eq!(disk.read_block(index, &mut target[..length]).unwrap(), Some(length));
}

#[test]
fn an_existing_file_is_replaced_only_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let disk = make_disk(&folder.path().join("disk"), MIB, &[(0, 1000)]);
    let path = folder.path().join("out");
    fs::write(&path, "precious").unwrap();
    for format in Format::ALL {
        let error = export(&disk, format, &path, &no_progress, &Cancel::new()).unwrap_err();
        assert!(matches!(error, ExportError::Exists { .. }), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"precious");
    }
    let options = ExportOptions { format: Format::Raw, overwrite: true };
    export_with(&disk, options, &path, &no_progress, &Cancel::new()).unwrap();
    assert_eq!(fs::read(&path).unwrap(), fs::read(disk.path()).unwrap());
}

/// A disk whose blocks are all ones, but one that cannot be read.
struct Broken {
    bytes: u64,
    bad_block: u64,
}

impl BlockSource for Broken {
    fn disk_bytes(&self) -> u64 {
        self.bytes
    }

    fn read_block(&self, index: u64, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        if index == self.bad_block {
            return Err(io::Error::other("digest differs"));
        }
        buffer.fill(1);
        Ok(Some(buffer.len()))
    }
}

/// Fails unless the folder is empty.
fn assert_empty(folder: &Path) {
    let left: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn nothing_stays_behind_a_block_that_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let source = Broken { bytes: 10 * MIB, bad_block: 13 };
    for format in Format::ALL {
        let path = folder.path().join("out");
        let error = export(&source, format, &path, &no_progress, &Cancel::new()).unwrap_err();
        assert_eq!(error.to_string(), "failed to read block 13 of the disk");
        assert_empty(folder.path());
    }
}

#[test]
fn nothing_stays_behind_an_interruption() {
    let folder = tempfile::tempdir().unwrap();
    let source = Broken { bytes: 64 * MIB, bad_block: u64::MAX };
    for format in Format::ALL {
        let cancel = Cancel::new();
        let progress = |done, total| {
            assert_eq!(total, 64 * MIB);
            if done >= 16 * MIB {
                cancel.cancel();
            }
        };
        let path = folder.path().join("out");
        let error = export(&source, format, &path, &progress, &cancel).unwrap_err();
        assert!(matches!(error, ExportError::Cancelled(_)), "{error}");
        assert_empty(folder.path());
    }
}

#[test]
fn progress_ends_at_the_size_of_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let disk = make_disk(&folder.path().join("disk"), 5 * MIB + 512, &[(0, 1000)]);
    for format in Format::ALL {
        let last = std::sync::Mutex::new((0, 0));
        let progress = |done, total| {
            let mut last = last.lock().unwrap();
            assert!(done > last.0);
            *last = (done, total);
        };
        export(&disk, format, &folder.path().join(format.as_str()), &progress, &Cancel::new()).unwrap();
        assert_eq!(*last.lock().unwrap(), (5 * MIB + 512, 5 * MIB + 512));
    }
}

#[test]
fn sizes_that_a_format_cannot_tell_are_refused_before_any_work() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out");
    let cases = [
        (Format::Raw, 0),
        (Format::Qcow2, 1000),
        (Format::Vhd, 2040 * GIB + 512),
        (Format::VhdFixed, 3 << 40),
        (Format::Vmdk, 2 << 40),
        (Format::Qcow2, u64::MAX / 512 * 512),
    ];
    for (format, bytes) in cases {
        let source = Broken { bytes, bad_block: 0 };
        let error = export(&source, format, &path, &no_progress, &Cancel::new()).unwrap_err();
        assert!(matches!(error, ExportError::Size { .. }), "{format}: {error}");
    }
}

#[test]
fn an_output_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let disk = make_disk(&folder.path().join("disk"), 64 * KIB, &[]);
    let path = folder.path().join("missing/out.qcow2");
    let error = export(&disk, Format::Qcow2, &path, &no_progress, &Cancel::new()).unwrap_err();
    assert_eq!(error.to_string(), format!("failed to write the file to `{}`", path.display()));
}
