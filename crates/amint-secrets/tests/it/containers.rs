//! Secrets inside compressed files and archives, within limits.

use std::io::Write as _;
use std::process::Command;

use amint_secrets::Limits;
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

use crate::make::{Random, fill, scan_file};

fn value() -> String {
    fill("ghp_{a36}", &mut Random::new(21))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn tar(name: &str, content: &[u8]) -> Vec<u8> {
    let mut header = [0_u8; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
    header[156] = b'0';
    header[257..263].copy_from_slice(b"ustar\0");
    header[148..156].copy_from_slice(b"        ");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..154].copy_from_slice(format!("{sum:06o}").as_bytes());
    header[154] = 0;
    let padding = vec![0; (512 - content.len() % 512) % 512];
    [&header[..], content, &padding, &[0; 1024]].concat()
}

/// A zip archive with stored entries.
fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in entries {
        let length = u32::try_from(content.len()).unwrap().to_le_bytes();
        let name_bytes = u16::try_from(name.len()).unwrap().to_le_bytes();
        let at = u32::try_from(bytes.len()).unwrap().to_le_bytes();
        let common =
            [&[20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], &length, &length, &name_bytes, &[0, 0]]
                .concat();
        bytes.extend([b"PK\x03\x04", &common[..], name.as_bytes(), content].concat());
        directory.extend([b"PK\x01\x02\x14\x00", &common[..], &[0; 10], &at, name.as_bytes()].concat());
    }
    let count = u16::try_from(entries.len()).unwrap().to_le_bytes();
    let start = u32::try_from(bytes.len()).unwrap().to_le_bytes();
    let length = u32::try_from(directory.len()).unwrap().to_le_bytes();
    [bytes, directory, [b"PK\x05\x06\0\0\0\0", &count[..], &count, &length, &start, &[0, 0]].concat()]
        .concat()
}

fn places(path: &str, bytes: &[u8], limits: &Limits) -> Vec<(String, Option<u32>)> {
    let (found, _) = scan_file(path, bytes, limits);
    found.into_iter().map(|finding| (finding.inside.unwrap_or_default(), finding.line)).collect()
}

#[test]
fn looks_into_each_container_and_names_the_path() {
    let text = format!("a=1\ntoken={}\n", value());
    let limits = Limits::default();
    let expect = |path: &str, bytes: &[u8], inside: &str| {
        assert_eq!(places(path, bytes, &limits), [(inside.to_owned(), Some(2))], "{path}");
    };
    expect("/var/log/auth.log.gz", &gzip(text.as_bytes()), "!/auth.log");
    expect("/srv/a.zst", &zstd::encode_all(text.as_bytes(), 1).unwrap(), "!/a");
    expect("/srv/a.tar", &tar("conf/x", text.as_bytes()), "!/conf/x");
    expect("/srv/a.tgz", &gzip(&tar("./conf/x", text.as_bytes())), "!/conf/x");
    expect(
        "/opt/a.jar",
        &zip(&[("META-INF/M", b"x"), ("conf/x.properties", text.as_bytes())]),
        "!/conf/x.properties",
    );
    let jar = zip(&[("conf/x.properties", text.as_bytes())]);
    expect("/srv/a.tar.gz", &gzip(&tar("lib/a.jar", &jar)), "!/lib/a.jar!/conf/x.properties");
    let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
    xz.write_all(text.as_bytes()).unwrap();
    expect("/srv/a.xz", &xz.finish().unwrap(), "!/a");
}

#[test]
fn names_of_entries_betray_what_they_hold() {
    let netrc = fill("machine x login joe password {p14}\n", &mut Random::new(22));
    let (found, _) = scan_file("/srv/a.tar", &tar("home/joe/.netrc", netrc.as_bytes()), &Limits::default());
    assert_eq!(found[0].kind, "file-netrc");
}

#[test]
fn more_bytes_than_allowed_are_told() {
    let content = [vec![b'\n'; 4 << 20], value().into_bytes()].concat();
    let limits = Limits { unpacked_bytes_max: 1 << 20, ..Limits::default() };
    for bytes in [gzip(&content), zip(&[("x", &content)]), gzip(&tar("x", &content))] {
        let (found, looked) = scan_file("/srv/x.gz", &bytes, &limits);
        assert!(found.is_empty() && looked.bytes_unpacked <= 1 << 20);
        assert!(
            looked.gaps.iter().any(|gap| gap.reason == "not looked at beyond 1 MiB unpacked"),
            "{looked:?}"
        );
    }
    let exact = Limits { unpacked_bytes_max: content.len() as u64, ..Limits::default() };
    let (found, looked) = scan_file("/srv/x.gz", &gzip(&content), &exact);
    assert!(found.len() == 1 && looked.is_whole(), "{looked:?}");
}

#[test]
fn more_levels_than_allowed_are_told() {
    let mut bytes = value().into_bytes();
    for _ in 0..4 {
        bytes = gzip(&bytes);
    }
    let (found, looked) = scan_file("/srv/x", &bytes, &Limits::default());
    assert!(found.len() == 1 && looked.is_whole(), "{found:?} {looked:?}");
    let (_, looked) = scan_file("/srv/x", &gzip(&bytes), &Limits::default());
    assert!(looked.gaps[0].reason.contains("more than 4 containers deep"), "{looked:?}");
}

#[test]
fn what_is_not_read_is_told() {
    let damaged = [&gzip(&vec![7; 100_000])[..100], &[0xFF; 50]].concat();
    let mut sealed = zip(&[("x", b"content")]);
    let flag = place_of(&sealed, b"PK\x01\x02") + 8;
    sealed[flag] = 1;
    for (path, content, reason) in [
        ("/x.gz", damaged, "damaged"),
        ("/x.zip", sealed, "encrypted with a passphrase"),
        ("/x.bz2", b"BZh91AY&SY\0\0\0\0\0\0".to_vec(), "Bzip2 is not read"),
        ("/x.zip", b"PK\x03\x04 and no more".to_vec(), "without a directory"),
    ] {
        let (_, looked) = scan_file(path, &content, &Limits::default());
        assert!(looked.gaps.iter().any(|gap| gap.reason.contains(reason)), "{path} {reason}: {looked:?}");
    }
}

fn place_of(bytes: &[u8], part: &[u8]) -> usize {
    bytes.windows(part.len()).position(|window| window == part).unwrap()
}

#[test]
fn archives_of_the_systems_tools_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let deep = "d".repeat(90) + "/" + &"e".repeat(90);
    std::fs::create_dir_all(folder.path().join(&deep)).unwrap();
    std::fs::write(folder.path().join(&deep).join("x"), value()).unwrap();
    for format in ["gnu", "pax", "ustar"] {
        let archive = folder.path().join("a.tar");
        let run = Command::new("tar")
            .args(["--format", format, "-cf"])
            .arg(&archive)
            .arg("-C")
            .arg(folder.path())
            .arg(&deep)
            .status();
        if !run.is_ok_and(|status| status.success()) {
            return eprintln!("SKIPPED: needs tar");
        }
        let found = places("/a.tar", &std::fs::read(&archive).unwrap(), &Limits::default());
        assert_eq!(found[0].0, format!("!/{deep}/x"), "{format}");
    }
    let script = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED); z.writestr('conf/x', sys.argv[2] + '\\n'); z.close()";
    let archive = folder.path().join("a.zip");
    let run = Command::new("python3").args(["-c", script]).arg(&archive).arg(value()).status();
    if !run.is_ok_and(|status| status.success()) {
        return eprintln!("SKIPPED: needs python3");
    }
    assert_eq!(places("/a.zip", &std::fs::read(&archive).unwrap(), &Limits::default())[0].0, "!/conf/x");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_containers_never_make_a_panic(which in 0_usize..5, changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20), cut in any::<prop::sample::Index>()) {
        let text = value().repeat(20);
        let mut bytes = match which {
            0 => gzip(&tar("x", text.as_bytes())),
            1 => zip(&[("a", text.as_bytes()), ("b.gz", &gzip(text.as_bytes()))]),
            2 => tar("a.zip", &zip(&[("a", text.as_bytes())])),
            3 => zstd::encode_all(text.as_bytes(), 1).unwrap(),
            _ => [b"!<arch>\ndata.tar        0           0     0     100644  3072      `\n", &tar("x", text.as_bytes())[..]].concat(),
        };
        for (place, value) in changes {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        if cut.index(4) == 0 {
            bytes.truncate(cut.index(bytes.len()));
        }
        let limits = Limits { unpacked_bytes_max: 1 << 20, ..Limits::default() };
        scan_file("/x", &bytes, &limits);
    }
}
