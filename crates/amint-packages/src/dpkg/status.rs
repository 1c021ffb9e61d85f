//! The status file as a whole.

use std::io::BufRead;

use amint_debian::control::{ControlError, Paragraph, Paragraphs};

use crate::Problems;

use super::package::DpkgPackage;
use super::state::Status;

/// Most packages of one database; all of Debian has some 65,000.
pub const PACKAGES_MAX: usize = 200_000;

/// What a status file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DpkgDatabase {
    /// All packages that it knows, also those of which only configuration is left, in the order of the file.
    pub packages: Vec<DpkgPackage>,
    /// What made no sense: the positions are the numbers of paragraphs.
    pub problems: Problems,
}

impl DpkgDatabase {
    /// Returns the packages of which files are on the disk.
    pub fn installed(&self) -> impl Iterator<Item = &DpkgPackage> {
        self.packages.iter().filter(|package| package.status.has_files())
    }
}

/// Reads `/var/lib/dpkg/status`.
///
/// A package without `Status` is not installed, as dpkg takes it. Fails when the source fails, or on a paragraph of
/// unreasonable length; everything else that makes no sense is told in the result.
pub fn read_status(source: impl BufRead) -> Result<DpkgDatabase, ControlError> {
    read(source, Status::default())
}

/// Reads a file of `/var/lib/dpkg/status.d`, where every package is installed and no `Status` says so.
///
/// Files there whose names end with `.md5sums` are for [`md5_sums`](super::md5_sums).
pub fn read_status_part(source: impl BufRead) -> Result<DpkgDatabase, ControlError> {
    read(source, Status::INSTALLED)
}

fn read(source: impl BufRead, default_status: Status) -> Result<DpkgDatabase, ControlError> {
    let (mut paragraphs, mut paragraph) = (Paragraphs::new(source), Paragraph::default());
    let mut database = DpkgDatabase::default();
    for number in 1.. {
        match paragraphs.next_into(&mut paragraph) {
            Ok(true) => {}
            Ok(false) => break,
            // What was read of the paragraph is kept, and reading goes on behind the line.
            Err(error @ ControlError::Malformed { .. }) => database.problems.add(number, error.to_string()),
            Err(error) => return Err(error),
        }
        if let Some(status) = paragraph.get("Status")
            && Status::parse(status).is_none()
        {
            database.problems.add(number, "a package is in a state that dpkg does not have");
        }
        match DpkgPackage::read(&paragraph, default_status) {
            Some(_) if database.packages.len() >= PACKAGES_MAX => {
                database.problems.add(number, "there are too many packages");
                break;
            }
            Some(package) => database.packages.push(package),
            None => database.problems.add(number, "a paragraph names no package"),
        }
    }
    Ok(database)
}

#[cfg(test)]
mod tests {
    use super::super::{ErrorFlag, PackageState, Want};
    use super::*;
    use crate::purl::Distribution;

    const STATUS: &str = "\
Package: libssl3
Status: install ok installed
Priority: optional
Section: libs
Maintainer: Some Team <team@example.org>
Architecture: amd64
Multi-Arch: same
Source: openssl (3.0.17-1)
Version: 3.0.17-1+b1
Static-Built-Using: rustc (= 1.63.0+dfsg1-2), golang-1.19 (= 1.19.8-2)
X-Foreign: something
 else
Conffiles:
 /etc/ssl/openssl.cnf 900150983cd24fb0d6963f7d28e17f72
 /etc/with space/x 900150983cd24fb0d6963f7d28e17f72 obsolete
 /etc/new newconffile
 /etc/gone 900150983cd24fb0d6963f7d28e17f72 remove-on-upgrade
Description: Secure Sockets

Package: broken
Essential: yes
Status: hold reinstreq half-configured
Architecture: all
Version: 1:2
Triggers-Pending: /usr/share/icons ldconfig
Config-Version: 1:1

Package: left
Status: deinstall ok config-files
Architecture: all
Version: 9

Package: strange
Status: install ok floating
Version: 1

Nonsense: x
";

    #[test]
    fn reads_packages_in_all_states() {
        let found = read_status(STATUS.as_bytes()).unwrap();
        let names: Vec<&str> = found.installed().map(|package| package.name.as_str()).collect();
        assert_eq!(names, ["libssl3", "broken"]);
        let ssl = &found.packages[0];
        assert_eq!((ssl.source.as_str(), ssl.source_version.as_str()), ("openssl", "3.0.17-1"));
        assert_eq!(ssl.status.trouble(), None);
        let conffiles: Vec<_> =
            ssl.conffiles.iter().map(|file| (file.path.as_str(), file.digest.is_some())).collect();
        assert_eq!(
            conffiles,
            [
                ("/etc/ssl/openssl.cnf", true),
                ("/etc/with space/x", true),
                ("/etc/new", false),
                ("/etc/gone", true)
            ]
        );
        assert!(ssl.conffiles[1].is_obsolete && ssl.conffiles[3].is_removed_on_upgrade);
        assert_eq!(ssl.built_using[1].version, "1.19.8-2");
        let broken = &found.packages[1];
        assert_eq!(
            broken.status,
            Status {
                want: Want::Hold,
                flag: ErrorFlag::ReinstallRequired,
                state: PackageState::HalfConfigured
            }
        );
        assert!(broken.is_essential && broken.status.trouble().is_some());
        assert_eq!(broken.pending_triggers, ["/usr/share/icons", "ldconfig"]);
        assert_eq!(found.packages[2].status.trouble(), None);
        let reasons: Vec<String> = found.problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            reasons,
            ["at 4: a package is in a state that dpkg does not have", "at 5: a paragraph names no package"]
        );
    }

    #[test]
    fn makes_entries_of_reports() {
        let found = read_status(STATUS.as_bytes()).unwrap();
        let scanned = found.packages[0].scanned(&Distribution::new("debian", "12"), "/var/lib/dpkg/status");
        assert_eq!(
            scanned.purl,
            "pkg:deb/debian/libssl3@3.0.17-1%2Bb1?arch=amd64&distro=debian-12&upstream=openssl%403.0.17-1"
        );
        assert_eq!(scanned.source_version.as_deref(), Some("3.0.17-1"));
        assert_eq!(scanned.vendor.as_deref(), Some("Some Team <team@example.org>"));
    }

    #[test]
    fn a_line_that_makes_no_sense_costs_no_other_package() {
        let text = "Package: a\nStatus: install ok installed\nVersion: 1\n???\nSection: x\n\nPackage: b\nVersion: 2\n";
        let found = read_status(text.as_bytes()).unwrap();
        let names: Vec<&str> = found.packages.iter().map(|package| package.name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(found.packages[0].version, "1");
        assert!(!found.problems.is_empty());
    }

    #[test]
    fn packages_of_images_without_dpkg_are_installed() {
        let found =
            read_status_part(&b"Package: base-files\nVersion: 12.4\nArchitecture: amd64\n"[..]).unwrap();
        assert_eq!(found.packages[0].status, Status::INSTALLED);
        assert_eq!(found.packages[0].source, "base-files");
        let same = read_status(&b"Package: base-files\nVersion: 12.4\n"[..]).unwrap();
        assert_eq!(same.installed().count(), 0);
    }
}
