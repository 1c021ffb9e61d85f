//! dpkg's database against `dpkg-query` and `dpkg-divert`.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use amint_packages::dpkg::{
    Diversions, DpkgDatabase, ErrorFlag, Want, owned_files, owned_paths, read_status,
};
use amint_packages::{Problems, content::ContentHasher};

use crate::rpm::run;

const SYSTEM: &str = "/var/lib/dpkg";

const STATUS: &str = "\
Package: half
Status: install reinstreq half-installed
Priority: optional
Section: misc
Maintainer: A <a@example.org>
Architecture: amd64
Version: 1:2.0-1
Description: x
 more

Package: waiting
Status: install ok triggers-awaited
Maintainer: A <a@example.org>
Architecture: all
Source: other-source (3)
Version: 3.1
Triggers-Awaited: pending
Description: x

Package: pending
Status: hold ok triggers-pending
Maintainer: A <a@example.org>
Architecture: all
Source: pending-source
Version: 3.2~rc1
Triggers-Pending: /usr/lib ldconfig
Description: x

Package: unpacked
Essential: yes
Status: install ok unpacked
Maintainer: A <a@example.org>
Architecture: arm64
Multi-Arch: same
Version: 5
Config-Version: 4
Conffiles:
 /etc/a 900150983cd24fb0d6963f7d28e17f72
 /etc/b c 900150983cd24fb0d6963f7d28e17f72 obsolete
 /etc/new newconffile
Description: x

Package: left
Status: deinstall ok config-files
Maintainer: A <a@example.org>
Architecture: amd64
Version: 1
Description: x
";

fn has_dpkg() -> bool {
    let is_there = Command::new("dpkg-query").arg("--version").output().is_ok();
    if !is_there {
        eprintln!("SKIPPED: needs dpkg-query");
    }
    is_there
}

/// Writes a database as the query below does.
fn listed(database: &DpkgDatabase) -> Vec<String> {
    let mut lines = Vec::new();
    for package in &database.packages {
        let want = match package.status.want {
            Want::Unknown => "unknown",
            Want::Install => "install",
            Want::Hold => "hold",
            Want::Deinstall => "deinstall",
            Want::Purge => "purge",
        };
        let flag = match package.status.flag {
            ErrorFlag::Ok => "ok",
            ErrorFlag::ReinstallRequired => "reinstreq",
        };
        let mut line = format!(
            "{}|{}|{}|{}|{}|{want}|{flag}|{}|{}|{}|{}",
            package.name,
            package.version,
            package.architecture.as_deref().unwrap_or_default(),
            package.source,
            package.source_version,
            package.status.state.as_str(),
            package.maintainer.as_deref().unwrap_or_default(),
            package.section.as_deref().unwrap_or_default(),
            if package.is_essential { "yes" } else { "no" },
        );
        for file in &package.conffiles {
            let digest = file.digest.map_or_else(
                || "newconffile".to_owned(),
                |digest| digest.to_string().trim_start_matches("md5:").to_owned(),
            );
            write!(line, "| {} {digest}", file.path).unwrap();
            if file.is_obsolete {
                line.push_str(" obsolete");
            }
            if file.is_removed_on_upgrade {
                line.push_str(" remove-on-upgrade");
            }
        }
        lines.push(line);
    }
    lines.sort();
    lines
}

fn asked(folder: &Path) -> Vec<String> {
    let format = "${Package}|${Version}|${Architecture}|${source:Package}|${source:Version}|${db:Status-Want}|\
                  ${db:Status-Eflag}|${db:Status-Status}|${Maintainer}|${Section}|${Essential}|${Conffiles}\x01";
    let told = run(Command::new("dpkg-query").arg("--admindir").arg(folder).arg("-W").arg("-f").arg(format));
    let entries = told.split('\x01').filter(|entry| !entry.is_empty());
    let mut lines: Vec<String> = entries
        .map(|entry| entry.replace("|\n ", "| ").replace("\n ", "| ").trim_end_matches('|').to_owned())
        .collect();
    lines.sort();
    lines
}

#[test]
fn tells_what_dpkg_tells_about_broken_states() {
    if !has_dpkg() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("status"), STATUS).unwrap();
    std::fs::create_dir(folder.path().join("info")).unwrap();
    std::fs::create_dir(folder.path().join("updates")).unwrap();
    let found = read_status(STATUS.as_bytes()).unwrap();
    assert!(found.problems.is_empty(), "{:?}", found.problems);
    assert_eq!(listed(&found), asked(folder.path()));
    let troubles: Vec<_> = found.packages.iter().filter_map(|package| package.status.trouble()).collect();
    assert_eq!(troubles, ["must be installed again", "triggers-awaited", "triggers-pending", "unpacked"]);
}

#[test]
fn tells_what_dpkg_tells_about_this_system() {
    let Ok(content) = std::fs::read(format!("{SYSTEM}/status")) else {
        eprintln!("SKIPPED: needs dpkg-query");
        return;
    };
    let found = read_status(content.as_slice()).unwrap();
    assert!(found.problems.is_empty(), "{:?}", found.problems);
    assert_eq!(listed(&found), asked(Path::new(SYSTEM)));
}

#[test]
fn files_of_this_system_are_those_that_dpkg_lists_and_are_unchanged() {
    let Ok(content) = std::fs::read(format!("{SYSTEM}/status")) else {
        eprintln!("SKIPPED: needs dpkg-query");
        return;
    };
    let database = read_status(content.as_slice()).unwrap();
    let mut problems = Problems::default();
    let diversions = std::fs::read(format!("{SYSTEM}/diversions")).unwrap_or_default();
    let diversions = Diversions::read(&diversions, &mut problems);
    for name in ["coreutils", "dpkg", "dash"] {
        let Some(package) = database.installed().find(|package| package.name == name) else { continue };
        let read = |kind: &str| std::fs::read(format!("{SYSTEM}/info/{name}.{kind}")).unwrap();
        let list = read("list");
        let told = run(Command::new("dpkg-query").args(["-L", name]));
        let told: Vec<&str> = told.lines().filter(|line| line.starts_with('/')).collect();
        let paths: Vec<_> =
            owned_paths(&list).map(|path| String::from_utf8_lossy(path).into_owned()).collect();
        assert_eq!(
            paths.iter().filter(|path| *path != "/").count(),
            told.iter().filter(|path| **path != "/.").count()
        );
        let files = owned_files(package, &list, &read("md5sums"), &diversions, &mut problems);
        let mut compared = 0;
        for file in files.iter().filter(|file| !file.is_configuration && file.path.starts_with("/bin/")) {
            let (Some(algorithm), Ok(content)) = (file.wanted_algorithm(), std::fs::read(&file.path)) else {
                continue;
            };
            let digests = [ContentHasher::digest(algorithm, &content).unwrap()];
            let size_bytes = u64::try_from(content.len()).unwrap();
            let actual = amint_packages::Actual::File { size_bytes, digests: &digests };
            assert_eq!(file.change(&actual), None, "{}", file.path);
            compared += 1;
        }
        assert!(compared > 0 || name == "dpkg", "{name}");
    }
    assert!(problems.is_empty(), "{problems:?}");
}

#[test]
fn diversions_are_those_that_dpkg_tells() {
    let folder = tempfile::tempdir().unwrap();
    let divert = |arguments: &[&str]| {
        Command::new("dpkg-divert").arg("--admindir").arg(folder.path()).args(arguments).output()
    };
    if divert(&["--quiet", "--no-rename", "--local", "--divert", "/bin/a.local", "--add", "/bin/a"]).is_err()
    {
        eprintln!("SKIPPED: needs dpkg-divert");
        return;
    }
    divert(&["--quiet", "--no-rename", "--package", "b", "--divert", "/bin/b.x", "--add", "/bin/b"]).unwrap();
    let content = std::fs::read(folder.path().join("diversions")).unwrap();
    let mut problems = Problems::default();
    let found = Diversions::read(&content, &mut problems);
    assert!(problems.is_empty());
    for (path, owner) in [("/bin/a", "x"), ("/bin/b", "x"), ("/bin/c", "x")] {
        let told = divert(&["--truename", path]).unwrap();
        assert_eq!(found.real_path(path, owner), String::from_utf8(told.stdout).unwrap().trim());
    }
    assert_eq!(found.real_path("/bin/b", "b"), "/bin/b");
}
