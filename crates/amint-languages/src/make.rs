//! What all readers share.

use amint_packages::purl::package_url;
use amint_types::ReadAt;
use amint_types::scan::{PackageKind, ScannedPackage};

use crate::LanguageError;

/// The longest name or version that is taken for one.
const TEXT_BYTES_MAX: usize = 1024;

/// Reads all of a file of at most `limit_bytes`.
pub(crate) fn read_all(content: &dyn ReadAt, limit_bytes: u64) -> Result<Vec<u8>, LanguageError> {
    let bytes = content.size_bytes();
    let over = || LanguageError::Limit(format!("{bytes} bytes, and {limit_bytes} are read at most"));
    if bytes > limit_bytes {
        return Err(over());
    }
    let mut buffer = vec![0; usize::try_from(bytes).map_err(|_| over())?];
    content.read_exact_at(0, &mut buffer)?;
    Ok(buffer)
}

/// Makes a package; none where name or version are missing or out of all proportion.
pub(crate) fn package(
    kind: PackageKind,
    namespace: &str,
    name: &str,
    full_name: &str,
    version: &str,
    path: &str,
) -> Option<ScannedPackage> {
    let is_sound =
        |text: &str| !text.is_empty() && text.len() <= TEXT_BYTES_MAX && !text.contains(char::is_control);
    if !is_sound(name) || !is_sound(version) || namespace.len() > TEXT_BYTES_MAX {
        return None;
    }
    Some(ScannedPackage {
        kind,
        name: full_name.to_owned(),
        version: version.to_owned(),
        architecture: None,
        source: None,
        source_version: None,
        module: None,
        vendor: None,
        repository: None,
        licenses: Vec::new(),
        path: path.to_owned(),
        owner: None,
        purl: package_url(kind, namespace, name, version, &[]),
        has_code: None,
    })
}

/// Keeps licences that look like such.
pub(crate) fn licenses<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut licenses: Vec<String> = texts
        .into_iter()
        .map(str::trim)
        .filter(|text| !text.is_empty() && text.len() <= 200 && !text.contains(char::is_control))
        .filter(|text| !text.eq_ignore_ascii_case("unknown"))
        .map(str::to_owned)
        .collect();
    licenses.sort();
    licenses.dedup();
    licenses
}
