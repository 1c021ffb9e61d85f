//! PHP: `vendor/composer/installed.json`, the packages that Composer installed.

use amint_types::ReadAt;
use amint_types::scan::{PackageKind, ScannedPackage};
use serde_json::Value;

use crate::LanguageError;
use crate::make::{licenses, package, read_all};

const FILE_BYTES_MAX: u64 = 32 << 20;
const PACKAGES_MAX: usize = 100_000;

pub(crate) fn read(path: &str, content: &dyn ReadAt) -> Result<Vec<ScannedPackage>, LanguageError> {
    let bytes = read_all(content, FILE_BYTES_MAX)?;
    let value: Value =
        serde_json::from_slice(&bytes).map_err(|error| LanguageError::malformed("installed.json", &error))?;
    // Composer 1 wrote a list, Composer 2 writes an object around it.
    let listed = value.get("packages").unwrap_or(&value).as_array();
    let listed =
        listed.ok_or_else(|| LanguageError::malformed("installed.json", &"it has no list of packages"))?;
    let mut packages = Vec::new();
    for entry in listed.iter().take(PACKAGES_MAX) {
        let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
        let (name, version) = (text("name"), text("version"));
        let (vendor, short) = name.split_once('/').unwrap_or(("", name));
        let version = version
            .strip_prefix('v')
            .filter(|rest| rest.starts_with(|letter: char| letter.is_ascii_digit()))
            .unwrap_or(version);
        if let Some(mut made) = package(PackageKind::Composer, vendor, short, name, version, path) {
            let found = entry
                .get("license")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(Value::as_str);
            made.licenses = licenses(found);
            packages.push(made);
        }
    }
    Ok(packages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_forms() {
        for text in [
            r#"[{"name":"a/b","version":"v1.2","license":["MIT"]}]"#,
            r#"{"packages":[{"name":"a/b","version":"1.2"}]}"#,
        ] {
            let found = read("/i.json", &text.as_bytes().to_vec()).unwrap();
            assert_eq!((found[0].name.as_str(), found[0].version.as_str()), ("a/b", "1.2"));
            assert_eq!(found[0].purl, "pkg:composer/a/b@1.2");
        }
    }
}
