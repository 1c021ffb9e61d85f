//! SPDX 2.3 JSON: the packages of an image.
//!
//! What a package declares as its licence is written as `licenseDeclared`; nothing is concluded. Declarations that
//! are no licence expression become a `LicenseRef-` with the declaration as its text.

mod licensing;
mod model;

use amint_types::scan::{OperatingSystem, ScanDocument, ScannedPackage};
use jiff::Timestamp;

use super::names::{UniqueNames, document_uuid, package_hash, percent_encoded};
use super::text::{is_incomplete, line, reasons};
use crate::json::indented;
use licensing::Licensing;
use model::{Checksum, CreationInfo, Document, ExternalRef, NO_ASSERTION, Package, Relationship};

const DOCUMENT: &str = "SPDXRef-DOCUMENT";
const IMAGE: &str = "SPDXRef-Image";
const SYSTEM: &str = "SPDXRef-OperatingSystem";

/// The longest part of a target's name in the document's namespace, in bytes of the encoded form.
const NAMESPACE_NAME_BYTES_MAX: usize = 200;

/// Writes a scan as an SPDX 2.3 document, as indented JSON with a line end.
///
/// # Panics
/// Never: every key of the model is a string, so it always has a JSON form.
pub fn spdx(document: &ScanDocument) -> String {
    let mut names = UniqueNames::default();
    let mut licensing = Licensing::default();
    let mut packages = vec![image_package(document)];
    packages.extend(document.system.iter().map(system_package));
    packages.extend(document.packages.iter().map(|package| {
        let id = names.take(format!(
            "SPDXRef-Package-{}-{}-{}",
            package.kind.as_str(),
            id_part(&package.name),
            package_hash(package)
        ));
        scanned_package(package, id, &mut licensing)
    }));
    let contained = packages.iter().skip(1).map(|package| Relationship {
        spdx_element_id: IMAGE.to_owned(),
        kind: "CONTAINS",
        related_spdx_element: package.spdx_id.clone(),
    });
    let describes = Relationship {
        spdx_element_id: DOCUMENT.to_owned(),
        kind: "DESCRIBES",
        related_spdx_element: IMAGE.to_owned(),
    };
    let relationships = std::iter::once(describes).chain(contained).collect();
    indented(&Document {
        spdx_version: "SPDX-2.3",
        data_license: "CC0-1.0",
        spdx_id: DOCUMENT,
        name: line(&document.target.name),
        namespace: namespace(document),
        comment: is_incomplete(document).then(|| format!("This list is incomplete: {}", reasons(document))),
        creation_info: CreationInfo {
            created: whole_seconds(document.scanned_at),
            creators: vec![line(&format!("Tool: amint-{}", document.tool_version))],
        },
        packages,
        has_extracted_licensing_infos: licensing.into_infos(),
        relationships,
    })
}

/// A namespace has to be unique and needs not to exist; this is the form that the specification proposes.
fn namespace(document: &ScanDocument) -> String {
    let mut name = percent_encoded(&document.target.name);
    if name.len() > NAMESPACE_NAME_BYTES_MAX {
        name.truncate(NAMESPACE_NAME_BYTES_MAX);
        // No escape is left cut in two.
        let cut = name.rfind('%').filter(|place| place + 3 > name.len()).unwrap_or(name.len());
        name.truncate(cut);
    }
    format!("https://spdx.org/spdxdocs/{name}-{}", document_uuid(document, "spdx"))
}

/// The format knows no fractions of a second.
fn whole_seconds(timestamp: Timestamp) -> String {
    timestamp.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Keeps of a name what an identifier may hold: letters, digits, `.` and `-`.
fn id_part(name: &str) -> String {
    const PART_CHARACTERS_MAX: usize = 80;
    name.chars()
        .take(PART_CHARACTERS_MAX)
        .map(|character| if character.is_ascii_alphanumeric() || character == '.' { character } else { '-' })
        .collect()
}

fn image_package(document: &ScanDocument) -> Package {
    let checksums = document
        .target
        .digest
        .iter()
        .map(|digest| Checksum { algorithm: "SHA256", checksum_value: digest.to_string() })
        .collect();
    Package {
        checksums,
        primary_package_purpose: Some("CONTAINER"),
        comment: Some(line(&format!("image in the form `{}`", document.target.format))),
        ..Package::new(IMAGE.to_owned(), &document.target.name)
    }
}

fn system_package(system: &OperatingSystem) -> Package {
    Package {
        version_info: system.version_id.clone(),
        primary_package_purpose: Some("OPERATING_SYSTEM"),
        comment: Some(line(&system.name)),
        ..Package::new(SYSTEM.to_owned(), &system.id)
    }
}

fn scanned_package(package: &ScannedPackage, id: String, licensing: &mut Licensing) -> Package {
    let external_refs = if package.purl.is_empty() {
        Vec::new()
    } else {
        vec![ExternalRef { category: "PACKAGE-MANAGER", kind: "purl", locator: package.purl.clone() }]
    };
    Package {
        version_info: Some(package.version.clone()),
        supplier: package
            .vendor
            .as_deref()
            .map_or_else(|| NO_ASSERTION.to_owned(), |vendor| format!("Organization: {}", line(vendor))),
        license_declared: licensing.declared(&package.licenses),
        source_info: Some(source_info(package)),
        external_refs,
        ..Package::new(id, &package.name)
    }
}

fn source_info(package: &ScannedPackage) -> String {
    let mut text = format!("found in {}", line(&package.path));
    if let Some(source) = &package.source {
        text.push_str(&line(&format!("; built from source package {source}")));
        if let Some(version) = &package.source_version {
            text.push_str(&line(&format!(" {version}")));
        }
    }
    if let Some(owner) = &package.owner {
        text.push_str(&line(&format!("; brought by package {owner}")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_hold_only_what_the_format_allows() {
        assert_eq!(id_part("@babel/core_x+1.2"), "-babel-core-x-1.2");
        assert_eq!(whole_seconds("2026-10-01T14:03:11.987Z".parse().unwrap()), "2026-10-01T14:03:11Z");
    }
}
