//! What an image has installed, as far as fetching advisories needs to know.

use std::collections::BTreeMap;

use amint_debian::version::Version;
use amint_packages::repositories::Repository;
use amint_types::scan::{OperatingSystem, PackageKind, ScannedPackage};
use amint_vuln::{Ecosystem, Family};

use crate::suites::suites;

/// The release, the suites or repositories, and the source packages of one image, or of several of one release.
#[derive(Clone, Debug)]
pub struct Installed {
    /// Whose packages they are: `debian:12`.
    pub ecosystem: Ecosystem,
    /// The architecture, in the words of its packages: `amd64`.
    pub architecture: String,
    /// Suites of apt.
    pub suites: Vec<String>,
    /// Its repositories, enabled or not.
    pub repositories: Vec<Repository>,
    /// Source packages of Debian's kind, each with the oldest version that is installed.
    pub sources: BTreeMap<String, String>,
}

impl Installed {
    /// Learns of an image; none where no advisories are known of its system.
    pub fn of(
        system: &OperatingSystem,
        packages: &[ScannedPackage],
        repositories: &[Repository],
    ) -> Option<Self> {
        let ecosystem = Ecosystem::of_system(system).into_iter().next()?;
        let mut installed = Self {
            ecosystem,
            architecture: architecture(system, packages)?,
            suites: suites(system, repositories),
            repositories: repositories.to_vec(),
            sources: BTreeMap::new(),
        };
        for package in packages.iter().filter(|package| package.kind == PackageKind::Deb) {
            let (name, version) = subject(package);
            installed.add_source(&name, version);
        }
        Some(installed)
    }

    fn add_source(&mut self, name: &str, version: &str) {
        let is_oldest = self.sources.get(name).is_none_or(|known| is_older(version, known));
        if is_oldest {
            self.sources.insert(name.to_owned(), version.to_owned());
        }
    }

    /// Tells whether another image is of the same release and architecture.
    pub fn is_like(&self, other: &Self) -> bool {
        self.ecosystem == other.ecosystem && self.architecture == other.architecture
    }

    /// Takes in another image of the same release and architecture.
    pub fn merge(&mut self, other: Self) {
        for (name, version) in &other.sources {
            self.add_source(name, version);
        }
        self.suites.extend(other.suites);
        self.suites.sort();
        self.suites.dedup();
        for repository in other.repositories {
            if !self.repositories.contains(&repository) {
                self.repositories.push(repository);
            }
        }
    }

    /// Tells whether its packages come from archives of Debian's form.
    pub fn has_archives(&self) -> bool {
        matches!(self.ecosystem.family(), Family::Debian | Family::Ubuntu)
    }
}

/// Compares two versions of Debian; what is no version is compared as text.
pub(crate) fn compare(left: &str, right: &str) -> std::cmp::Ordering {
    match (left.parse::<Version>(), right.parse::<Version>()) {
        (Ok(left), Ok(right)) => left.cmp(&right),
        _ => left.cmp(right),
    }
}

pub(crate) fn is_older(left: &str, right: &str) -> bool {
    compare(left, right).is_lt()
}

/// Returns the source and the version whose changelog tells of a package.
///
/// Signed kernels and boot loaders are built of sources of their own; fixes are those of what is signed, and its
/// version is that of the package.
fn subject(package: &ScannedPackage) -> (String, &str) {
    let source = package.source.as_deref().unwrap_or(&package.name);
    let own = package.version.as_str();
    if let Some(rest) = source.strip_prefix("linux-signed") {
        let flavour = rest.trim_start_matches('-');
        let is_architecture =
            matches!(flavour, "" | "amd64" | "arm64" | "i386" | "armhf" | "ppc64el" | "s390x");
        let name = if is_architecture { "linux".to_owned() } else { format!("linux-{flavour}") };
        return (name, own);
    }
    if source.starts_with("grub-efi-") || source == "grub2-signed" {
        return ("grub2".to_owned(), own.strip_prefix("1+").unwrap_or(own));
    }
    (source.to_owned(), package.source_version.as_deref().unwrap_or(own))
}

/// The architecture of the system, or the most frequent one of its packages.
fn architecture(system: &OperatingSystem, packages: &[ScannedPackage]) -> Option<String> {
    if let Some(architecture) = &system.architecture {
        return Some(architecture.clone());
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for package in packages.iter().filter(|package| package.kind.is_of_system()) {
        if let Some(name) = package.architecture.as_deref().filter(|name| !matches!(*name, "all" | "noarch"))
        {
            *counts.entry(name).or_default() += 1;
        }
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(name, _)| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deb(name: &str, version: &str, source: &str, source_version: Option<&str>) -> ScannedPackage {
        ScannedPackage {
            kind: PackageKind::Deb,
            name: name.to_owned(),
            version: version.to_owned(),
            architecture: Some("amd64".to_owned()),
            source: Some(source.to_owned()),
            source_version: source_version.map(str::to_owned),
            module: None,
            vendor: None,
            repository: None,
            licenses: Vec::new(),
            path: "/var/lib/dpkg/status".to_owned(),
            owner: None,
            purl: String::new(),
            has_code: None,
        }
    }

    fn bookworm(packages: &[ScannedPackage]) -> Installed {
        let system = OperatingSystem {
            id: "debian".to_owned(),
            version_id: Some("12".to_owned()),
            codename: Some("bookworm".to_owned()),
            name: "Debian".to_owned(),
            like: Vec::new(),
            architecture: None,
            support: amint_types::scan::SupportState::Unknown,
            support_ends: None,
            long_term_support_ends: None,
        };
        Installed::of(&system, packages, &[]).unwrap()
    }

    #[test]
    fn the_oldest_version_of_a_source_in_all_images_counts() {
        let mut one = bookworm(&[
            deb("libssl3", "3.0.15-1+b1", "openssl", Some("3.0.15-1")),
            deb("linux-image-6.1.0-31-amd64", "6.1.128-1", "linux-signed-amd64", Some("6.1.128+1")),
        ]);
        let other = bookworm(&[
            deb("openssl", "3.0.9-1", "openssl", None),
            deb("grub-efi-amd64-signed", "1+2.06+13+deb12u1", "grub-efi-amd64-signed", None),
        ]);
        assert!(one.is_like(&other));
        one.merge(other);
        let sources: Vec<_> = one.sources.iter().map(|(name, version)| format!("{name} {version}")).collect();
        assert_eq!(sources, ["grub2 2.06+13+deb12u1", "linux 6.1.128-1", "openssl 3.0.9-1"]);
        assert_eq!((one.architecture.as_str(), one.suites.len()), ("amd64", 3));
    }
}
