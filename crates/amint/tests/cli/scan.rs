//! `amint scan`, as a person and a pipeline see it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{Ran, amint};

/// One advisory on one package of the folder below.
pub(crate) const ADVISORY: &str = r#"{"id":"DEBIAN-CVE-2026-1","modified":"2026-11-20T00:00:00Z","upstream":["CVE-2026-1"],
"affected":[{"package":{"ecosystem":"Debian:13","name":"curl"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"8.14.1-2"}]}]}],
"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]}"#;

/// A statement that the advisory does not matter.
const STATEMENT: &str = r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"urn:a","author":"a","timestamp":"2026-11-21T00:00:00Z","version":1,
"statements":[{"vulnerability":{"name":"CVE-2026-1"},"products":[{"@id":"pkg:deb/debian/curl"}],"status":"not_affected","justification":"vulnerable_code_not_in_execute_path"}]}"#;

/// Makes a folder like the root of Debian, with one package of each version given.
pub(crate) fn tree(folder: &Path, name: &str, packages: &[(&str, &str)]) {
    let root = folder.join(name);
    fs::create_dir_all(root.join("etc")).unwrap();
    fs::create_dir_all(root.join("var/lib/dpkg")).unwrap();
    let release = "ID=debian\nVERSION_ID=\"13\"\nVERSION_CODENAME=trixie\nPRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\n";
    fs::write(root.join("etc/os-release"), release).unwrap();
    fs::write(root.join("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n").unwrap();
    let mut status = String::new();
    for (name, version) in packages {
        let _ = write!(
            status,
            "Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nMaintainer: a\nVersion: {version}\nDescription: {name}\n\n"
        );
    }
    fs::write(root.join("var/lib/dpkg/status"), status).unwrap();
}

/// A folder with a tree in it, and with a database of one advisory where `with_database` says so.
fn prepared(with_database: bool) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    tree(folder.path(), "tree", &[("bash", "5.2-1"), ("curl", "8.14.1-1")]);
    if with_database {
        fs::write(folder.path().join("osv.json"), ADVISORY).unwrap();
        let ran = amint(folder.path(), &["db", "build", "--no-archives", "--source", "osv=osv.json"]);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    }
    folder
}

fn scan(folder: &Path, arguments: &[&str]) -> Ran {
    amint(folder, &[&["scan", "./tree"], arguments].concat())
}

#[test]
fn exit_codes_tell_clean_failed_unread_and_without_evidence_apart() {
    let bare = prepared(false);
    let ran = scan(bare.path(), &[]);
    assert_eq!(ran.code, Some(4), "{} {}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("amint db build"), "{}", ran.stdout);
    let ran = scan(bare.path(), &["--no-advisories"]);
    assert_eq!(ran.code, Some(0), "{} {}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("2 deb"), "{}", ran.stdout);

    let folder = prepared(true);
    let ran = scan(folder.path(), &[]);
    assert_eq!(ran.code, Some(1), "{} {}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("CVE-2026-1") && ran.stdout.contains("8.14.1-2"), "{}", ran.stdout);

    fs::create_dir(folder.path().join("nothing")).unwrap();
    let ran = amint(folder.path(), &["scan", "./nothing"]);
    assert_eq!(ran.code, Some(3), "{} {}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("no operating system was found"), "{}", ran.stdout);
}

#[test]
fn a_failed_gate_is_never_told_over_something_unread() {
    let folder = prepared(true);
    fs::write(folder.path().join("tree/var/lib/dpkg/status"), "Package: curl\nStatus: install ok inst")
        .unwrap();
    let ran = scan(folder.path(), &["--json"]);
    assert_eq!(ran.code, Some(3), "{} {}", ran.stdout, ran.stderr);
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(document["verdict"], "unread");
}

#[test]
fn what_is_no_image_ends_with_3_and_a_hint() {
    let folder = prepared(false);
    fs::write(folder.path().join("root.tar.gz"), b"\x1f\x8b\x08\0\0\0\0\0").unwrap();
    for (target, word) in [
        ("./not-there.raw", "tar archive"),
        ("not-there", "amint images"),
        ("/dev/null", "tar archive"),
        ("./root.tar.gz", "gzip -dk"),
    ] {
        let ran = amint(folder.path(), &["scan", target]);
        assert_eq!(ran.code, Some(3), "{target}: {}", ran.stderr);
        assert!(ran.stderr.contains("hint: ") && ran.stderr.contains(word), "{target}: {}", ran.stderr);
        assert!(ran.stdout.is_empty(), "{}", ran.stdout);
    }
}

#[test]
fn wrong_words_end_with_2() {
    let folder = prepared(false);
    for arguments in [
        &["--profile", "marketplaces"][..],
        &["--gate", "grave"],
        &["--format", "yaml"],
        &["--sbom", "cyclonedx", "--format", "html"],
        &["--no-advisories", "--db", "a.db"],
    ] {
        let ran = scan(folder.path(), arguments);
        assert_eq!(ran.code, Some(2), "{arguments:?}: {}", ran.stderr);
    }
}

#[test]
fn every_form_is_one_document_of_its_kind() {
    let folder = prepared(true);
    let json = |arguments: &[&str]| -> Value {
        let ran = scan(folder.path(), arguments);
        assert_eq!(ran.code, Some(1), "{arguments:?}: {}", ran.stderr);
        serde_json::from_str(&ran.stdout).unwrap()
    };
    assert_eq!(json(&["--json"])["verdict"], "fail");
    assert_eq!(json(&["--format", "json"])["findings"][0]["rule"], "CVE-2026-1");
    let sarif = json(&["--format", "sarif"]);
    assert_eq!(sarif["version"], "2.1.0");
    assert_eq!(sarif["runs"][0]["results"][0]["ruleId"], "CVE-2026-1");
    let cyclonedx = json(&["--sbom", "cyclonedx"]);
    assert_eq!(cyclonedx["bomFormat"], "CycloneDX");
    assert!(cyclonedx["components"].to_string().contains("pkg:deb/debian/curl@8.14.1-1"));
    let spdx = json(&["--sbom", "spdx"]);
    assert_eq!(spdx["spdxVersion"], "SPDX-2.3");
    assert!(spdx["packages"].to_string().contains("pkg:deb/debian/curl@8.14.1-1"));
    for (form, start, end) in [("junit", "<?xml", "</testsuites>"), ("html", "<!", "</html>")] {
        let ran = scan(folder.path(), &["--format", form]);
        assert_eq!(ran.code, Some(1), "{form}: {}", ran.stderr);
        let text = ran.stdout.trim();
        let fits =
            text.to_lowercase().starts_with(start) && text.ends_with(end) && text.contains("CVE-2026-1");
        assert!(fits, "{form}: {text}");
    }
}

#[test]
fn a_report_is_the_same_at_the_same_moment() {
    let folder = prepared(true);
    let run = || {
        let output = Command::new(assert_cmd::cargo::cargo_bin!("amint"))
            .args(["scan", "./tree", "--json"])
            .env("AMINT_HOME", folder.path().join("home"))
            .env("SOURCE_DATE_EPOCH", "1800000000")
            .current_dir(folder.path())
            .output()
            .unwrap();
        output.stdout
    };
    let first = run();
    assert_eq!(first, run());
    let document: Value = serde_json::from_slice(&first).unwrap();
    assert_eq!(document["scanned_at"], "2027-01-15T08:00:00Z");
}

#[test]
fn a_file_is_replaced_at_once_or_not_at_all() {
    let folder = prepared(true);
    let report = folder.path().join("out/report.json");
    fs::create_dir(folder.path().join("out")).unwrap();
    fs::write(&report, "old").unwrap();
    let failed = amint(folder.path(), &["scan", "./not-there.raw", "--json", "-o", "out/report.json"]);
    assert_eq!(failed.code, Some(3));
    assert_eq!(fs::read_to_string(&report).unwrap(), "old");
    let ran = scan(folder.path(), &["--format", "json", "--output", "out/report.json"]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    // The file is for programs; why it failed is said to whoever looks on.
    assert!(ran.stdout.is_empty(), "{}", ran.stdout);
    assert!(ran.stderr.contains("severity high"), "{}", ran.stderr);
    let document: Value = serde_json::from_str(&fs::read_to_string(&report).unwrap()).unwrap();
    assert_eq!(document["verdict"], "fail");
    assert_eq!(fs::read_dir(folder.path().join("out")).unwrap().count(), 1);
    let ran = scan(folder.path(), &["--output", "no-folder/report.txt"]);
    assert!(!matches!(ran.code, Some(0 | 1)), "{:?}", ran.code);
    assert!(ran.stderr.contains("no-folder"), "{}", ran.stderr);
}

#[test]
fn the_gate_and_statements_decide_what_fails() {
    let folder = prepared(true);
    assert_eq!(scan(folder.path(), &["--gate", "critical"]).code, Some(1));
    fs::write(folder.path().join("statement.json"), STATEMENT).unwrap();
    let ran = scan(folder.path(), &["--vex", "statement.json", "--json"]);
    assert_eq!(ran.code, Some(0), "{} {}", ran.stdout, ran.stderr);
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert!(document["findings"][0]["not_affected"].is_string(), "{document:#}");
    fs::write(folder.path().join("statement.json"), "{}").unwrap();
    let ran = scan(folder.path(), &["--vex", "statement.json"]);
    assert_eq!(ran.code, Some(3), "{} {}", ran.stdout, ran.stderr);
    let severity = ADVISORY.replace("C:H/I:H/A:H", "C:L/I:N/A:N");
    fs::write(folder.path().join("osv.json"), severity).unwrap();
    let built = amint(folder.path(), &["db", "build", "--no-archives", "--source", "osv=osv.json"]);
    assert_eq!(built.code, Some(0), "{}", built.stderr);
    assert_eq!(scan(folder.path(), &[]).code, Some(0));
    assert_eq!(scan(folder.path(), &["--gate", "medium"]).code, Some(1));
}

#[test]
fn what_is_left_out_is_told_in_the_document() {
    let folder = prepared(true);
    let ran = scan(folder.path(), &["--skip", "java", "--skip", "checksums", "--skip", "dpkg", "--json"]);
    assert_eq!(ran.code, Some(0), "{} {}", ran.stdout, ran.stderr);
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(document["packages"].as_array().unwrap().len(), 0);
    let analyzers = document["analyzers"].as_array().unwrap();
    let not_asked: Vec<&str> = analyzers
        .iter()
        .filter(|run| run["status"] == "skipped" && run["notes"][0] == "not asked")
        .map(|run| run["id"].as_str().unwrap())
        .collect();
    assert_eq!(not_asked, ["checksums", "dpkg", "java"]);
}

#[test]
fn a_report_is_written_into_a_pipe_and_the_pipe_stays_one() {
    use std::os::unix::fs::FileTypeExt as _;
    let folder = prepared(true);
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::read(pipe).unwrap()
    });
    let ran = scan(folder.path(), &["--json", "-o", "pipe"]);
    let is_pipe = fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo();
    // Whoever waits at the other end of a pipe that is gone waits for ever.
    assert!(is_pipe, "the pipe was replaced: {:?} {}", ran.code, ran.stderr);
    let document: Value = serde_json::from_slice(&reader.join().unwrap()).unwrap();
    assert_eq!(document["packages"].as_array().unwrap().len(), 2);
    // Nor is a device replaced by a disk that is exported or a database that is made.
    let device = folder.path().join("device");
    std::os::unix::fs::symlink("/dev/full", &device).unwrap();
    let built = amint(
        folder.path(),
        &["db", "build", "--no-archives", "--source", "osv=osv.json", "--output", "device"],
    );
    assert_eq!(built.code, Some(2), "{}", built.stderr);
}

#[test]
fn no_form_of_a_report_shows_a_secret() {
    let folder = prepared(true);
    let root = folder.path().join("tree");
    let password = "k7Rz-pq9Wm-vT2x";
    // Put together here, so that no scanner takes this file for a leak.
    let key = format!("AKIA{}", "QRSTUV2345672ABC");
    let token = format!("glpat-{}", "Zx9Qv7Lm2Kp4Rt6Yw8Bn");
    fs::create_dir_all(root.join("root/.aws")).unwrap();
    fs::create_dir_all(root.join("opt")).unwrap();
    fs::write(root.join("root/.bash_history"), format!("mysql -p{password} -h db\n")).unwrap();
    fs::write(root.join("root/.aws/credentials"), format!("[default]\naws_access_key_id={key}\n")).unwrap();
    fs::write(
        root.join("opt/a"),
        format!("url=postgres://joe:{password}@db.corp.internal/x\ntoken={token}\n"),
    )
    .unwrap();
    fs::write(root.join("etc/environment"), format!("APP_PASSWORD={password}\n")).unwrap();
    let forms: [&[&str]; 9] = [
        &[],
        &["--all"],
        &["--verbose"],
        &["--json"],
        &["--format", "sarif"],
        &["--format", "junit"],
        &["--format", "html"],
        &["--format", "marketplace"],
        &["--fix-plan"],
    ];
    for form in forms {
        let ran = scan(folder.path(), &[&["--profile", "marketplace"], form].concat());
        assert_eq!(ran.code, Some(1), "{form:?} {}", ran.stderr);
        let told = format!("{}{}", ran.stdout, ran.stderr);
        assert!(form == ["--fix-plan"] || told.contains("SEC-0"), "{form:?} tells of no secret: {told}");
        for value in [password, &key, &token] {
            assert!(!told.contains(value), "{form:?} shows a secret of {} characters", value.len());
        }
    }
}

#[test]
fn colours_are_left_out_where_nobody_wants_them() {
    let folder = prepared(true);
    let run = |variables: &[(&str, &str)]| {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("amint"));
        command.args(["scan", "./tree"]).env("AMINT_HOME", folder.path().join("home"));
        command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").current_dir(folder.path());
        let output = command.envs(variables.iter().copied()).output().unwrap();
        [output.stdout, output.stderr].concat().contains(&0x1b)
    };
    assert!(run(&[("CLICOLOR_FORCE", "1")]));
    assert!(!run(&[]), "a pipe gets no colours");
    assert!(!run(&[("NO_COLOR", "1")]));
    assert!(!run(&[("NO_COLOR", "1"), ("TERM", "xterm-256color")]));
}
