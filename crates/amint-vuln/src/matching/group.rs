//! Packages that are judged together: the binaries of one source package in one version.

use std::collections::BTreeMap;

use amint_types::scan::{PackageKind, ScannedPackage};

/// Binary packages of one source.
#[derive(Clone, Debug)]
pub(super) struct Group<'a> {
    pub(super) kind: PackageKind,
    /// The source package, as advisories name it.
    pub(super) source: String,
    /// The version that advisories are compared with.
    pub(super) version: String,
    pub(super) packages: Vec<&'a ScannedPackage>,
}

/// Groups packages of the system; each package of a language stands for itself.
pub(super) fn groups<'a>(packages: impl Iterator<Item = &'a ScannedPackage>) -> Vec<Group<'a>> {
    let mut groups: BTreeMap<(PackageKindKey, String, String, &str), Group<'a>> = BTreeMap::new();
    for package in packages {
        let (source, version) = subject(package);
        let path = if package.kind.is_of_system() { "" } else { package.path.as_str() };
        let key = (PackageKindKey(package.kind), source.clone(), version.clone(), path);
        let group = groups.entry(key).or_insert_with(|| Group {
            kind: package.kind,
            source,
            version,
            packages: Vec::new(),
        });
        group.packages.push(package);
    }
    let mut groups: Vec<Group<'a>> = groups.into_values().collect();
    for group in &mut groups {
        group.packages.sort_by(|left, right| left.name.cmp(&right.name).then_with(|| left.cmp(right)));
    }
    groups
}

/// Kinds have an order of their own only in reports; here any will do, as long as it is one.
#[derive(Clone, Copy, PartialEq, Eq)]
struct PackageKindKey(PackageKind);

impl Ord for PackageKindKey {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.as_str().cmp(other.0.as_str())
    }
}

impl PartialOrd for PackageKindKey {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// Returns the name and the version that advisories use.
fn subject(package: &ScannedPackage) -> (String, String) {
    let source = package.source.as_deref().unwrap_or(&package.name);
    let own = &package.version;
    let version = package.source_version.as_deref().unwrap_or(own);
    if package.kind != PackageKind::Deb {
        // The version of a package of rpm or apk is that of its advisories.
        return (source.to_owned(), own.clone());
    }
    // Signed kernels and boot loaders are built of a source of their own; advisories are on what is signed.
    if let Some(rest) = source.strip_prefix("linux-signed") {
        let flavour = rest.trim_start_matches('-');
        let is_architecture =
            matches!(flavour, "" | "amd64" | "arm64" | "i386" | "armhf" | "ppc64el" | "s390x");
        let name = if is_architecture { "linux".to_owned() } else { format!("linux-{flavour}") };
        return (name, own.clone());
    }
    if source.starts_with("grub-efi-") || source == "grub2-signed" {
        let version = own.strip_prefix("1+").unwrap_or(own);
        return ("grub2".to_owned(), version.to_owned());
    }
    (source.to_owned(), version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::deb;

    #[test]
    fn judges_signed_packages_as_what_was_signed() {
        let kernel = deb("linux-image-6.1.0-31-amd64", "6.1.128-1", "linux-signed-amd64", Some("6.1.128+1"));
        let grub = deb("grub-efi-amd64-signed", "1+2.06+13+deb12u1", "grub-efi-amd64-signed", None);
        let rebuilt = deb("libssl3", "3.0.15-1+b1", "openssl", Some("3.0.15-1"));
        let packages = [kernel, grub, rebuilt];
        let found: Vec<(String, String)> =
            groups(packages.iter()).into_iter().map(|group| (group.source, group.version)).collect();
        let wanted = [("grub2", "2.06+13+deb12u1"), ("linux", "6.1.128-1"), ("openssl", "3.0.15-1")];
        assert_eq!(found, wanted.map(|(name, version)| (name.to_owned(), version.to_owned())));
    }
}
