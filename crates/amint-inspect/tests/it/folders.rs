//! Folders of the host: what is not entered, what may not be read, what leads out.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use amint_types::scan::{CoverageStatus, ScanVerdict};

use crate::root::Root;
use crate::support::look;

#[test]
fn other_file_systems_below_a_folder_are_told_and_not_entered() {
    let root = Root::debian();
    fs::create_dir_all(root.path().join("proc")).unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "none"]).arg(root.path().join("proc")).output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: needs the right to mount");
        return;
    }
    root.write("proc/flask-3.0.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: flask\nVersion: 3.0.0\n");
    let document = look(&root.path());
    let unmounted = Command::new("umount").arg(root.path().join("proc")).status().unwrap();
    assert!(unmounted.success());
    assert!(!document.packages.iter().any(|package| package.name == "flask"));
    assert_eq!(document.verdict, ScanVerdict::Pass, "{:?}", document.reasons);
    assert_eq!(document.coverage[0].notes, ["another file system was not entered: /proc"]);
}

#[test]
fn what_an_ordinary_user_may_not_read_is_told() {
    if rustix_is_root() {
        return as_nobody("folders::what_an_ordinary_user_may_not_read_is_told");
    }
    let root = Root::debian();
    let closed = root.path().join("home/closed");
    fs::create_dir(&closed).unwrap();
    root.write("home/closed/file", "x");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    let document = look(&root.path());
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(document.coverage[0].status, CoverageStatus::Partial);
    assert_eq!(document.verdict, ScanVerdict::Unread);
    assert!(document.reasons[0].contains("/home/closed: "), "{:?}", document.reasons);
    assert!(document.reasons[0].contains("Permission denied"), "{:?}", document.reasons);
}

fn rustix_is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// Runs one test of this program again, as a user who may read little.
fn as_nobody(test: &str) {
    let program = std::env::current_exe().unwrap();
    let run = |arguments: &[&str]| {
        Command::new("setpriv")
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(&program)
            .args(arguments)
            .env("TMPDIR", "/tmp")
            .output()
    };
    if !run(&["--list"]).is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: needs setpriv, and a program that others may run");
        return;
    }
    let output = run(&["--exact", test, "--nocapture"]).unwrap();
    let told =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
}

#[test]
fn links_lead_nowhere_out_of_a_folder() {
    let root = Root::debian();
    fs::create_dir_all(root.beside("outside/dpkg/info")).unwrap();
    fs::write(
        root.beside("outside/dpkg/status"),
        "Package: outside\nStatus: install ok installed\nVersion: 1\nArchitecture: all\nMaintainer: a\nDescription: a\n\n",
    )
    .unwrap();
    root.remove("var/lib");
    symlink("../../outside", root.path().join("var/lib")).unwrap();
    let document = look(&root.path());
    assert!(!document.packages.iter().any(|package| package.name == "outside"));
    assert!(document.reasons.contains(&"no package database was found".to_owned()), "{:?}", document.reasons);
}
