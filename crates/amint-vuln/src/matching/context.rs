//! What a match needs to know of the image beside its packages, and what it gives.

use std::collections::BTreeMap;

use amint_types::scan::{Kernel, ScanFinding};

use crate::vex::OpenVex;

/// What is known of an image beside its packages.
#[derive(Clone, Copy, Debug, Default)]
pub struct MatchContext<'a> {
    /// Its kernels.
    pub kernels: &'a [Kernel],
    /// The suites that its package manager uses (`bookworm`, `bookworm-security`); none where that is not known.
    pub suites: Option<&'a [String]>,
    /// The repositories that are enabled beside the regular ones (`amzn2extra-docker`); none where not known.
    pub repositories: Option<&'a [String]>,
    /// Whether it gets updates that need a contract (Ubuntu Pro, extended support).
    pub has_extended_support: bool,
    /// Statements that some vulnerabilities do not apply.
    pub statements: &'a [OpenVex],
}

/// A package that no advisory was compared with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NotJudged {
    /// Its name.
    pub package: String,
    /// Its version.
    pub version: String,
    /// Why.
    pub reason: String,
}

/// How many packages and findings there were of each kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MatchCounts {
    /// Packages that were compared with advisories.
    pub judged: usize,
    /// Packages of languages that a package of the distribution owns.
    pub owned: usize,
    /// Packages that were not judged.
    pub not_judged: usize,
    /// Findings that weigh less, by reason.
    pub lowered: BTreeMap<String, usize>,
    /// Findings that a statement says do not apply.
    pub not_affected: usize,
}

/// What a match gives.
#[derive(Clone, Debug, Default)]
pub struct MatchReport {
    /// The findings: exploited first, then the most severe.
    pub findings: Vec<ScanFinding>,
    /// How many.
    pub counts: MatchCounts,
    /// The packages that were not judged.
    pub not_judged: Vec<NotJudged>,
}
