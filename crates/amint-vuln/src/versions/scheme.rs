//! Which order of versions a kind of package has.

use std::cmp::Ordering;

use amint_debian::version::Version;
use amint_types::scan::PackageKind;

use super::{apk, composer, gem, maven, nuget, pep440, rpm, semver};

/// Longest version that importers take; the longest that is known has some 100 characters.
pub const VERSION_BYTES_MAX: usize = 1024;

/// An order of versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Scheme {
    /// `deb-version(7)`.
    Dpkg,
    /// `rpm-version(7)`, with epoch and release.
    Rpm,
    /// The package manager of Alpine.
    Apk,
    /// <https://semver.org/spec/v2.0.0.html>, section 11: crates and Node packages too.
    Semver,
    /// Go modules: semver with `v` before it, and Go's own versions such as `go1.22rc1`.
    Go,
    /// <https://packaging.python.org/en/latest/specifications/version-specifiers/>.
    Pep440,
    /// <https://maven.apache.org/pom.html#version-order-specification>.
    Maven,
    /// `Gem::Version` of `RubyGems`.
    Gem,
    /// Composer, which is PHP's `version_compare` over versions of four numbers.
    Composer,
    /// `NuGet`: semver with a fourth number, in any case.
    Nuget,
}

impl Scheme {
    /// All schemes.
    pub const ALL: [Self; 10] = [
        Self::Dpkg,
        Self::Rpm,
        Self::Apk,
        Self::Semver,
        Self::Go,
        Self::Pep440,
        Self::Maven,
        Self::Gem,
        Self::Composer,
        Self::Nuget,
    ];
}

impl From<PackageKind> for Scheme {
    fn from(kind: PackageKind) -> Self {
        match kind {
            PackageKind::Deb => Self::Dpkg,
            PackageKind::Rpm => Self::Rpm,
            PackageKind::Apk => Self::Apk,
            PackageKind::Pypi => Self::Pep440,
            PackageKind::Gem => Self::Gem,
            PackageKind::Maven => Self::Maven,
            PackageKind::Golang => Self::Go,
            PackageKind::Composer => Self::Composer,
            PackageKind::Nuget => Self::Nuget,
            // Node and Rust; and what is not known yet is most likely semver.
            _ => Self::Semver,
        }
    }
}

/// Compares two versions. Total over all texts: what the scheme does not know sorts before what it knows.
pub fn compare(scheme: Scheme, left: &str, right: &str) -> Ordering {
    if left == right {
        return Ordering::Equal;
    }
    let (left, right) = (left.trim(), right.trim());
    match scheme {
        Scheme::Dpkg => compare_dpkg(left, right),
        Scheme::Rpm => rpm::compare(left, right),
        Scheme::Apk => apk::compare(left, right),
        Scheme::Semver => semver::compare(left, right),
        Scheme::Go => semver::compare_go(left, right),
        Scheme::Pep440 => pep440::compare(left, right),
        Scheme::Maven => maven::compare(left, right),
        Scheme::Gem => gem::compare(left, right),
        Scheme::Composer => composer::compare(left, right),
        Scheme::Nuget => nuget::compare(left, right),
    }
}

fn compare_dpkg(left: &str, right: &str) -> Ordering {
    match (left.parse::<Version>(), right.parse::<Version>()) {
        (Ok(left), Ok(right)) => left.cmp(&right),
        (Ok(_), Err(_)) => Ordering::Greater,
        (Err(_), Ok(_)) => Ordering::Less,
        (Err(_), Err(_)) => left.cmp(right),
    }
}
