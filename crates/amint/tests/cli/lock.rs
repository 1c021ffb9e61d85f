//! `amint lock`, `amint update` and `amint build --plan`, against a small archive made for the test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Ran, amint};

/// What amint puts into every image of Debian 13 on `x86_64`, and two packages more.
const PACKAGES: [&str; 28] = [
    "apt",
    "ca-certificates",
    "cloud-guest-utils",
    "cloud-init",
    "dbus",
    "e2fsprogs",
    "fdisk",
    "grub-cloud-amd64",
    "grub-efi-amd64-signed",
    "grub-pc-bin",
    "grub2-common",
    "initramfs-tools",
    "iproute2",
    "kmod",
    "linux-image-cloud-amd64",
    "openssh-server",
    "passwd",
    "procps",
    "shim-signed",
    "sudo",
    "systemd-resolved",
    "systemd-sysv",
    "systemd-timesyncd",
    "tzdata",
    "udev",
    "zstd",
    "curl",
    "libcurl4",
];

/// An archive in a folder, signed by a key of its own.
pub(crate) struct Archive {
    folder: tempfile::TempDir,
}

impl Archive {
    pub(crate) fn new() -> Option<Self> {
        for tool in ["gpg", "dpkg-deb", "dpkg-scanpackages"] {
            if Command::new(tool).arg("--version").output().is_err() {
                eprintln!("SKIPPED: `{tool}` is not installed");
                return None;
            }
        }
        let archive = Self { folder: tempfile::tempdir().unwrap() };
        for folder in ["web", "debian/pool", "debian-security/pool", "gnupg"] {
            fs::create_dir_all(archive.path(folder)).unwrap();
        }
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        fs::set_permissions(archive.path("gnupg"), mode).unwrap();
        archive.gpg(&["--quick-generate-key", "archive <a@archive.example>", "ed25519", "sign", "never"]);
        archive.gpg(&["--output", &archive.path("web/keys.gpg").display().to_string(), "--export"]);
        for name in PACKAGES {
            let depends = if name == "curl" { "Depends: libcurl4 (>= 1.0)\n" } else { "" };
            archive.add("debian", name, "1.0-1", depends, "");
        }
        archive.publish();
        archive.write("web/site.html", "one");
        archive.write(
            "web/amint.toml",
            "[image]\nname = \"web\"\nversion = \"1\"\n[base]\ndebian = \"trixie\"\nkeyring = \"keys.gpg\"\n\
             [packages]\ninstall = [\"curl\"]\n[[files]]\nsource = \"site.html\"\ntarget = \"/srv/site.html\"\n",
        );
        Some(archive)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn lock_text(&self) -> String {
        fs::read_to_string(self.path("web/amint.lock")).unwrap_or_default()
    }

    fn gpg(&self, arguments: &[&str]) {
        let output = Command::new("gpg")
            .args([
                "--homedir",
                &self.path("gnupg").display().to_string(),
                "--batch",
                "--yes",
                "--passphrase",
                "",
            ])
            .args(["--pinentry-mode", "loopback"])
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Makes a package, with a changelog if there is text for one.
    pub(crate) fn add(&self, archive: &str, name: &str, version: &str, fields: &str, changelog: &str) {
        let root = self.path("package");
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(root.join("DEBIAN")).unwrap();
        let control = format!(
            "Package: {name}\nVersion: {version}\nArchitecture: amd64\nMaintainer: a <a@a.example>\n{fields}Description: {name}\n"
        );
        fs::write(root.join("DEBIAN/control"), control).unwrap();
        if !changelog.is_empty() {
            let doc = root.join("usr/share/doc").join(name);
            fs::create_dir_all(&doc).unwrap();
            fs::write(doc.join("changelog.Debian"), changelog).unwrap();
            let packed = Command::new("gzip").arg("-9n").arg(doc.join("changelog.Debian")).status().unwrap();
            assert!(packed.success());
        }
        let target = self.path(archive).join("pool").join(format!("{name}_{version}_amd64.deb"));
        let built = Command::new("dpkg-deb").args(["-Znone", "-b"]).args([&root, &target]).output().unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    }

    /// Writes and signs the indexes.
    pub(crate) fn publish(&self) {
        for (archive, suite) in
            [("debian", "trixie"), ("debian", "trixie-updates"), ("debian-security", "trixie-security")]
        {
            let root = self.path(archive);
            let index = format!("dists/{suite}/main/binary-amd64/Packages");
            fs::create_dir_all(root.join(&index).parent().unwrap()).unwrap();
            let pool = if suite == "trixie-updates" { "dists" } else { "pool" };
            let packages =
                Command::new("dpkg-scanpackages").args(["-m", pool]).current_dir(&root).output().unwrap();
            fs::write(root.join(&index), &packages.stdout).unwrap();
            let sum = Command::new("sha256sum").arg(root.join(&index)).output().unwrap();
            let sum = String::from_utf8(sum.stdout).unwrap()[..64].to_owned();
            let date = Command::new("date").args(["-Ru"]).output().unwrap();
            let release = format!(
                "Origin: Debian\nSuite: {suite}\nCodename: {suite}\nArchitectures: amd64\nComponents: main\nDate: {}SHA256:\n {sum} {} main/binary-amd64/Packages\n",
                String::from_utf8(date.stdout).unwrap(),
                packages.stdout.len(),
            );
            let plain = root.join(format!("dists/{suite}/Release.new"));
            fs::write(&plain, release).unwrap();
            let signed = root.join(format!("dists/{suite}/InRelease"));
            self.gpg(&[
                "--output",
                &signed.display().to_string(),
                "--clear-sign",
                &plain.display().to_string(),
            ]);
        }
    }

    pub(crate) fn amint(&self, arguments: &[&str]) -> Ran {
        let mirror = self.path("debian").display().to_string();
        let security = self.path("debian-security").display().to_string();
        let source = ["--mirror", &mirror, "--security-mirror", &security];
        amint(self.folder.path(), &[arguments, &source].concat())
    }
}

#[test]
fn a_lock_names_every_package_and_a_changed_file_is_not_built_unseen() {
    let Some(archive) = Archive::new() else { return };
    let ran = archive.amint(&["lock", "web"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let lock = archive.lock_text();
    assert_eq!(lock.matches("[[package]]").count(), PACKAGES.len(), "{lock}");
    assert!(lock.contains("name = \"libcurl4\"") && !lock.contains("http"), "{lock}");
    assert_eq!(archive.amint(&["lock", "--check", "web"]).code, Some(0));

    archive.write("web/site.html", "two");
    let ran = archive.amint(&["build", "--plan", "web"]);
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    assert!(ran.stderr.contains("site.html") && ran.stderr.contains("amint lock"), "{}", ran.stderr);
    assert_eq!(archive.amint(&["lock", "--check", "web"]).code, Some(1));
    assert_eq!(archive.lock_text(), lock);
    assert_eq!(archive.amint(&["lock", "web"]).code, Some(0));
    assert_ne!(archive.lock_text(), lock);
    assert_eq!(archive.amint(&["lock", "--check", "web"]).code, Some(0));
}

#[test]
fn an_update_shows_what_is_newer_with_its_cve_ids_before_it_takes_it() {
    let Some(archive) = Archive::new() else { return };
    assert_eq!(archive.amint(&["lock", "web"]).code, Some(0));
    let before = archive.lock_text();
    assert_eq!(archive.amint(&["update", "--check", "web"]).code, Some(0));

    let changelog = "curl (1.0-1+deb13u1) trixie-security; urgency=high\n\n  * Mends CVE-2026-12345.\n\n -- a <a@a.example>  Mon, 02 Nov 2026 10:00:00 +0000\n\n\
         curl (1.0-1) unstable; urgency=low\n\n  * Mends CVE-2020-11111.\n\n -- a <a@a.example>  Mon, 05 Jan 2026 10:00:00 +0000\n";
    archive.add("debian-security", "curl", "1.0-1+deb13u1", "Depends: libcurl4 (>= 1.0)\n", changelog);
    archive.publish();
    let ran = archive.amint(&["update", "--check", "web"]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stdout.contains("curl") && ran.stdout.contains("1.0-1+deb13u1"), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("CVE-2026-12345") && !ran.stdout.contains("CVE-2020-11111"),
        "{}",
        ran.stdout
    );
    assert_eq!(archive.lock_text(), before);

    // A change of the recipe moves no version; an update does.
    archive.write("web/site.html", "two");
    assert_eq!(archive.amint(&["lock", "web"]).code, Some(0));
    assert!(!archive.lock_text().contains("deb13u1"));
    assert_eq!(archive.amint(&["update", "web"]).code, Some(0));
    assert!(archive.lock_text().contains("version = \"1.0-1+deb13u1\""));
    assert_eq!(archive.amint(&["update", "--check", "web"]).code, Some(0));
}

#[test]
fn a_plan_does_nothing() {
    let Some(archive) = Archive::new() else { return };
    let ran = archive.amint(&["build", "--plan", "web"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    for word in ["fetch", "Installing the base", "Booting (uefi)", "write   amint.lock"] {
        assert!(ran.stdout.contains(word), "{word}: {}", ran.stdout);
    }
    assert!(!archive.path("web/amint.lock").exists());
    assert!(!archive.path("home/keys").exists());
}

#[test]
fn packages_that_cannot_be_had_are_told_with_what_to_try() {
    let Some(archive) = Archive::new() else { return };
    let recipe = fs::read_to_string(archive.path("web/amint.toml")).unwrap();
    archive.write("web/amint.toml", &recipe.replace("\"curl\"", "\"crul\""));
    let ran = archive.amint(&["lock", "web"]);
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    assert!(ran.stderr.contains("`crul`") && ran.stderr.contains("curl"), "{}", ran.stderr);
}

#[test]
fn an_archive_that_somebody_else_signed_is_not_used() {
    let Some(archive) = Archive::new() else { return };
    let release = archive.path("debian/dists/trixie/InRelease");
    let text = fs::read_to_string(&release).unwrap();
    fs::write(&release, text.replace("Origin: Debian", "Origin: Debain")).unwrap();
    let ran = archive.amint(&["lock", "web"]);
    assert_eq!(ran.code, Some(7), "{}", ran.stderr);
    assert!(ran.stderr.contains("signature"), "{}", ran.stderr);
    assert!(!Path::new(&archive.path("web/amint.lock")).exists());
}
