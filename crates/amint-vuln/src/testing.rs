//! Packages and systems for tests.

use amint_types::scan::{OperatingSystem, PackageKind, ScannedPackage, SupportState};

pub(crate) fn package(kind: PackageKind, name: &str, version: &str, source: Option<&str>) -> ScannedPackage {
    ScannedPackage {
        kind,
        name: name.to_owned(),
        version: version.to_owned(),
        architecture: None,
        source: source.map(str::to_owned),
        source_version: None,
        module: None,
        vendor: None,
        repository: None,
        licenses: Vec::new(),
        path: "/var/lib/packages".to_owned(),
        owner: None,
        purl: format!("pkg:{}/x/{name}@{version}?arch=amd64", kind.as_str()),
        has_code: Some(true),
    }
}

pub(crate) fn deb(name: &str, version: &str, source: &str, source_version: Option<&str>) -> ScannedPackage {
    let mut package = package(PackageKind::Deb, name, version, Some(source));
    package.source_version = source_version.map(str::to_owned);
    package
}

pub(crate) fn system(id: &str, version: &str) -> OperatingSystem {
    OperatingSystem {
        id: id.to_owned(),
        version_id: Some(version.to_owned()),
        codename: None,
        name: format!("{id} {version}"),
        like: Vec::new(),
        architecture: None,
        support: SupportState::Supported,
        support_ends: None,
        long_term_support_ends: None,
    }
}
