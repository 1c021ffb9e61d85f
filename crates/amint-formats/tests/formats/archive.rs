//! OVA archives.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

use amint_formats::{Format, FormatError, OpenOptions, open};

use crate::tools::{Bench, assert_is, has, open_plain, run};

const DESCRIPTION: &str = r#"<?xml version="1.0"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1">
<References><File ovf:href="one.vmdk" ovf:id="file1"/><File ovf:href="two.img" ovf:id="file2"/></References>
<DiskSection><Disk ovf:diskId="d1" ovf:fileRef="file1"/><Disk ovf:diskId="d2" ovf:fileRef="file2"/></DiskSection>
</Envelope>"#;

/// Packs an archive with GNU tar; `checksums` makes the manifest with this tool.
fn pack(bench: &Bench, tar_format: &str, checksums: Option<(&str, &str)>) -> Option<PathBuf> {
    if !has("qemu-img") || !has("tar") {
        return None;
    }
    let one = bench.convert(&["-O", "vmdk", "-o", "subformat=streamOptimized"], "one.vmdk");
    assert!(one.exists());
    bench.convert(&["-O", "qcow2"], "two.img");
    bench.write("vm.ovf", DESCRIPTION.as_bytes());
    let mut members = vec!["vm.ovf"];
    if let Some((tool, kind)) = checksums {
        let mut manifest = String::new();
        for name in ["vm.ovf", "one.vmdk", "two.img"] {
            let output = Command::new(tool).arg(bench.path(name)).output().unwrap();
            let output = String::from_utf8(output.stdout).unwrap();
            let _ = writeln!(manifest, "{kind}({name})= {}", output.split(' ').next().unwrap());
        }
        bench.write("vm.mf", manifest.as_bytes());
        members.push("vm.mf");
    }
    members.extend(["one.vmdk", "two.img"]);
    let path = bench.path("vm.ova");
    run(Command::new("tar")
        .arg(format!("--format={tar_format}"))
        .arg("-C")
        .arg(bench.path(""))
        .arg("-cf")
        .arg(&path)
        .args(members));
    Some(path)
}

#[test]
fn disks_are_read_where_they_lie() {
    let bench = Bench::new(3 << 20, 61);
    for tar_format in ["ustar", "gnu", "pax"] {
        let Some(path) = pack(&bench, tar_format, None) else { return };
        let opened = open_plain(&path).unwrap();
        assert_eq!(opened.format, Format::Ova);
        assert!(opened.notes[0].contains("2 disks; this is disk 0, `one.vmdk`"), "{:?}", opened.notes);
        assert_is(&opened, &bench.disk);
        let second = open(&path, &OpenOptions { disk_index: 1, ..OpenOptions::default() }).unwrap();
        assert!(second.notes[1].contains("qcow2"), "{:?}", second.notes);
        assert_is(&second, &bench.disk);
        let third = open(&path, &OpenOptions { disk_index: 2, ..OpenOptions::default() });
        assert!(matches!(third, Err(FormatError::NoDisk { index: 2, count: 2 })));
    }
}

#[test]
fn the_manifest_is_verified_when_asked() {
    let bench = Bench::new(1 << 20, 62);
    let options = OpenOptions { verify_manifest: true, ..OpenOptions::default() };
    for (tool, kind) in [("sha1sum", "SHA1"), ("sha256sum", "SHA256"), ("sha512sum", "SHA512")] {
        let Some(path) = pack(&bench, "ustar", Some((tool, kind))) else { return };
        let opened = open(&path, &options).unwrap();
        assert!(opened.notes.iter().any(|note| note.contains("match")));
        let mut bytes = std::fs::read(&path).unwrap();
        let last_disk = bytes.windows(4).rposition(|window| window == b"QFI\xfb").unwrap();
        bytes[last_disk + 60] ^= 1;
        let changed = bench.write("changed.ova", &bytes);
        assert!(open_plain(&changed).is_ok());
        let error = open(&changed, &options).unwrap_err().to_string();
        assert!(error.contains(&format!("`two.img` has the {kind} checksum")), "{error}");
    }
    let Some(path) = pack(&bench, "ustar", None) else { return };
    let error = open(&path, &options).unwrap_err().to_string();
    assert_eq!(error, "the manifest of the archive does not hold: the archive has none");
}

#[test]
fn archives_that_are_no_appliances_are_refused() {
    let bench = Bench::new(1 << 20, 63);
    let Some(path) = pack(&bench, "ustar", None) else { return };
    let bytes = std::fs::read(&path).unwrap();
    let error = open_plain(&bench.write("cut.ova", &bytes[..bytes.len() / 2])).unwrap_err().to_string();
    assert!(error.contains("reaches beyond its end"), "{error}");
    let mut broken = bytes.clone();
    broken[0] ^= 1;
    let error = open_plain(&bench.write("broken.ova", &broken)).unwrap_err().to_string();
    assert!(error.contains("wrong checksum"), "{error}");
    run(Command::new("tar").arg("-C").arg(bench.path("")).args(["-cf"]).arg(&path).arg("two.img"));
    let error = open_plain(&path).unwrap_err().to_string();
    assert!(error.contains("no description"), "{error}");
}
