//! Overlays that keep writes away from the image under test.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "what tests call fails and skips as tests do")]

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::Command;

use amint_disk::export::qcow2::create_overlay;
use amint_disk::export::{ExportError, Format, export};
use amint_disk::raw::RawDisk;
use amint_types::{Cancel, GIB, MIB};

fn has_tool(tool: &str) -> bool {
    let found = Command::new(tool).arg("--version").output().is_ok();
    if !found {
        eprintln!("SKIPPED: `{tool}` is not installed");
    }
    found
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {text}{error}");
    text
}

/// Makes a raw disk of 3 MiB with something at its beginning and end.
fn make_raw(path: &Path) {
    let file = File::create(path).unwrap();
    file.set_len(3 * MIB).unwrap();
    file.write_all_at(b"beginning", 0).unwrap();
    file.write_all_at(b"end", 3 * MIB - 3).unwrap();
}

#[test]
fn an_overlay_shows_its_backing_file_and_keeps_it_unwritten() {
    if !has_tool("qemu-img") || !has_tool("qemu-io") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // A colon makes QEMU take a relative name for a protocol.
    let raw = folder.path().join("nbd:disk.raw");
    make_raw(&raw);
    let qcow2 = folder.path().join("disk.qcow2");
    let disk = RawDisk::open(&raw).unwrap();
    export(&disk, Format::Qcow2, &qcow2, &|_, _| {}, &Cancel::new()).unwrap();

    for (backing, format) in [(&raw, Format::Raw), (&qcow2, Format::Qcow2)] {
        let before = fs::read(backing).unwrap();
        let path = folder.path().join(format!("overlay-of-{format}"));
        create_overlay(&path, backing, format, 3 * MIB).unwrap();
        let overlay = path.to_str().unwrap();
        run("qemu-img", &["check", "-f", "qcow2", overlay]);
        let info = run("qemu-img", &["info", "--output=json", overlay]);
        assert!(info.contains(&format!("\"backing-filename-format\": \"{format}\"")), "{info}");
        let raw_name = format!("file:{}", raw.display());
        run("qemu-img", &["compare", "-f", "qcow2", "-F", "raw", overlay, &raw_name]);

        run("qemu-io", &["-f", "qcow2", "-c", "write -P 7 1M 200k", overlay]);
        run("qemu-io", &["-f", "qcow2", "-c", "read -P 7 1M 200k", overlay]);
        run("qemu-img", &["check", "-f", "qcow2", overlay]);
        assert_eq!(fs::read(backing).unwrap(), before);
    }
}

#[test]
fn an_overlay_may_be_larger_than_its_backing_file() {
    if !has_tool("qemu-img") || !has_tool("qemu-io") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let raw = folder.path().join("disk.raw");
    make_raw(&raw);
    let path = folder.path().join("overlay");
    create_overlay(&path, &raw, Format::Raw, 3 * GIB).unwrap();
    let overlay = path.to_str().unwrap();
    let info = run("qemu-img", &["info", "--output=json", overlay]);
    assert!(info.contains(&format!("\"virtual-size\": {}", 3 * GIB)), "{info}");
    // Beyond the backing file all is zero, which comparing with a longer copy of it shows.
    let longer = folder.path().join("longer.raw");
    make_raw(&longer);
    File::options().write(true).open(&longer).unwrap().set_len(3 * GIB).unwrap();
    run("qemu-img", &["compare", "-f", "qcow2", "-F", "raw", overlay, longer.to_str().unwrap()]);
    run("qemu-io", &["-f", "qcow2", "-c", "write -P 7 2G 1M", overlay]);
    run("qemu-img", &["check", "-f", "qcow2", overlay]);
}

#[test]
fn an_overlay_over_something_unfit_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let raw = folder.path().join("disk.raw");
    make_raw(&raw);
    let qcow2 = folder.path().join("disk.qcow2");
    let disk = RawDisk::open(&raw).unwrap();
    export(&disk, Format::Qcow2, &qcow2, &|_, _| {}, &Cancel::new()).unwrap();
    let path = folder.path().join("overlay");

    let refuse = |backing: &Path, format, bytes| create_overlay(&path, backing, format, bytes).unwrap_err();
    assert!(matches!(refuse(&raw, Format::Raw, 2 * MIB), ExportError::Backing { .. }));
    assert!(matches!(refuse(&raw, Format::Raw, 3 * MIB + 1), ExportError::Size { .. }));
    assert!(matches!(refuse(&raw, Format::Qcow2, 3 * MIB), ExportError::Backing { .. }));
    assert!(matches!(refuse(&qcow2, Format::Raw, 3 * MIB), ExportError::BackingRaw(_)));
    assert!(matches!(refuse(&raw, Format::Vmdk, 3 * MIB), ExportError::Backing { .. }));
    let missing = folder.path().join("missing");
    assert!(matches!(refuse(&missing, Format::Raw, 3 * MIB), ExportError::BackingFile { .. }));
    assert!(!path.exists());

    fs::write(&path, "precious").unwrap();
    assert!(matches!(refuse(&raw, Format::Raw, 3 * MIB), ExportError::Exists { .. }));
    assert_eq!(fs::read(&path).unwrap(), b"precious");
}
