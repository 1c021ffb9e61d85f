//! Identifiers that other tools find things by: the same in every report of the same document.

use std::collections::HashMap;

use amint_types::Seed;
use amint_types::scan::{ScanDocument, ScannedPackage};
use uuid::Uuid;

use super::json::scan_json;

/// Gives out names, each only once.
#[derive(Default)]
pub(super) struct UniqueNames(HashMap<String, usize>);

impl UniqueNames {
    /// Returns `wanted`, or `wanted` with a number where it is taken.
    pub(super) fn take(&mut self, wanted: String) -> String {
        let mut number = self.0.get(&wanted).copied().unwrap_or_default();
        let mut name = wanted.clone();
        loop {
            number += 1;
            if number > 1 {
                name = format!("{wanted}-{number}");
            }
            if number == 1 || !self.0.contains_key(&name) {
                break;
            }
        }
        self.0.insert(wanted, number);
        self.0.entry(name.clone()).or_insert(1);
        name
    }
}

/// Returns a UUID that depends on nothing but the document and the name of the format.
pub(super) fn document_uuid(document: &ScanDocument, format: &str) -> Uuid {
    Seed::new(scan_json(document).as_bytes()).uuid(format)
}

/// Returns twelve hexadecimal digits that tell one package of an image from all others.
pub(super) fn package_hash(package: &ScannedPackage) -> String {
    let parts = [
        package.kind.as_str(),
        &package.name,
        &package.version,
        package.architecture.as_deref().unwrap_or_default(),
        &package.path,
    ];
    amint_types::Digest::of(parts.join("\0").as_bytes()).short()
}

/// Writes a path inside the image as a relative URI reference (RFC 3986): every byte outside the unreserved ones is
/// percent-encoded, and segments that would leave the root are dropped.
pub(super) fn relative_uri(path: &str) -> String {
    let segments: Vec<String> =
        path.split('/').filter(|segment| !matches!(*segment, "" | "." | "..")).map(percent_encoded).collect();
    if segments.is_empty() { "./".to_owned() } else { segments.join("/") }
}

/// Percent-encodes all but the unreserved characters of RFC 3986.
pub(super) fn percent_encoded(text: &str) -> String {
    use std::fmt::Write as _;
    let mut output = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            output.push(char::from(byte));
        } else {
            write!(output, "%{byte:02X}").expect("writing to memory cannot fail");
        }
    }
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_given_only_once() {
        let mut names = UniqueNames::default();
        let given = ["a", "a", "a-2", "a", "b", "a-2"].map(|name| names.take(name.to_owned()));
        let mut unique = given.to_vec();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), given.len(), "{given:?}");
        assert_eq!(given[0], "a");
        assert_eq!(given[4], "b");
    }

    #[test]
    fn paths_become_references_that_stay_inside_the_image() {
        assert_eq!(relative_uri("/etc/ssh/sshd_config"), "etc/ssh/sshd_config");
        assert_eq!(relative_uri("/a b/ä:%\n<x>"), "a%20b/%C3%A4%3A%25%0A%3Cx%3E");
        assert_eq!(relative_uri("/../../etc//./shadow"), "etc/shadow");
        assert_eq!(relative_uri("/"), "./");
    }
}
