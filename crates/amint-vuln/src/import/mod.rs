//! Importers: what the publishers of advisories write, made into records and facts.
//!
//! Each importer streams, takes unknown fields for granted, and counts what it cannot use instead of failing. What is
//! not of its form at all is an error: a source that was read in part must not pass for one that was read.

mod alpine;
mod compact;
mod compact_other;
mod csaf;
mod debian_archive;
mod debian_tracker;
mod documents;
mod epss;
mod error;
mod input;
mod kev;
mod osv;
mod osv_ranges;
mod sink;
mod ssvc;
mod support;
mod updateinfo;

pub use error::ImportError;
pub use input::Input;
pub(crate) use sink::Sink;
pub use sink::{ImportCounts, TITLE_CHARS_MAX};

use crate::ecosystem::Ecosystem;

/// In what form a source is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImporterKind {
    /// `Sources` of a Debian-like suite: the newest version of each source package.
    DebianSources {
        /// Whose suite: `debian:12`.
        ecosystem: Ecosystem,
        /// Its name: `bookworm-security`.
        suite: String,
    },
    /// `Packages` of a suite, from which the same is taken.
    DebianPackages {
        /// Whose suite.
        ecosystem: Ecosystem,
        /// Its name.
        suite: String,
    },
    /// The changelog of one source package.
    DebianChangelog {
        /// Whose package.
        ecosystem: Ecosystem,
    },
    /// Debian's security tracker, as JSON.
    DebianTracker,
    /// `security-support-ended` or `security-support-limited` of Debian.
    DebianSupport {
        /// Whose packages.
        ecosystem: Ecosystem,
        /// Whether it is the list of those whose support ended.
        has_ended: bool,
    },
    /// `updateinfo.xml` of a repository of rpm packages.
    UpdateInfo {
        /// Whose repository.
        ecosystem: Ecosystem,
        /// Its name, where its advisories only concern who enabled it.
        repository: Option<String>,
    },
    /// OSV records: a zip, a folder, or JSON documents one after the other.
    Osv,
    /// Alpine's `secdb`.
    AlpineSecdb,
    /// VEX documents in the form of CSAF 2.0, as Red Hat publishes them.
    CsafVex,
    /// CISA's catalogue of known exploited vulnerabilities.
    Kev,
    /// EPSS scores.
    Epss,
    /// CVE records with CISA's SSVC container (vulnrichment).
    Ssvc,
    /// The compact JSON lines of amint's own test data.
    Compact,
}

impl ImporterKind {
    /// Returns the name of the form.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::DebianSources { .. } => "debian-sources",
            Self::DebianPackages { .. } => "debian-packages",
            Self::DebianChangelog { .. } => "debian-changelog",
            Self::DebianTracker => "debian-tracker",
            Self::DebianSupport { .. } => "debian-support",
            Self::UpdateInfo { .. } => "updateinfo",
            Self::Osv => "osv",
            Self::AlpineSecdb => "alpine-secdb",
            Self::CsafVex => "csaf-vex",
            Self::Kev => "kev",
            Self::Epss => "epss",
            Self::Ssvc => "ssvc",
            Self::Compact => "compact",
        }
    }
}

/// Reads a source into a sink.
pub(crate) fn import(kind: &ImporterKind, input: Input<'_>, sink: &mut Sink<'_>) -> Result<(), ImportError> {
    match kind {
        ImporterKind::DebianSources { ecosystem, suite } => {
            debian_archive::sources(ecosystem, suite, input.reader()?, sink)
        }
        ImporterKind::DebianPackages { ecosystem, suite } => {
            debian_archive::packages(ecosystem, suite, input.reader()?, sink)
        }
        ImporterKind::DebianChangelog { ecosystem } => {
            debian_archive::changelog(ecosystem, input.reader()?, sink)
        }
        ImporterKind::DebianTracker => debian_tracker::import(input.reader()?, sink),
        ImporterKind::DebianSupport { ecosystem, has_ended } => {
            support::import(ecosystem, *has_ended, input.reader()?, sink)
        }
        ImporterKind::UpdateInfo { ecosystem, repository } => {
            updateinfo::import(ecosystem, repository.as_deref(), input.reader()?, sink)
        }
        ImporterKind::Osv => documents::each(input, sink, osv::import),
        ImporterKind::AlpineSecdb => documents::each(input, sink, alpine::import),
        ImporterKind::CsafVex => documents::each(input, sink, csaf::import),
        ImporterKind::Kev => kev::import(input.reader()?, sink),
        ImporterKind::Epss => epss::import(input.reader()?, sink),
        ImporterKind::Ssvc => documents::each(input, sink, ssvc::import),
        ImporterKind::Compact => documents::each(input, sink, compact::import),
    }
}
