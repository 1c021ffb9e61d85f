//! .NET: `NAME.deps.json`, the libraries that a program was published with.

use amint_types::ReadAt;
use amint_types::scan::{PackageKind, ScannedPackage};
use serde_json::Value;

use crate::LanguageError;
use crate::make::{package, read_all};

const FILE_BYTES_MAX: u64 = 32 << 20;
const PACKAGES_MAX: usize = 100_000;

pub(crate) fn read(path: &str, content: &dyn ReadAt) -> Result<Vec<ScannedPackage>, LanguageError> {
    let bytes = read_all(content, FILE_BYTES_MAX)?;
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let value: Value =
        serde_json::from_slice(text).map_err(|error| LanguageError::malformed(".deps.json", &error))?;
    let Some(libraries) = value.get("libraries").and_then(Value::as_object) else { return Ok(Vec::new()) };
    let is_package = |library: &Value| {
        matches!(library.get("type").and_then(Value::as_str), Some("package" | "project" | "runtimepack"))
    };
    Ok(libraries
        .iter()
        .filter(|(_, library)| is_package(library))
        .filter_map(|(key, _)| {
            let (name, version) = key.split_once('/')?;
            package(PackageKind::Nuget, "", name, name, version, path)
        })
        .take(PACKAGES_MAX)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_libraries() {
        let text =
            br#"{"libraries":{"Newtonsoft.Json/13.0.1":{"type":"package"},"x/1":{"type":"reference"}}}"#
                .to_vec();
        let found = read("/a.deps.json", &text).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].purl, "pkg:nuget/newtonsoft.json@13.0.1");
    }
}
