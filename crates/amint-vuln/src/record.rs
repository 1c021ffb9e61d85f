//! What importers make of advisories: records on packages, and facts on vulnerabilities.

use std::cmp::Ordering;

use amint_types::Severity;

use crate::ecosystem::Ecosystem;
use crate::versions::{Scheme, compare};

/// Where a range of affected versions ends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RangeEnd {
    /// Nowhere: no version without it is known.
    Open,
    /// Before this version, which is fixed.
    Fixed(String),
    /// With this version; no fixed one is known.
    LastAffected(String),
}

/// A range of affected versions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Range {
    /// The first affected version; none is all before the end.
    pub introduced: Option<String>,
    /// Where it ends.
    pub end: RangeEnd,
}

impl Range {
    /// All versions before one.
    pub fn before(fixed: impl Into<String>) -> Self {
        Self { introduced: None, end: RangeEnd::Fixed(fixed.into()) }
    }

    /// All versions.
    pub fn all() -> Self {
        Self { introduced: None, end: RangeEnd::Open }
    }

    /// Tells whether a version lies in it.
    pub fn contains(&self, scheme: Scheme, version: &str) -> bool {
        let is_after_start =
            self.introduced.as_deref().is_none_or(|first| compare(scheme, version, first).is_ge());
        is_after_start
            && match &self.end {
                RangeEnd::Open => true,
                RangeEnd::Fixed(fixed) => compare(scheme, version, fixed).is_lt(),
                RangeEnd::LastAffected(last) => compare(scheme, version, last).is_le(),
            }
    }
}

/// What a feed says about a record beside its versions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Flags(u32);

impl Flags {
    /// The package's name is that of a source package.
    pub const SOURCE: Self = Self(1);
    /// The distribution calls it no vulnerability in practice.
    pub const UNIMPORTANT: Self = Self(2);
    /// The distribution will not fix it.
    pub const IGNORED: Self = Self(4);
    /// The distribution fixes it later, with something else.
    pub const POSTPONED: Self = Self(8);
    /// The package gets no fixes any more.
    pub const END_OF_LIFE: Self = Self(16);
    /// No version is affected; this overrides what older data say.
    pub const NOT_AFFECTED: Self = Self(32);
    /// Taken from a changelog: tells of fixes only.
    pub const CHANGELOG: Self = Self(64);
    /// A changelog mentions it without fixing it: `not affected`, a patch taken back.
    pub const MENTION: Self = Self(128);
    /// The feed tells the whole state of its packages, so that a newer one replaces an older one.
    pub const STATE: Self = Self(256);

    /// Adds others.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Tells whether all of the others are set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub(crate) const fn bits(self) -> u32 {
        self.0
    }

    pub(crate) const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }
}

/// What one advisory says about one package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    /// Whose package it is.
    pub ecosystem: Ecosystem,
    /// The package, as the feed names it.
    pub package: String,
    /// The feed's own id: `DSA-5724-1`, `CVE-2024-6387`, `GHSA-…`.
    pub id: String,
    /// The vulnerabilities that it is about; without any, it is about its own id.
    pub vulnerabilities: Vec<String>,
    /// Other ids of the same thing.
    pub aliases: Vec<String>,
    /// Affected versions.
    pub ranges: Vec<Range>,
    /// Affected versions, one by one.
    pub versions: Vec<String>,
    /// The feed's own severity.
    pub severity: Option<Severity>,
    /// More that it says.
    pub flags: Flags,
    /// The module stream (rpm), `name:stream`.
    pub module: Option<String>,
    /// The repository or product of the distribution.
    pub repository: Option<String>,
}

impl Record {
    /// Makes a record of the least that is needed.
    pub fn new(ecosystem: Ecosystem, package: impl Into<String>, id: impl Into<String>) -> Self {
        Self {
            ecosystem,
            package: package.into(),
            id: id.into(),
            vulnerabilities: Vec::new(),
            aliases: Vec::new(),
            ranges: Vec::new(),
            versions: Vec::new(),
            severity: None,
            flags: Flags::default(),
            module: None,
            repository: None,
        }
    }

    /// Returns the ids of the vulnerabilities that it is about.
    pub fn main_ids(&self) -> impl Iterator<Item = &str> {
        let own = self.vulnerabilities.is_empty().then_some(self.id.as_str());
        self.vulnerabilities.iter().map(String::as_str).chain(own)
    }

    /// Tells whether a version is affected, and if so the first one without it, where it is known.
    pub fn affects(&self, version: &str) -> Option<Option<&str>> {
        if self.flags.has(Flags::NOT_AFFECTED) || self.flags.has(Flags::MENTION) {
            return None;
        }
        let scheme = self.ecosystem.scheme();
        let range = self.ranges.iter().find(|range| range.contains(scheme, version));
        if range.is_none() && !self.versions.iter().any(|known| compare(scheme, known, version).is_eq()) {
            return None;
        }
        let end = range.and_then(|range| match &range.end {
            RangeEnd::Fixed(fixed) => Some(fixed.as_str()),
            _ => None,
        });
        Some(end.or_else(|| self.next_fix(version)))
    }

    /// The nearest fixed version after one that no range holds.
    fn next_fix(&self, version: &str) -> Option<&str> {
        let scheme = self.ecosystem.scheme();
        let fixes = self.ranges.iter().filter_map(|range| match &range.end {
            RangeEnd::Fixed(fixed) => Some(fixed.as_str()),
            _ => None,
        });
        fixes
            .filter(|fixed| compare(scheme, fixed, version) == Ordering::Greater)
            .min_by(|left, right| compare(scheme, left, right))
    }
}

/// What exploitation of a vulnerability is known (SSVC, <https://certcc.github.io/SSVC/>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exploitation {
    /// None.
    None,
    /// A proof of concept is public.
    ProofOfConcept,
    /// It happens.
    Active,
}

/// What a feed says about a vulnerability or an advisory, whatever the package.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Facts {
    /// What it is, in one line.
    pub title: Option<String>,
    /// A severity in words.
    pub severity: Option<Severity>,
    /// The base score of CVSS, times ten.
    pub cvss_tenths: Option<u8>,
    /// Other ids.
    pub aliases: Vec<String>,
    /// Whether CISA lists it as exploited.
    pub is_listed_exploited: bool,
    /// Whether extortionists are known to use it.
    pub is_used_for_ransom: bool,
    /// Exploitation by SSVC.
    pub exploitation: Option<Exploitation>,
    /// EPSS, in millionths.
    pub epss_millionths: Option<u32>,
}

/// That security support for a package has ended or is limited.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SupportNote {
    /// The source package, or a pattern with `.*` at its end.
    pub package: String,
    /// Whether it has ended; else it is limited.
    pub has_ended: bool,
    /// The day on which it ended, as written.
    pub date: Option<String>,
    /// The last version that was supported.
    pub last_version: Option<String>,
    /// Why, in one line.
    pub text: String,
}

impl SupportNote {
    /// Tells whether it is about a source package.
    pub fn is_about(&self, source: &str) -> bool {
        match self.package.strip_suffix(".*") {
            Some(start) => source.starts_with(start),
            None => self.package == source,
        }
    }
}
