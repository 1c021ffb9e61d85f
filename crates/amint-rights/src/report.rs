//! What is said about the rights of an image.

use std::collections::BTreeMap;

use amint_types::Severity;
use amint_types::scan::ScanFinding;
use serde::{Deserialize, Serialize};

use crate::{LicenseClass, Right, RightsFinding, RightsRule, SourceManifest};

/// A finding that a declared right covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoveredFinding {
    /// The finding.
    pub finding: RightsFinding,
    /// The right.
    pub right: Right,
}

/// Why a declared right was of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UnusedReason {
    /// Nothing in the image needs it.
    NothingNeedsIt,
    /// It has ended, and nothing in the image needs it.
    Ended,
    /// Its name would cover nearly everything; it was not used.
    TooWide,
}

/// A declared right that covers nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UnusedRight {
    /// The right.
    pub right: Right,
    /// Why.
    pub reason: UnusedReason,
}

/// How many packages there are by class of licence.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LicenseCounts {
    /// Packages judged; those inside packages of the system are judged there.
    pub packages: usize,
    /// Packages that declare no licence; they are also counted as unknown.
    pub undeclared: usize,
    /// Packages by the class that counts for them.
    pub classes: BTreeMap<LicenseClass, usize>,
}

/// All that is said about the rights of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RightsReport {
    /// What needs a right or a look: the most severe first, then by rule, package and path.
    pub findings: Vec<RightsFinding>,
    /// What declared rights cover, in the same order.
    pub covered: Vec<CoveredFinding>,
    /// Declared rights that cover nothing, in the order of the recipe.
    pub unused: Vec<UnusedRight>,
    /// The sources to offer.
    pub copyleft: SourceManifest,
    /// Packages by class.
    pub counts: LicenseCounts,
}

impl RightsReport {
    /// Returns what needs a right or a look, and a finding for each declared right that covers nothing.
    pub fn all_findings(&self) -> Vec<RightsFinding> {
        self.findings.iter().cloned().chain(self.unused.iter().map(unused_finding)).collect()
    }

    /// Makes the findings of a scan report: what is covered is told as not affecting, unused rights are low.
    pub fn to_scan_findings(&self) -> Vec<ScanFinding> {
        let mut found: Vec<ScanFinding> = self.findings.iter().map(RightsFinding::to_scan_finding).collect();
        found.extend(self.covered.iter().map(|covered| {
            let mut finding = covered.finding.to_scan_finding();
            finding.not_affected =
                Some(format!("a right of {} covers it: {}", covered.right.holder, covered.right.document));
            finding
        }));
        found.extend(self.unused.iter().map(|unused| unused_finding(unused).to_scan_finding()));
        found
    }
}

fn unused_finding(unused: &UnusedRight) -> RightsFinding {
    let (reason, fix) = match unused.reason {
        UnusedReason::NothingNeedsIt => ("nothing in the image needs it", "take it out of `[[rights]]`"),
        UnusedReason::Ended => {
            ("it has ended, and nothing in the image needs it", "take it out of `[[rights]]`")
        }
        UnusedReason::TooWide => {
            ("its name would cover nearly everything", "name the package or the product")
        }
    };
    RightsFinding {
        rule: RightsRule::Software,
        severity: Severity::Low,
        title: format!(
            "the declared right `{}` ({}) covers nothing",
            unused.right.name, unused.right.document
        ),
        reason: reason.to_owned(),
        source: "the recipe's `[[rights]]`".to_owned(),
        owner: None,
        names: Vec::new(),
        package: None,
        path: "/".to_owned(),
        fix: fix.to_owned(),
        requirements: Vec::new(),
        ended: None,
    }
}
