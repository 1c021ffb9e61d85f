//! Profiles: for whom an image is made.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A set of demands on an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Profile {
    /// What AWS Marketplace demands of an AMI (A2).
    Marketplace,
    /// What AWS's guidelines for shared Linux AMIs ask for (A11).
    SharedLinux,
    /// A hardened system, in the spirit of the CIS benchmarks' first level (B6).
    Hardened,
    /// A hardened system of the second level: all of the first, and what costs comfort or features (B6).
    #[serde(rename = "hardened-2")]
    HardenedLevel2,
    /// An image that never leaves its organisation.
    Private,
}

impl Profile {
    /// All profiles.
    pub const ALL: [Self; 5] =
        [Self::Marketplace, Self::SharedLinux, Self::Hardened, Self::HardenedLevel2, Self::Private];

    /// Returns the name that recipes use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Marketplace => "marketplace",
            Self::SharedLinux => "shared-linux",
            Self::Hardened => "hardened",
            Self::HardenedLevel2 => "hardened-2",
            Self::Private => "private",
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// The text names no profile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown profile `{0}` (known: marketplace, shared-linux, hardened, hardened-2, private)")]
pub struct ParseProfileError(String);

impl FromStr for Profile {
    type Err = ParseProfileError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|profile| profile.as_str() == text)
            .ok_or_else(|| ParseProfileError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_reads_back_from_its_name() {
        for profile in Profile::ALL {
            assert_eq!(profile.to_string().parse(), Ok(profile));
        }
        assert!("Marketplace".parse::<Profile>().is_err());
    }
}
