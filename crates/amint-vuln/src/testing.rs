//! Packages for tests.

use amint_types::scan::{PackageKind, ScannedPackage};

fn package(kind: PackageKind, name: &str, version: &str, source: Option<&str>) -> ScannedPackage {
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
