//! One thing that needs a right, or that a person must read.

use amint_types::scan::{FindingKind, ScanFinding};
use amint_types::{Digest, Severity};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::Right;

/// The rules of this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub enum RightsRule {
    /// May the operating system be passed on?
    #[serde(rename = "RES-001")]
    System,
    /// May each package and product be passed on?
    #[serde(rename = "RES-002")]
    Software,
    /// Is the source offered that copyleft asks for?
    #[serde(rename = "RES-003")]
    Source,
    /// Are there trademarks, terms of others, or software on trial?
    #[serde(rename = "RES-004")]
    Terms,
}

impl RightsRule {
    /// All rules.
    pub const ALL: [Self; 4] = [Self::System, Self::Software, Self::Source, Self::Terms];

    /// Returns the id: `RES-001`.
    pub fn id(self) -> &'static str {
        match self {
            Self::System => "RES-001",
            Self::Software => "RES-002",
            Self::Source => "RES-003",
            Self::Terms => "RES-004",
        }
    }

    pub(crate) fn parse(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.id() == id)
    }
}

/// The package that a finding is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AboutPackage {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its package URL.
    pub purl: String,
}

/// One thing that needs a right, or that a person must read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RightsFinding {
    /// The rule.
    pub rule: RightsRule,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one line.
    pub title: String,
    /// Why, in the words of the tables.
    pub reason: String,
    /// The public page, or the evidence, that says so.
    pub source: String,
    /// Who can give the right, where that is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub owner: Option<String>,
    /// What a right may name to cover it; none where no right can.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub names: Vec<String>,
    /// The package.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub package: Option<AboutPackage>,
    /// The file, database or `/`.
    pub path: String,
    /// What to do.
    pub fix: String,
    /// Further requirement ids beside A1.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub requirements: Vec<String>,
    /// A right that would cover it, had it not ended.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ended: Option<Right>,
}

impl RightsFinding {
    /// Makes the finding of a scan report.
    pub fn to_scan_finding(&self) -> ScanFinding {
        let mut evidence = self.reason.clone();
        if let Some(right) = &self.ended {
            let until = right.until.map(|day| day.to_string()).unwrap_or_default();
            let told = format!("; the right of {} ({}) ended on {until}", right.holder, right.document);
            evidence.push_str(&told);
        }
        let package = self.package.as_ref();
        let parts = [
            self.rule.id(),
            self.title.as_str(),
            self.path.as_str(),
            package.map_or("", |package| package.name.as_str()),
            package.map_or("", |package| package.version.as_str()),
        ];
        let requirements = std::iter::once("A1".to_owned()).chain(self.requirements.iter().cloned());
        ScanFinding {
            id: Digest::of(parts.join("\0").as_bytes()).short(),
            package: package.map(|package| package.name.clone()),
            version: package.map(|package| package.version.clone()),
            purl: package.map(|package| package.purl.clone()),
            source: Some(self.source.clone()),
            evidence: Some(evidence),
            fix: Some(self.fix.clone()),
            requirements: requirements.collect(),
            ..ScanFinding::new(FindingKind::Rule, self.rule.id(), &self.title, self.severity, &self.path)
        }
    }

    /// Applies the rights: returns the one that covers it on a day, or keeps one that has ended.
    pub(crate) fn covered_by<'a>(&mut self, declared: &'a [Right], today: Date) -> Option<&'a Right> {
        let mut ended: Option<&Right> = None;
        for right in declared.iter().filter(|right| right.covers(&self.names)) {
            if !right.has_ended(today) {
                return Some(right);
            }
            // Of several the one that held longest.
            if ended.is_none_or(|other| other.until < right.until) {
                ended = Some(right);
            }
        }
        self.ended = ended.cloned();
        None
    }
}
