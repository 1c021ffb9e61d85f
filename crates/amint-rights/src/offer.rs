//! The manifest of sources that copyleft licences ask to be offered with copies.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use amint_types::scan::PackageKind;
use serde::{Deserialize, Serialize};

use crate::LicenseClass;

/// The version of the JSON format of [`SourceManifest`].
pub const SOURCE_MANIFEST_VERSION: u32 = 1;

/// One source package whose licences ask that its source is offered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceOffer {
    /// What kind it is.
    pub kind: PackageKind,
    /// The source package.
    pub source: String,
    /// Its version.
    pub version: String,
    /// The strictest class among the licences.
    pub class: LicenseClass,
    /// The licences that ask for source, as the packages declare them, sorted.
    pub licenses: BTreeSet<String>,
    /// The packages of the image that were made of it, sorted.
    pub packages: BTreeSet<String>,
    /// Where it is found, as far as the user has told.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub found_at: Option<String>,
}

/// All sources that must be offered with an image, by kind, name and version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceManifest {
    /// [`SOURCE_MANIFEST_VERSION`].
    pub format_version: u32,
    /// The sources.
    pub sources: Vec<SourceOffer>,
}

impl SourceManifest {
    /// Says where each source is found: `template` with its name for `{source}` and its version for `{version}`, both as
    /// parts of an address.
    #[must_use]
    pub fn found_at(mut self, template: &str) -> Self {
        for offer in &mut self.sources {
            let address = template
                .replace("{source}", &address_part(&offer.source))
                .replace("{version}", &address_part(&offer.version));
            offer.found_at = Some(address);
        }
        self
    }

    /// Writes the manifest for people; the same image gives the same text.
    pub fn to_text(&self) -> String {
        let mut text = String::from(
            "This image holds programs under licences that ask for an offer of their source.\n\
             Keep the sources below, or their archive's snapshot, for three years after the last copy was given.\n\n",
        );
        for offer in &self.sources {
            let join =
                |names: &BTreeSet<String>| names.iter().map(|name| line(name)).collect::<Vec<_>>().join(", ");
            // Writing into a `String` cannot fail.
            let _ = writeln!(
                text,
                "{} {} ({})\n  licences: {}\n  packages: {}",
                line(&offer.source),
                line(&offer.version),
                offer.kind.as_str(),
                join(&offer.licenses),
                join(&offer.packages)
            );
        }
        text
    }

    /// Writes the manifest as JSON with an end of line; the same image gives the same bytes.
    ///
    /// # Panics
    ///
    /// Never: plain data without maps always becomes JSON.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("plain data without maps becomes JSON");
        text.push('\n');
        text
    }
}

/// Writes everything but letters, digits and `-._~` as `%XX` (RFC 3986, section 2.3).
fn address_part(text: &str) -> String {
    let mut part = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            part.push(char::from(byte));
        } else {
            // Writing into a `String` cannot fail.
            let _ = write!(part, "%{byte:02X}");
        }
    }
    part
}

/// Names come from the image: they must not add lines or control a terminal.
fn line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '?' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_where_sources_are_found_in_parts_of_an_address() {
        let offer = SourceOffer {
            kind: PackageKind::Deb,
            source: "g++-x".to_owned(),
            version: "1:2.0+dfsg-1".to_owned(),
            class: LicenseClass::Copyleft,
            licenses: BTreeSet::new(),
            packages: BTreeSet::new(),
            found_at: None,
        };
        let manifest = SourceManifest { format_version: SOURCE_MANIFEST_VERSION, sources: vec![offer] };
        assert!(!manifest.to_json().contains("found_at"));
        let manifest = manifest.found_at("https://sources.example/{source}/{version}/");
        let wanted = "https://sources.example/g%2B%2B-x/1%3A2.0%2Bdfsg-1/";
        assert_eq!(manifest.sources[0].found_at.as_deref(), Some(wanted));
    }
}
