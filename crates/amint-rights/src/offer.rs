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

/// Names come from the image: they must not add lines or control a terminal.
fn line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '?' } else { letter }).collect()
}
