//! Packages as components.

use std::collections::HashMap;

use amint_types::scan::{PackageKind, ScanDocument, ScanFinding, ScannedPackage};

use super::super::license;
use super::super::names::{UniqueNames, package_hash};
use super::super::text::line;
use super::model::{
    Component, Evidence, LicenseChoice, NamedLicense, Occurrence, Property, text_property, version,
};

/// The components of an image, and how to find one.
pub(super) struct Inventory {
    pub(super) components: Vec<Component>,
    by_purl: HashMap<String, String>,
    by_name: HashMap<(String, String), String>,
}

impl Inventory {
    pub(super) fn new(document: &ScanDocument, names: &mut UniqueNames) -> Self {
        let mut groups: Vec<Vec<&ScannedPackage>> = Vec::new();
        let mut places: HashMap<_, usize> = HashMap::new();
        for package in &document.packages {
            let identity =
                (package.kind, &package.name, &package.version, &package.architecture, &package.purl);
            let place = *places.entry(identity).or_insert_with(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            if let Some(group) = groups.get_mut(place) {
                group.push(package);
            }
        }
        let mut inventory = Self { components: Vec::new(), by_purl: HashMap::new(), by_name: HashMap::new() };
        for group in &groups {
            inventory.add(group, names);
        }
        inventory
    }

    fn add(&mut self, group: &[&ScannedPackage], names: &mut UniqueNames) {
        let Some(package) = group.first() else { return };
        let wanted = if package.purl.is_empty() {
            format!("package-{}", package_hash(package))
        } else {
            package.purl.clone()
        };
        let bom_ref = names.take(wanted);
        if !package.purl.is_empty() {
            self.by_purl.entry(package.purl.clone()).or_insert_with(|| bom_ref.clone());
        }
        let name = (package.name.clone(), package.version.clone());
        self.by_name.entry(name).or_insert_with(|| bom_ref.clone());
        self.components.push(component(package, group, bom_ref));
    }

    /// Returns the reference of the component that a finding is about.
    pub(super) fn reference(&self, finding: &ScanFinding) -> Option<&str> {
        let by_purl = finding.purl.as_ref().and_then(|purl| self.by_purl.get(purl));
        let by_name = || {
            let name = (finding.package.clone()?, finding.version.clone()?);
            self.by_name.get(&name)
        };
        by_purl.or_else(by_name).map(String::as_str)
    }
}

fn component(package: &ScannedPackage, group: &[&ScannedPackage], bom_ref: String) -> Component {
    let (namespace, name) = split_name(package);
    let occurrences =
        group.iter().map(|package| Occurrence { location: package.path.clone() }).collect::<Vec<_>>();
    Component {
        publisher: package.vendor.as_deref().map(line),
        group: namespace.map(ToOwned::to_owned),
        version: Some(version(&package.version)),
        licenses: licenses(package),
        purl: (!package.purl.is_empty()).then(|| package.purl.clone()),
        properties: properties(package, group),
        evidence: Some(Evidence { occurrences }),
        ..Component::new("library", bom_ref, name)
    }
}

/// Parts the namespace from a name, as its ecosystem writes them.
fn split_name(package: &ScannedPackage) -> (Option<&str>, &str) {
    let split = match package.kind {
        PackageKind::Maven => package.name.split_once(':'),
        PackageKind::Npm if package.name.starts_with('@') => package.name.split_once('/'),
        PackageKind::Composer => package.name.split_once('/'),
        _ => None,
    };
    match split {
        Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() => (Some(namespace), name),
        _ => (None, &package.name),
    }
}

/// One expression where all declarations are known to SPDX, else each by its name: the format allows no mixture.
fn licenses(package: &ScannedPackage) -> Vec<LicenseChoice> {
    if let Some(expression) = license::joined(&package.licenses) {
        return vec![LicenseChoice::Expression(expression)];
    }
    package
        .licenses
        .iter()
        .map(|name| line(name))
        .filter(|name| !name.trim().is_empty())
        .map(|name| LicenseChoice::License(NamedLicense { name }))
        .collect()
}

fn properties(package: &ScannedPackage, group: &[&ScannedPackage]) -> Vec<Property> {
    let mut properties = vec![text_property("amint:kind", package.kind.as_str())];
    let fields = [
        ("amint:architecture", &package.architecture),
        ("amint:source", &package.source),
        ("amint:source-version", &package.source_version),
        ("amint:module", &package.module),
        ("amint:repository", &package.repository),
    ];
    for (name, value) in fields {
        properties.extend(value.as_deref().map(|value| text_property(name, value)));
    }
    let mut owners: Vec<&str> = group.iter().filter_map(|package| package.owner.as_deref()).collect();
    owners.sort_unstable();
    owners.dedup();
    properties.extend(owners.into_iter().map(|owner| text_property("amint:owner", owner)));
    if let Some(has_code) = package.has_code {
        properties.push(text_property("amint:has-code", if has_code { "true" } else { "false" }));
    }
    properties
}
