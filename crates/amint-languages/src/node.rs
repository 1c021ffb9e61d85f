//! Node: `package.json` of installed packages.

use amint_types::ReadAt;
use amint_types::scan::{PackageKind, ScannedPackage};
use serde_json::Value;

use crate::LanguageError;
use crate::make::{licenses, package, read_all};

const FILE_BYTES_MAX: u64 = 8 << 20;

pub(crate) fn read(path: &str, content: &dyn ReadAt) -> Result<Vec<ScannedPackage>, LanguageError> {
    let bytes = read_all(content, FILE_BYTES_MAX)?;
    // Test data of packages is full of files of this name that are no JSON: they are no packages.
    let Ok(value) = serde_json::from_slice::<Value>(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes))
    else {
        return Ok(Vec::new());
    };
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().trim();
    let (name, version) = (text("name"), text("version"));
    let (namespace, short) = match name.split_once('/') {
        Some((scope, short)) if scope.starts_with('@') => (scope, short),
        _ => ("", name),
    };
    let Some(mut made) = package(PackageKind::Npm, namespace, short, name, version, path) else {
        return Ok(Vec::new());
    };
    let of_type = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Object(_) => value.get("type").and_then(Value::as_str).map(str::to_owned),
        _ => None,
    };
    let listed = value.get("licenses").and_then(Value::as_array).into_iter().flatten().filter_map(of_type);
    let found: Vec<String> = value.get("license").and_then(of_type).into_iter().chain(listed).collect();
    made.licenses = licenses(found.iter().map(String::as_str));
    Ok(vec![made])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_scoped_packages_and_passes_over_what_has_no_version() {
        let text = br#"{"name":"@babel/core","version":"7.1.0","license":{"type":"MIT"}}"#.to_vec();
        let found = read("/n/package.json", &text).unwrap();
        assert_eq!(found[0].name, "@babel/core");
        assert_eq!(found[0].purl, "pkg:npm/%40babel/core@7.1.0");
        assert_eq!(found[0].licenses, ["MIT"]);
        assert!(read("/n/package.json", &br#"{"name":"x"}"#.to_vec()).unwrap().is_empty());
        assert!(read("/n/package.json", &b"{ broken".to_vec()).unwrap().is_empty());
    }
}
