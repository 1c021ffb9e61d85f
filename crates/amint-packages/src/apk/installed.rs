//! The file `installed`: one letter, a colon and a value in each line; an empty line ends a package.

use amint_types::scan::{PackageKind, ScannedPackage};

use crate::Problems;
use crate::bytes::{lines, text};
use crate::content::ContentDigest;
use crate::purl::{Distribution, package_url};

use super::files::{ApkFiles, FILES_MAX, parse_checksum};

/// Most packages of one database; all of Alpine has some 30,000.
pub const PACKAGES_MAX: usize = 200_000;

/// An installed package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApkPackage {
    /// `P`: its name.
    pub name: String,
    /// `V`: its version.
    pub version: String,
    /// `A`: its architecture.
    pub architecture: Option<String>,
    /// `o`: the package whose recipe it was built with; Alpine's advisories name this one.
    pub origin: Option<String>,
    /// `L`: its licence expression.
    pub license: Option<String>,
    /// `m`: who maintains it.
    pub maintainer: Option<String>,
    /// `T`: one line about it.
    pub description: Option<String>,
    /// `t`: when it was built, in seconds since 1970.
    pub built_at: Option<u64>,
    /// `c`: the commit of its recipe.
    pub commit: Option<String>,
    /// `I`: how much its files take, in bytes.
    pub installed_bytes: Option<u64>,
    /// `C`: digest of its control data, which is also its identity.
    pub checksum: Option<ContentDigest>,
    /// `s`: the tag of the repository that it came from, where it is a tagged one.
    pub repository_tag: Option<String>,
    /// `f`: what went wrong at installation: `f` files, `s` scripts, `x` extended attributes.
    pub broken: Option<String>,
    /// Its files.
    pub files: ApkFiles,
}

/// What a database holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApkDatabase {
    /// The installed packages, in the order of the file.
    pub packages: Vec<ApkPackage>,
    /// What made no sense: the positions are lines.
    pub problems: Problems,
}

/// Reads `/lib/apk/db/installed`. Fields that are not known are passed over: apk adds new ones.
pub fn read_installed(content: &[u8]) -> ApkDatabase {
    let mut reader = Reader { database: ApkDatabase::default(), package: None, files_room: FILES_MAX };
    let mut last = 0;
    for (number, line) in lines(content) {
        last = number;
        if line.is_empty() {
            reader.finish(number);
        } else {
            reader.line(number, &text(line));
        }
        if reader.database.packages.len() >= PACKAGES_MAX {
            reader.database.problems.add(number, "there are too many packages");
            return reader.database;
        }
    }
    reader.finish(last);
    reader.database
}

struct Reader {
    database: ApkDatabase,
    package: Option<ApkPackage>,
    files_room: usize,
}

impl Reader {
    fn finish(&mut self, number: u64) {
        let Some(package) = self.package.take() else { return };
        if package.name.is_empty() || package.version.is_empty() {
            self.database.problems.add(number, "a package has no name or no version");
        } else {
            self.database.packages.push(package);
        }
    }

    fn line(&mut self, number: u64, line: &str) {
        let package = self.package.get_or_insert_default();
        let (Some((letter, value)), problems) = (line.split_once(':'), &mut self.database.problems) else {
            self.database.problems.add(number, "a line is no field");
            return;
        };
        let some = || Some(value).filter(|value| !value.is_empty()).map(ToOwned::to_owned);
        match letter {
            "P" => value.clone_into(&mut package.name),
            "V" => value.clone_into(&mut package.version),
            "A" => package.architecture = some(),
            "o" => package.origin = some(),
            "L" => package.license = some(),
            "m" => package.maintainer = some(),
            "T" => package.description = some(),
            "t" => package.built_at = value.parse().ok(),
            "c" => package.commit = some(),
            "I" => package.installed_bytes = value.parse().ok(),
            "C" => package.checksum = parse_checksum(value),
            "s" => package.repository_tag = some(),
            "f" => package.broken = some(),
            "F" => package.files.add_folder(value),
            "R" if self.files_room == 0 => problems.add(number, "there are too many files"),
            "R" => {
                self.files_room -= 1;
                if !package.files.add_file(value) {
                    problems.add(number, "a file is in no folder, or its path is too long");
                }
            }
            "Z" | "a" => {
                let Some(file) = package.files.last_mut() else {
                    problems.add(number, "a line belongs to a file, and there is none");
                    return;
                };
                if letter == "Z" {
                    file.digest = parse_checksum(value);
                    if file.digest.is_none() {
                        problems.add(number, "a checksum makes no sense");
                    }
                } else {
                    match read_attributes(value) {
                        Some((owner, mode)) => (file.owner, file.mode) = (Some(owner), Some(mode)),
                        None => problems.add(number, "owner and mode make no sense"),
                    }
                }
            }
            _ => {}
        }
    }
}

/// Reads `uid:gid:mode`, possibly followed by a checksum of extended attributes.
fn read_attributes(value: &str) -> Option<((u32, u32), u32)> {
    let mut parts = value.split(':');
    let (user, group) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let mode = u32::from_str_radix(parts.next()?, 8).ok().filter(|mode| *mode <= 0o7777)?;
    Some(((user, group), mode))
}

impl ApkPackage {
    /// Returns its package URL.
    pub fn package_url(&self, distribution: &Distribution) -> String {
        let distro = distribution.qualifier().unwrap_or_default();
        let upstream = self.origin.as_deref().filter(|origin| *origin != self.name).unwrap_or_default();
        let qualifiers = [
            ("arch", self.architecture.as_deref().unwrap_or_default()),
            ("distro", &distro),
            ("upstream", upstream),
        ];
        package_url(PackageKind::Apk, &distribution.namespace(), &self.name, &self.version, &qualifiers)
    }

    /// Makes the entry of a report; `path` is the database inside the image.
    pub fn scanned(&self, distribution: &Distribution, path: &str) -> ScannedPackage {
        ScannedPackage {
            kind: PackageKind::Apk,
            name: self.name.clone(),
            version: self.version.clone(),
            architecture: self.architecture.clone(),
            source: Some(self.origin.clone().unwrap_or_else(|| self.name.clone())),
            source_version: None,
            module: None,
            vendor: self.maintainer.clone(),
            repository: self.repository_tag.clone(),
            licenses: self.license.clone().into_iter().collect(),
            path: path.to_owned(),
            owner: None,
            purl: self.package_url(distribution),
            has_code: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::{ContentHasher, DigestAlgorithm};
    use crate::{Actual, Change};

    const INSTALLED: &str = "\
C:Q1qZmT5HBkcIEWq6PiUHFQwmybDZ0=
P:libcrypto3
V:3.3.2-r0
A:x86_64
S:1797811
I:4661248
T:Crypto library from openssl
U:https://www.openssl.org/
L:Apache-2.0
o:openssl
m:Someone <someone@example.org>
t:1725430912
c:0a1b2c
D:so:libc.musl-x86_64.so.1
p:so:libcrypto.so.3=3
F:etc
F:etc/ssl
M:0:0:755
R:openssl.cnf
Z:Q1qZk+NkcGgWq6PiVxeFDCbJzQ2J0=
F:usr/lib
R:libcrypto.so.3
a:0:0:755
Z:Q1qZk+NkcGgWq6PiVxeFDCbJzQ2J0=
R:plain
F:
R:in-root

P:broken
V:1
f:fs
Z:Q1
R:nowhere
x

V:2
";

    #[test]
    fn reads_packages_and_files() {
        let found = read_installed(INSTALLED.as_bytes());
        let names: Vec<&str> = found.packages.iter().map(|package| package.name.as_str()).collect();
        assert_eq!(names, ["libcrypto3", "broken"]);
        let crypto = &found.packages[0];
        assert_eq!(crypto.origin.as_deref(), Some("openssl"));
        assert_eq!(crypto.built_at, Some(1_725_430_912));
        assert_eq!(crypto.checksum.unwrap().algorithm(), DigestAlgorithm::Sha1);
        let files: Vec<_> =
            crypto.files.iter().map(|(path, file)| (path, file.digest.is_some(), file.mode)).collect();
        let wanted = [
            ("/etc/ssl/openssl.cnf", true, None),
            ("/usr/lib/libcrypto.so.3", true, Some(0o755)),
            ("/usr/lib/plain", false, None),
            ("/in-root", false, None),
        ];
        assert_eq!(files, wanted.map(|(path, has_digest, mode)| (path.to_owned(), has_digest, mode)));
        let owned: Vec<_> = crypto.files.owned().collect();
        assert!(owned[0].is_configuration && !owned[1].is_configuration);
        assert_eq!(owned[0].digest, ContentHasher::digest(DigestAlgorithm::Sha1, b"abc"));
        assert_eq!(found.packages[1].broken.as_deref(), Some("fs"));
        let positions: Vec<u64> = found.problems.iter().map(|problem| problem.position).collect();
        assert_eq!(positions, [32, 33, 34, 36]);
    }

    #[test]
    fn a_link_is_compared_by_its_target() {
        // As Alpine's own database has it for /var/run.
        let found = read_installed(
            b"P:alpine-baselayout\nV:3.6.5-r0\nF:var\nR:run\na:0:0:777\nZ:Q11/SNZz/8cK2dSKK+cJpVrZIuF4Q=\n",
        );
        let link = found.packages[0].files.owned().next().unwrap();
        assert_eq!(link.change(&Actual::Link { target: b"/run" }), None);
        assert_eq!(link.change(&Actual::Link { target: b"/tmp" }), Some(Change::Changed));
    }

    #[test]
    fn makes_entries_of_reports() {
        let found = read_installed(INSTALLED.as_bytes());
        let scanned =
            found.packages[0].scanned(&Distribution::new("alpine", "3.20.3"), "/lib/apk/db/installed");
        assert_eq!(
            scanned.purl,
            "pkg:apk/alpine/libcrypto3@3.3.2-r0?arch=x86_64&distro=alpine-3.20.3&upstream=openssl"
        );
        assert_eq!(scanned.source.as_deref(), Some("openssl"));
    }

    #[test]
    fn reads_checksums_of_all_versions() {
        let abc = ContentHasher::digest(DigestAlgorithm::Sha1, b"abc");
        assert_eq!(parse_checksum("Q1qZk+NkcGgWq6PiVxeFDCbJzQ2J0="), abc);
        assert_eq!(parse_checksum("a9993e364706816aba3e25717850c26c9cd0d89d"), abc);
        let long = ContentHasher::digest(DigestAlgorithm::Sha256, b"abc");
        assert_eq!(parse_checksum("Q2ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="), long);
        let old = ContentHasher::digest(DigestAlgorithm::Md5, b"abc");
        assert_eq!(parse_checksum("900150983cd24fb0d6963f7d28e17f72"), old);
        for odd in ["", "Q", "Q1", "Q1AAAA", "é", "Qé", "X1qZk+NkcGgWq6PiVxeFDCbJzQ2J0="] {
            assert_eq!(parse_checksum(odd), None, "{odd}");
        }
    }
}
