//! Secrets in files and where no file is any more, and that no report shows them.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::Path;

use amint_types::Severity;
use amint_types::scan::{AnalyzerStatus, ScanDocument, ScanFinding};

use crate::disk::{LINUX, disk, ext4};
use crate::root::Root;
use crate::support::{has_tools, look, sh};

/// Builds a secret at run time, so that no scanner takes this file for a leak.
fn token() -> String {
    format!("glpat-{}", "Zx9Qv7Lm2Kp4Rt6Yw8Bn")
}

fn other_token() -> String {
    format!("ghp_{}", "Zx9Qv7Lm2Kp4Rt6Yw8Bn3Cd5Fg1Hj0Zx9Qv7")
}

fn of<'a>(document: &'a ScanDocument, rule: &str) -> Vec<&'a ScanFinding> {
    document.findings.iter().filter(|finding| finding.rule == rule).collect()
}

fn paths(findings: &[&ScanFinding]) -> Vec<String> {
    let mut paths: Vec<String> = findings.iter().map(|finding| finding.path.clone()).collect();
    paths.sort();
    paths
}

fn status(document: &ScanDocument, id: &str) -> AnalyzerStatus {
    document.analyzers.iter().find(|run| run.id == id).unwrap().status
}

#[test]
fn secrets_in_files_and_archives_are_told_with_their_places_and_those_of_packages_weigh_nothing() {
    if !has_tools(&["tar", "gzip"]) {
        return;
    }
    let root = Root::debian();
    root.write("opt/app/settings", format!("# first\ntoken = {}\n", token()));
    root.write("opt/pack/conf/x.properties", format!("token={}\n", other_token()));
    sh(&root.path(), "cd opt/pack && tar -czf ../app.tar.gz conf && cd .. && rm -r pack");
    let brought = format!("token={}\n", token());
    root.write("usr/share/demo/brought", &brought);
    root.write("usr/share/demo/changed", format!("{brought}# more\n"));
    root.bring("demo", &[("usr/share/demo/brought", &brought), ("usr/share/demo/changed", &brought)]);
    let document = look(&root.path());
    let found = of(&document, "SEC-004");
    assert_eq!(
        paths(&found),
        [
            "/opt/app.tar.gz!/conf/x.properties",
            "/opt/app/settings",
            "/usr/share/demo/brought",
            "/usr/share/demo/changed"
        ]
    );
    for finding in found {
        let is_brought = finding.path.ends_with("brought");
        assert_eq!(finding.severity == Severity::Info, is_brought, "{finding:?}");
    }
    assert_eq!(status(&document, "secrets"), AnalyzerStatus::Ran);
    assert_eq!(status(&document, "free-space"), AnalyzerStatus::Skipped);
}

#[test]
fn what_a_python_package_from_an_index_lists_weighs_little_and_only_while_unchanged() {
    if !has_tools(&["sha256sum", "xxd", "base64"]) {
        return;
    }
    let root = Root::debian();
    let folder = "opt/app/lib/python3.12/site-packages";
    for (name, is_own) in [("public-1.0", false), ("own-2.0", true)] {
        let module = name.split('-').next().unwrap();
        for file in ["same.txt", "changed.txt"] {
            root.write(&format!("{folder}/{module}/{file}"), format!("token={}\n", other_token()));
        }
        root.write(&format!("{folder}/{name}.dist-info/METADATA"), format!("Name: {module}\nVersion: 1\n"));
        sh(
            &root.path().join(folder),
            &format!(
                "for f in {module}/*; do \
                   echo \"$f,sha256=$(sha256sum $f | cut -c -64 | xxd -r -p | base64 | tr '+/' '-_' | tr -d =),1\"; \
                 done > {name}.dist-info/RECORD"
            ),
        );
        if is_own {
            root.write(&format!("{folder}/{name}.dist-info/direct_url.json"), "{}");
        }
        root.write(&format!("{folder}/{module}/changed.txt"), format!("# new\ntoken={}\n", other_token()));
    }
    let document = look(&root.path());
    let mut told: Vec<_> = of(&document, "SEC-004")
        .iter()
        .map(|finding| (finding.path.rsplit_once("site-packages/").unwrap().1.to_owned(), finding.severity))
        .collect();
    told.sort();
    let expected = [
        ("own/changed.txt", Severity::High),
        ("own/same.txt", Severity::High),
        ("public/changed.txt", Severity::High),
        ("public/same.txt", Severity::Medium),
    ];
    assert_eq!(told, expected.map(|(path, severity)| (path.to_owned(), severity)));
}

#[test]
fn what_cannot_be_looked_into_makes_the_analyzer_partial() {
    let root = Root::debian();
    root.write("opt/backup.7z", b"7z\xBC\xAF\x27\x1C and more");
    let document = look(&root.path());
    let run = document.analyzers.iter().find(|run| run.id == "secrets").unwrap();
    assert_eq!(run.status, AnalyzerStatus::Partial);
    assert!(run.notes[0].starts_with("/opt/backup.7z: "), "{:?}", run.notes);
}

/// Writes over a place of a disk.
fn poke(path: &Path, offset: u64, bytes: &[u8]) {
    OpenOptions::new().write(true).open(path).unwrap().write_all_at(bytes, offset).unwrap();
}

#[test]
fn secrets_in_free_blocks_gaps_swap_and_the_journal_are_found() {
    if !has_tools(&["mke2fs", "sfdisk", "debugfs", "mkswap"]) {
        return;
    }
    let root = Root::debian();
    root.write("opt/gone", format!("{} token={}\n", "x".repeat(5000), token()));
    let files = ext4(&root, "root", "files", 40, "");
    // Unlinking by debugfs frees the blocks and leaves their content, as a kernel does.
    sh(root.folder.path(), "debugfs -w -R 'rm /opt/gone' files 2>/dev/null");
    sh(root.folder.path(), "truncate -s 4M swap && mkswap -q swap 2>/dev/null");
    poke(&root.beside("swap"), 1 << 20, other_token().as_bytes());
    let path = disk(&root, "disk", &[(LINUX, "root", files), (LINUX, "swap", root.beside("swap"))]);
    let key = format!("AKIA{} ", "QRSTUV2345672ABC");
    poke(&path, 512 * 100, key.as_bytes());
    let document = look(&path);
    let found = of(&document, "SEC-010");
    let told = paths(&found);
    assert!(told.iter().any(|path| path.starts_with("/@1 (root)")), "{told:?}");
    assert!(told.contains(&"/@2 (swap)".to_owned()) && told.contains(&"/@gaps".to_owned()), "{told:?}");
    assert!(found.iter().all(|finding| finding.severity >= Severity::High), "{found:?}");
    assert_eq!(status(&document, "free-space"), AnalyzerStatus::Ran);
    assert_eq!(of(&document, "SEC-004"), Vec::<&ScanFinding>::new());
}

#[test]
fn an_empty_disk_beside_its_files_has_nothing_in_free_space() {
    if !has_tools(&["mke2fs"]) {
        return;
    }
    let root = Root::debian();
    let document = look(&ext4(&root, "root", "files", 40, ""));
    assert_eq!(of(&document, "SEC-010"), Vec::<&ScanFinding>::new());
    assert_eq!(status(&document, "free-space"), AnalyzerStatus::Ran);
}

#[test]
fn no_report_shows_a_secret() {
    if !has_tools(&["mke2fs", "debugfs"]) {
        return;
    }
    let root = Root::debian();
    let password = "k7Rz-pq9Wm-vT2x";
    let key = format!("AKIA{}", "QRSTUV2345672ABC");
    let secret = "Zx9Qv7Lm2Kp4Rt6Yw8Bn3Cd5Fg1Hj0Zx9Qv7Lm2K";
    root.write("opt/gone", format!("{} token={}\n", "x".repeat(5000), other_token()));
    root.write(
        "root/.bash_history",
        format!("mysql -p{password} -h db\ncurl -u joe:{password} https://a.corp.internal\n"),
    );
    root.write("opt/a", format!("url=postgres://joe:{password}@db.corp.internal/x\ntoken={}\n", token()));
    root.write(
        "root/.aws/credentials",
        format!("[default]\naws_access_key_id={key}\naws_secret_access_key={secret}\n"),
    );
    root.write("etc/environment", format!("APP_TOKEN={password}\n"));
    let files = ext4(&root, "root", "files", 40, "");
    sh(root.folder.path(), "debugfs -w -R 'rm /opt/gone' files 2>/dev/null");
    let document = look(&files);
    for rule in ["SEC-001", "SEC-002", "SEC-004", "SEC-010"] {
        assert!(!of(&document, rule).is_empty(), "{rule}");
    }
    let json = serde_json::to_string(&document).unwrap();
    let reports = [
        json,
        amint_report::scan::sarif(&document),
        amint_report::scan::junit(&document),
        amint_report::scan::html(&document).unwrap(),
    ];
    for value in [password, &key, secret, &token(), &other_token()] {
        for report in &reports {
            assert!(!report.contains(value), "a report shows a secret of {} characters", value.len());
        }
    }
}
