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
            let name = package.source.as_ref().unwrap_or(&package.name);
            let version = package.source_version.as_ref().unwrap_or(&package.version);
            installed.add_source(name, version);
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
