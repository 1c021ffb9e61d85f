//! Kinds of licences by what they ask of somebody who sells copies.

use serde::{Deserialize, Serialize};

/// What a licence asks of somebody who sells copies, mildest first. Unknown stands between what may be sold and what may
/// not: it is stricter than every free licence, and never hides a forbidding one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LicenseClass {
    /// Notices only, or nothing.
    Permissive,
    /// Source of the licensed files or library.
    WeakCopyleft,
    /// Source of the whole program.
    Copyleft,
    /// Source also for users over a network.
    NetworkCopyleft,
    /// Nobody knows; a person must read it.
    Unknown,
    /// The source is public, but some uses or changes are forbidden.
    SourceAvailable,
    /// Sale is forbidden.
    NonCommercial,
    /// Copies need an agreement.
    Proprietary,
}

impl LicenseClass {
    /// All classes, mildest first.
    pub const ALL: [Self; 8] = [
        Self::Permissive,
        Self::WeakCopyleft,
        Self::Copyleft,
        Self::NetworkCopyleft,
        Self::Unknown,
        Self::SourceAvailable,
        Self::NonCommercial,
        Self::Proprietary,
    ];

    /// Returns the name in tables and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Permissive => "permissive",
            Self::WeakCopyleft => "weak_copyleft",
            Self::Copyleft => "copyleft",
            Self::NetworkCopyleft => "network_copyleft",
            Self::Unknown => "unknown",
            Self::SourceAvailable => "source_available",
            Self::NonCommercial => "non_commercial",
            Self::Proprietary => "proprietary",
        }
    }

    /// Tells whether source must be offered with copies.
    pub fn asks_for_source(self) -> bool {
        matches!(self, Self::WeakCopyleft | Self::Copyleft | Self::NetworkCopyleft)
    }

    /// Tells whether copies may be sold without asking anybody.
    pub fn may_be_sold(self) -> bool {
        self < Self::Unknown
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == name)
    }
}
