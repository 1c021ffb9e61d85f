//! What the tests share.

use amint_types::scan::{OperatingSystem, PackageKind, ScannedPackage, SupportState};

pub(crate) fn system(id: &str) -> OperatingSystem {
    OperatingSystem {
        id: id.to_owned(),
        version_id: None,
        codename: None,
        name: id.to_owned(),
        like: Vec::new(),
        architecture: None,
        support: SupportState::Unknown,
        support_ends: None,
        long_term_support_ends: None,
    }
}

pub(crate) fn package(kind: PackageKind, name: &str, version: &str, licenses: &[&str]) -> ScannedPackage {
    ScannedPackage {
        kind,
        name: name.to_owned(),
        version: version.to_owned(),
        architecture: None,
        source: None,
        source_version: None,
        module: None,
        vendor: None,
        repository: None,
        licenses: licenses.iter().map(|license| (*license).to_owned()).collect(),
        path: "/var/lib/dpkg/status".to_owned(),
        owner: None,
        purl: format!("pkg:{}/{name}@{version}", kind.as_str()),
        has_code: None,
    }
}
