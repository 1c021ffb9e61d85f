//! Every id of the SPDX License List that the report's schemas hold.

use amint_rights::{LicenseClass, class_of_name};

#[test]
fn knows_the_licences_of_spdx() {
    let path =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../amint-report/tests/schemas/spdx.SNAPSHOT.schema.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        eprintln!("SKIPPED: needs {path}");
        return;
    };
    let schema: serde_json::Value = serde_json::from_str(&text).unwrap();
    let ids: Vec<&str> = schema["enum"].as_array().unwrap().iter().filter_map(|id| id.as_str()).collect();
    // The list holds exceptions as well, which are no licences by themselves.
    let is_license = |id: &&&str| !id.contains("xception") && **id != "Linux-syscall-note";
    let mut unknown = Vec::new();
    for id in ids.iter().filter(is_license) {
        let class = class_of_name(id);
        let expected = match *id {
            id if id.contains("-NC-") || id.contains("Noncommercial") => Some(LicenseClass::NonCommercial),
            id if id.starts_with("CC-BY-ND") => Some(LicenseClass::SourceAvailable),
            "SSPL-1.0" | "BUSL-1.1" | "Elastic-2.0" => Some(LicenseClass::SourceAvailable),
            id if id.starts_with("AGPL") => Some(LicenseClass::NetworkCopyleft),
            id if id.starts_with("LGPL") => Some(LicenseClass::WeakCopyleft),
            id if id.starts_with("GPL-") && !id.contains("with") => Some(LicenseClass::Copyleft),
            id if id.starts_with("MIT") || id.starts_with("Apache") => Some(LicenseClass::Permissive),
            _ => None,
        };
        assert!(expected.is_none_or(|expected| expected == class), "{id} is {class:?}");
        if class == LicenseClass::Unknown {
            unknown.push(*id);
        }
    }
    eprintln!("unknown: {} of {}: {unknown:?}", unknown.len(), ids.len());
    assert!(ids.len() > 500 && unknown.len() * 20 < ids.len(), "{unknown:?}");
}
