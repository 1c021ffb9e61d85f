//! Whether a package is of the distribution, and so judged by its advisories.

use amint_types::scan::{PackageKind, ScannedPackage};

use crate::ecosystem::Family;

/// Parts of versions that only those who package beside the distribution write.
const FOREIGN_VERSIONS: [&str; 7] =
    ["pgdg", "deb.sury.org", "nodesource", "ppa", ".remi", ".pgdg.", "~docker"];
/// Repositories of others, as package managers and packagers name them.
const FOREIGN_REPOSITORIES: [&str; 16] = [
    "epel",
    "remi",
    "docker",
    "pgdg",
    "nodesource",
    "hashicorp",
    "elrepo",
    "rpmfusion",
    "packages.microsoft",
    "google",
    "nginx.org",
    "mariadb",
    "mysql",
    "percona",
    "ppa.launchpad",
    "ppa:",
];

/// Tells why a package is not of the distribution; none when it is, or when nothing speaks against it.
pub(super) fn foreign(family: Family, package: &ScannedPackage) -> Option<String> {
    if package.kind == PackageKind::Rpm
        && let (Some(vendor), Some(known)) = (package.vendor.as_deref(), vendors(family))
    {
        let is_own = known.iter().any(|own| contains(vendor, own));
        if !is_own && !vendor.trim().is_empty() {
            return Some(format!("its vendor is `{}`", short(vendor)));
        }
        return None;
    }
    if let Some(repository) = package.repository.as_deref()
        && FOREIGN_REPOSITORIES.iter().any(|foreign| contains(repository, foreign))
    {
        return Some(format!("it is of the repository `{}`", short(repository)));
    }
    let marker = FOREIGN_VERSIONS.iter().find(|marker| contains(&package.version, marker));
    marker.map(|marker| format!("its version has the mark `{marker}` of another packager"))
}

/// How vendors of rpm packages call themselves.
fn vendors(family: Family) -> Option<&'static [&'static str]> {
    Some(match family {
        Family::Amazon => &["Amazon"],
        Family::AlmaLinux => &["AlmaLinux"],
        Family::Rocky => &["Rocky"],
        Family::RedHat | Family::RedHatExtended => &["Red Hat"],
        Family::Oracle => &["Oracle"],
        Family::Fedora => &["Fedora"],
        Family::Suse | Family::SuseLongTerm | Family::SuseMicro => &["SUSE"],
        Family::OpenSuseLeap | Family::OpenSuseTumbleweed => &["openSUSE", "SUSE"],
        _ => return None,
    })
}

fn contains(text: &str, part: &str) -> bool {
    text.to_ascii_lowercase().contains(&part.to_ascii_lowercase())
}

fn short(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(60).collect()
}
