//! Files of packages: changed, replaced, missing, left out on purpose.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use amint_scan::{Profile, ScanRequest};
use amint_types::Severity;
use amint_types::scan::{ScanDocument, ScanVerdict};

use crate::root::Root;
use crate::support::{has_tools, inventory, look, sh};

fn changes(document: &ScanDocument) -> Vec<(&str, &str, &str)> {
    document
        .modified_files
        .iter()
        .map(|file| (file.path.as_str(), file.package.as_str(), file.change.as_str()))
        .collect()
}

#[test]
fn changed_replaced_and_missing_files_are_told_once_each() {
    let root = Root::debian();
    root.write("usr/bin/tool-2", "another program");
    root.remove("usr/lib/package-3/lib.so");
    root.remove("usr/lib/package-4/lib.so");
    symlink("/tmp/elsewhere.so", root.path().join("usr/lib/package-4/lib.so")).unwrap();
    root.remove("usr/lib/package-5/lib.so");
    fs::create_dir(root.path().join("usr/lib/package-5/lib.so")).unwrap();
    let document = look(&root.path());
    assert_eq!(
        changes(&document),
        [
            ("/usr/bin/tool-2", "package-2", "changed"),
            ("/usr/lib/package-3/lib.so", "package-3", "missing"),
            ("/usr/lib/package-4/lib.so", "package-4", "changed"),
            ("/usr/lib/package-5/lib.so", "package-5", "changed"),
        ]
    );
    let found = document.findings.iter().filter(|finding| finding.rule == "VUL-006");
    let found: Vec<_> = found.map(|finding| (finding.severity, finding.path.as_str())).collect();
    assert_eq!(
        found,
        [
            (Severity::Critical, "/usr/bin/tool-2"),
            (Severity::Critical, "/usr/lib/package-4/lib.so"),
            (Severity::Critical, "/usr/lib/package-5/lib.so"),
            (Severity::Medium, "/usr/lib/package-3/lib.so"),
        ]
    );
    assert_eq!(document.verdict, ScanVerdict::Fail, "{:?}", document.reasons);
}

/// Needs a bootstrapped tree: name it in `AMINT_TEST_DEBIAN_TREE`.
#[test]
fn nothing_of_a_hardened_debian_tree_is_held_to_be_tampered_with() {
    let Ok(stock) = std::env::var("AMINT_TEST_DEBIAN_TREE") else {
        eprintln!("SKIPPED: AMINT_TEST_DEBIAN_TREE names no tree");
        return;
    };
    let scratch = tempfile::TempDir::new().unwrap();
    let copy = scratch.path().join("tree");
    assert!(Command::new("cp").arg("-a").arg(&stock).arg(&copy).status().unwrap().success());
    let request = ScanRequest {
        profiles: vec![Profile::Marketplace, Profile::SharedLinux, Profile::Hardened],
        waivers: Vec::new(),
        today: jiff::civil::date(2026, 11, 23),
        user: "ec2-user".to_owned(),
        ports: Vec::new(),
        rights: Vec::new(),
    };
    let tree = amint_disk::tree::DirTree::open(&copy).unwrap();
    amint_scan::harden(&tree, &request, &amint_types::NullSink).unwrap();
    let document = look(&copy);
    let found = document.findings.iter().filter(|finding| finding.rule == "VUL-006");
    let bad: Vec<_> = found.filter(|finding| finding.severity >= Severity::Medium).collect();
    assert!(bad.is_empty(), "{bad:?}");
    assert!(document.packages.len() > 100);
}

#[test]
fn what_dpkg_was_told_to_leave_out_is_not_missing() {
    let root = Root::debian();
    root.write(
        "etc/dpkg/dpkg.cfg.d/docker",
        "path-exclude=/usr/share/doc/*\npath-include=/usr/share/doc/package-7/*\n",
    );
    for number in [6, 7, 8] {
        root.remove(&format!("usr/share/doc/package-{number}/copyright"));
    }
    let document = look(&root.path());
    assert_eq!(changes(&document), [("/usr/share/doc/package-7/copyright", "package-7", "missing")]);
}

#[test]
fn a_diverted_file_is_looked_for_where_it_is() {
    let root = Root::debian();
    root.write("var/lib/dpkg/diversions", "/usr/lib/package-9/lib.so\n/usr/lib/package-9/lib.so.real\n:\n");
    let at = root.path().join("usr/lib/package-9");
    fs::rename(at.join("lib.so"), at.join("lib.so.real")).unwrap();
    root.write("usr/lib/package-9/lib.so", "a wrapper");
    assert_eq!(changes(&look(&root.path())), []);
}

#[test]
fn a_package_that_the_status_hides_is_told() {
    let root = Root::debian();
    let status = fs::read_to_string(root.path().join("var/lib/dpkg/status")).unwrap();
    let cut: Vec<&str> =
        status.split_inclusive("\n\n").filter(|entry| !entry.starts_with("Package: package-11\n")).collect();
    root.write("var/lib/dpkg/status", cut.concat());
    let document = look(&root.path());
    assert_eq!(document.verdict, ScanVerdict::Unread);
    assert!(document.reasons[0].contains("`package-11`, which the status lacks"), "{:?}", document.reasons);
}

#[test]
fn packages_without_code_are_told_from_others() {
    let root = Root::debian();
    root.remove("usr/lib/package-12/lib.so");
    root.remove("usr/bin/tool-12");
    let document = look(&root.path());
    let code = |name: &str| document.packages.iter().find(|package| package.name == name).unwrap().has_code;
    assert_eq!((code("package-12"), code("package-13")), (Some(false), Some(true)));
}

const SPEC: &str = "Name: hello
Version: 1.2
Release: 3
Summary: greets
License: MIT
BuildArch: noarch
%description
greets
%install
mkdir -p %{buildroot}/usr/bin %{buildroot}/usr/share/doc/hello %{buildroot}/etc
printf '#!/bin/sh\\n' > %{buildroot}/usr/bin/hello
chmod 755 %{buildroot}/usr/bin/hello
echo text > %{buildroot}/usr/share/doc/hello/README
echo a > %{buildroot}/etc/hello.conf
%files
/usr/bin/hello
%doc /usr/share/doc/hello/README
%config(noreplace) /etc/hello.conf
";

#[test]
fn an_rpm_root_is_read_and_documentation_that_was_left_out_is_not_missing() {
    if !has_tools(&["rpmbuild", "rpm", "mke2fs"]) {
        return;
    }
    let root = Root::alpine();
    root.remove("lib/apk");
    root.write(
        "etc/os-release",
        "ID=\"amzn\"\nVERSION_ID=\"2023\"\nPRETTY_NAME=\"Amazon Linux 2023\"\nNAME=\"Amazon Linux\"\n",
    );
    fs::write(root.beside("hello.spec"), SPEC).unwrap();
    sh(
        root.folder.path(),
        "rpmbuild -bb --quiet --define \"_topdir $PWD/build\" --define '_db_backend sqlite' hello.spec >/dev/null 2>&1",
    );
    let line = "rpm --root \"$PWD/root\" --dbpath /usr/lib/sysimage/rpm --define '_db_backend sqlite' --initdb && \
         rpm --root \"$PWD/root\" --dbpath /usr/lib/sysimage/rpm --define '_db_backend sqlite' -i --nodeps --excludedocs --noscripts \
         --ignorearch build/RPMS/noarch/hello-1.2-3.noarch.rpm";
    let installed = Command::new("sh").args(["-ec", line]).current_dir(root.folder.path()).output().unwrap();
    if !installed.status.success() {
        eprintln!(
            "SKIPPED: needs rpm to install into a folder: {}",
            String::from_utf8_lossy(&installed.stderr)
        );
        return;
    }
    let document = look(&root.path());
    let found: Vec<(&str, &str)> =
        document.packages.iter().map(|package| (package.name.as_str(), package.version.as_str())).collect();
    assert_eq!(found, [("hello", "0:1.2-3")]);
    assert_eq!(document.verdict, ScanVerdict::Pass, "{:?}", document.reasons);
    assert_eq!(changes(&document), []);
    let image = crate::disk::ext4(&root, "root", "rootfs", 24, "");
    assert_eq!(inventory(&look(&image)), inventory(&document));

    root.write("usr/bin/hello", "#!/bin/sh\nrm -rf /\n");
    root.write("etc/hello.conf", "b\n");
    let document = look(&root.path());
    assert_eq!(
        changes(&document),
        [("/etc/hello.conf", "hello", "changed"), ("/usr/bin/hello", "hello", "changed")]
    );
}
