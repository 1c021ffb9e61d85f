use std::fs;
use std::io::{Read, Write};
use std::process::Command;

use proptest::prelude::*;

use super::*;

fn tar_of(files: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(u64::try_from(content.len()).unwrap());
        header.set_mode(0o755);
        // Set by hand: the writer would refuse the names that the reader has to refuse.
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        builder.append(&header, content.as_bytes()).unwrap();
    }
    builder.into_inner().unwrap()
}

fn archive_of(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = b"!<arch>\n".to_vec();
    for (name, content) in members {
        writeln!(archive, "{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`", 0, 0, 0, 100_644, content.len()).unwrap();
        archive.extend_from_slice(content);
        if content.len() % 2 == 1 {
            archive.push(b'\n');
        }
    }
    archive
}

fn package() -> Vec<u8> {
    let control = tar_of(&[("./control", "Package: a\nVersion: 1\n"), ("./postinst", "#!/bin/sh\n")]);
    let data = zstd::encode_all(tar_of(&[("./usr/bin/a", "hello")]).as_slice(), 1).unwrap();
    archive_of(&[("debian-binary", b"2.0\n"), ("control.tar", &control), ("data.tar.zst", &data)])
}

fn open(bytes: &[u8]) -> Result<Deb, DebError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), bytes).unwrap();
    let deb = Deb::open(file.path());
    // The data is read by path later on: keep it for the tests that want it.
    let _ = file.into_temp_path().keep();
    deb
}

#[test]
fn reads_control_files_and_streams_the_rest() {
    let deb = open(&package()).unwrap();
    assert_eq!(deb.control().get("Package"), Some("a"));
    assert_eq!(deb.control_file("postinst"), Some(&b"#!/bin/sh\n"[..]));
    let mut archive = deb.data().unwrap();
    let mut entry = archive.entries().unwrap().next().unwrap().unwrap();
    let mut content = String::new();
    entry.read_to_string(&mut content).unwrap();
    assert_eq!((entry.path_bytes().as_ref(), content.as_str()), (&b"./usr/bin/a"[..], "hello"));
    fs::remove_file(deb.path()).unwrap();
}

#[test]
fn refuses_what_is_no_package_and_says_why() {
    let cut = &package()[..100];
    let other = archive_of(&[("debian-binary", b"3.0\n")]);
    let evil = tar_of(&[("./control", "Package: a\nVersion: 1\n"), ("./../x", "")]);
    let evil = archive_of(&[("debian-binary", b"2.0\n"), ("control.tar", &evil), ("data.tar", b"")]);
    let cases: [(&[u8], &str); 5] = [
        (b"PK", "too short"),
        (b"not an archive at all", "does not begin like an archive"),
        (cut, "ends before its files"),
        (&other, "not version 2"),
        (&evil, "a name that none may have"),
    ];
    for (bytes, wanted) in cases {
        let error = open(bytes).unwrap_err();
        assert!(error.kind.to_string().contains(wanted), "{}: {wanted}", error.kind);
    }
}

#[test]
fn knows_a_package_by_size_and_digest() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), b"abc").unwrap();
    verify(file.path(), 3, &Digest::of(b"abc")).unwrap();
    assert!(verify(file.path(), 4, &Digest::of(b"abc")).is_err());
    assert!(verify(file.path(), 3, &Digest::of(b"abd")).is_err());
}

#[test]
fn reads_what_dpkg_deb_writes_with_every_compression() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    fs::create_dir_all(root.join("DEBIAN")).unwrap();
    let control =
        "Package: a\nVersion: 1\nArchitecture: all\nMaintainer: nobody <a@a.example>\nDescription: a\n";
    fs::write(root.join("DEBIAN/control"), control).unwrap();
    fs::write(root.join("file"), "x".repeat(100_000)).unwrap();
    for kind in ["none", "gzip", "xz", "zstd"] {
        let target = folder.path().join(format!("{kind}.deb"));
        let status =
            Command::new("dpkg-deb").arg(format!("-Z{kind}")).arg("-b").args([&root, &target]).output();
        match status {
            Ok(output) if output.status.success() => {}
            _ => {
                eprintln!("SKIPPED: dpkg-deb -Z{kind} does not work on this machine");
                continue;
            }
        }
        let deb = Deb::open(&target).unwrap();
        let mut found = 0;
        for entry in deb.data().unwrap().entries().unwrap() {
            let entry = entry.unwrap();
            found += usize::from(entry.path_bytes().as_ref() == b"./file" && entry.size() == 100_000);
        }
        assert_eq!(found, 1, "{kind}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn never_panics_on_damaged_packages(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let mut bytes = package();
        for (index, value) in changes {
            let at = index.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(deb) = open(&bytes) {
            if let Ok(mut archive) = deb.data() && let Ok(entries) = archive.entries() {
                for entry in entries.take(100) {
                    let Ok(mut entry) = entry else { break };
                    let _ = io::copy(&mut entry, &mut io::sink());
                }
            }
            let _ = fs::remove_file(deb.path());
        }
    }
}
