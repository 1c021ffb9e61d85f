//! `amint db build` and `amint db status`, against a small archive made for the test.

use std::fs;

use crate::lock::Archive;
use crate::support::amint;

const CHANGELOG: &str = "curl (1.0-1+deb13u1) trixie-security; urgency=high\n\n  * Mends CVE-2026-12345.\n\n \
     -- a <a@a.example>  Mon, 02 Nov 2026 10:00:00 +0000\n\ncurl (1.0-1) unstable; urgency=low\n\n  \
     * Mends CVE-2020-11111.\n\n -- a <a@a.example>  Mon, 05 Jan 2026 10:00:00 +0000\n";

/// An archive, and a tree with two of its packages; `curl` has a newer version.
fn archive_and_tree() -> Option<Archive> {
    let archive = Archive::new()?;
    archive.add("debian-security", "curl", "1.0-1+deb13u1", "Depends: libcurl4 (>= 1.0)\n", CHANGELOG);
    archive.publish();
    for folder in ["tree/etc", "tree/var/lib/dpkg"] {
        fs::create_dir_all(archive.path(folder)).unwrap();
    }
    archive
        .write("tree/etc/os-release", "ID=debian\nVERSION_ID=\"13\"\nVERSION_CODENAME=trixie\nNAME=Debian\n");
    let package = |name: &str| {
        format!(
            "Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nMaintainer: Debian\n\
             Version: 1.0-1\nDescription: {name}\n\n"
        )
    };
    archive.write("tree/var/lib/dpkg/status", &(package("curl") + &package("libcurl4")));
    Some(archive)
}

const BUILD: [&str; 6] = ["db", "build", "--for", "./tree", "--keyring", "web/keys.gpg"];

#[test]
fn what_an_image_lacks_is_learnt_from_its_own_archive() {
    let Some(archive) = archive_and_tree() else { return };
    let ran = archive.amint(&BUILD);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let status = amint(&archive.path(""), &["db", "status", "--json"]);
    assert_eq!(status.code, Some(0), "{} {}", status.stdout, status.stderr);
    for text in ["\"debian:13/trixie-security\"", "\"debian:13/changelogs\"", "\"signature\": \"trusted\""] {
        assert!(status.stdout.contains(text), "{text}: {}", status.stdout);
    }
    let scan = amint(&archive.path(""), &["scan", "./tree", "--format", "json"]);
    assert!(scan.stdout.contains("CVE-2026-12345"), "{} {}", scan.stdout, scan.stderr);
    assert!(!scan.stdout.contains("CVE-2020-11111"), "{}", scan.stdout);
    assert!(scan.stdout.contains("VUL-002"), "{}", scan.stdout);
}

#[test]
fn a_second_build_fetches_nothing_new_and_gives_the_same_bytes() {
    let Some(archive) = archive_and_tree() else { return };
    assert_eq!(archive.amint(&BUILD).code, Some(0));
    let database = archive.path("home/db/advisories.db");
    let first = fs::read(&database).unwrap();
    let ran = archive.amint(&[&BUILD[..], &["--offline"]].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(fs::read(&database).unwrap(), first);
    assert_eq!(fs::read_dir(archive.path("home/db")).unwrap().count(), 1);
}

#[test]
fn a_source_that_cannot_be_fetched_fails_the_build_and_leaves_the_old_database() {
    let Some(archive) = archive_and_tree() else { return };
    assert_eq!(archive.amint(&BUILD).code, Some(0));
    let database = archive.path("home/db/advisories.db");
    let old = fs::read(&database).unwrap();
    let release = archive.path("debian-security/dists/trixie-security/InRelease");
    let text = fs::read_to_string(&release).unwrap();
    fs::write(&release, text.replace("Origin: Debian", "Origin: Debain")).unwrap();
    let ran = archive.amint(&BUILD);
    assert_eq!(ran.code, Some(7), "{}", ran.stderr);
    assert!(ran.stderr.contains("debian:13/trixie-security"), "{}", ran.stderr);
    assert_eq!(fs::read(&database).unwrap(), old);
    let ran = archive.amint(&["db", "build", "--no-archives", "--source", "osv=nothing/here.zip"]);
    assert_eq!(ran.code, Some(7), "{}", ran.stderr);
    assert!(ran.stderr.contains("osv/here.zip"), "{}", ran.stderr);
    assert_eq!(fs::read(&database).unwrap(), old);
}

#[test]
fn named_sources_are_taken_in_and_others_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let osv = "{\"id\":\"GHSA-aaaa-bbbb-cccc\",\"affected\":[{\"package\":{\"ecosystem\":\"npm\",\"name\":\"left\"},\
               \"ranges\":[{\"type\":\"SEMVER\",\"events\":[{\"introduced\":\"0\"},{\"fixed\":\"2.0.0\"}]}]}]}";
    fs::write(folder.path().join("one.json"), osv).unwrap();
    let build = |source: &str| amint(folder.path(), &["db", "build", "--no-archives", "--source", source]);
    let ran = build("osv=one.json");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let status = amint(folder.path(), &["db", "status"]);
    assert_eq!(status.code, Some(0), "{}", status.stderr);
    assert!(status.stdout.contains("osv/one.json"), "{}", status.stdout);
    assert_eq!(build("ovs=one.json").code, Some(2));
    assert_eq!(build("kev=one.json").code, Some(3));
}

#[test]
fn a_status_without_fresh_and_trusted_advisories_is_no_evidence() {
    let folder = tempfile::tempdir().unwrap();
    let status = || amint(folder.path(), &["db", "status"]);
    let ran = status();
    assert_eq!(ran.code, Some(4), "{}", ran.stderr);
    assert!(ran.stderr.contains("amint db build"), "{}", ran.stderr);
    let osv = folder.path().join("one.json");
    let text = "{\"id\":\"GHSA-aaaa-bbbb-cccc\",\"affected\":[{\"package\":{\"ecosystem\":\"npm\",\"name\":\"left\"},\
                \"versions\":[\"1.0.0\"]}]}";
    fs::write(&osv, text).unwrap();
    let build = ["db", "build", "--no-archives", "--source", "osv=one.json"];
    assert_eq!(amint(folder.path(), &build).code, Some(0));
    assert_eq!(status().code, Some(0));
    // Another machine's key is not trusted here.
    fs::remove_file(folder.path().join("home/keys/signing.pem")).unwrap();
    let ran = status();
    assert_eq!(ran.code, Some(4), "{}", ran.stderr);
    assert!(ran.stdout.contains("osv/one.json") && ran.stderr.contains("not signed by"), "{}", ran.stderr);
    // Nor are advisories of long ago.
    let old = std::time::SystemTime::now() - std::time::Duration::from_hours(24 * 30);
    fs::File::options().append(true).open(&osv).unwrap().set_modified(old).unwrap();
    assert_eq!(amint(folder.path(), &build).code, Some(0));
    let ran = status();
    assert_eq!(ran.code, Some(4), "{}", ran.stderr);
    assert!(ran.stdout.contains("30 days"), "{}", ran.stdout);
}
