//! Python distributions: core metadata in `.dist-info/METADATA` and `.egg-info/PKG-INFO`.
//!
//! Rules: `PyPA` core metadata specification 2.4; names in URLs by PEP 503.

use amint_types::ReadAt;
use amint_types::scan::{PackageKind, ScannedPackage};

use crate::LanguageError;
use crate::make::{licenses, package, read_all};

/// The largest file of metadata: long descriptions are part of it.
const FILE_BYTES_MAX: u64 = 16 << 20;

pub(crate) fn wants(path: &[u8]) -> bool {
    path.ends_with(b".dist-info/METADATA")
        || path.ends_with(b".egg-info/PKG-INFO")
        || path.ends_with(b"/EGG-INFO/PKG-INFO")
        || path.ends_with(b".egg-info")
}

pub(crate) fn read(path: &str, content: &dyn ReadAt) -> Result<Vec<ScannedPackage>, LanguageError> {
    let bytes = read_all(content, FILE_BYTES_MAX)?;
    let text = String::from_utf8_lossy(&bytes);
    let (mut name, mut version, mut expression, mut license) = ("", "", "", "");
    // The description follows the first empty line.
    for line in text.lines().take_while(|line| !line.trim_end().is_empty()) {
        let Some((key, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        match key.to_ascii_lowercase().as_str() {
            "name" if name.is_empty() => name = value,
            "version" if version.is_empty() => version = value,
            "license-expression" => expression = value,
            "license" if license.is_empty() => license = value,
            _ => {}
        }
    }
    let made = package(PackageKind::Pypi, "", &normal(name), name, version, path);
    let mut made =
        made.ok_or_else(|| LanguageError::malformed("Python metadata", &"name or version is missing"))?;
    made.licenses = licenses([if expression.is_empty() { license } else { expression }]);
    Ok(vec![made])
}

/// Runs of `-`, `_` and `.` are one `-`, letters are small.
fn normal(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for letter in name.chars() {
        if matches!(letter, '-' | '_' | '.') {
            if !normal.ends_with('-') {
                normal.push('-');
            }
        } else {
            normal.extend(letter.to_lowercase());
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_metadata_and_not_the_description() {
        let text =
            b"Metadata-Version: 2.1\nName: Jinja2.X\nVersion: 3.1.2\nLicense: BSD-3-Clause\n\nName: other\n"
                .to_vec();
        let found = read("/x/METADATA", &text).unwrap();
        assert_eq!((found[0].name.as_str(), found[0].version.as_str()), ("Jinja2.X", "3.1.2"));
        assert_eq!(found[0].purl, "pkg:pypi/jinja2-x@3.1.2");
        assert_eq!(found[0].licenses, ["BSD-3-Clause"]);
        assert!(read("/x/METADATA", &b"Name: x\n".to_vec()).is_err());
    }
}
