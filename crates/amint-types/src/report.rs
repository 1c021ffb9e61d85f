//! The report model: what a build, a scan and a boot test found.
//!
//! One model feeds the terminal, JSON, the HTML page and the store. A verdict never says more than was
//! looked at: what was not evaluated is listed with its reason.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{Architecture, Digest, ImageName, ImageVersion, Severity};

/// Where in the image a finding lies, and what was seen there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Absolute path inside the image.
    pub path: String,
    /// Line within the file, from 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub line: Option<u32>,
    /// What was seen, with secrets masked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub excerpt: Option<String>,
}

/// One violation of one rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What is wrong, as a lower-case fragment.
    pub message: String,
    /// Where.
    pub evidence: Evidence,
    /// How bad it is, where that is less than the rule's own severity.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub severity: Option<Severity>,
}

/// What a rule said about an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
#[non_exhaustive]
pub enum RuleOutcome {
    /// Looked, and found nothing.
    Pass,
    /// Found something.
    Fail {
        /// All of it.
        findings: Vec<Finding>,
    },
    /// Found something that the recipe waives.
    Waived {
        /// All of it.
        findings: Vec<Finding>,
        /// Why it is accepted.
        reason: String,
        /// The last day of the waiver.
        until: Date,
    },
    /// Has nothing to look at in this image: no ssh server, for example.
    NotApplicable {
        /// Why.
        reason: String,
    },
    /// Could not look: never counted as a pass.
    NotEvaluated {
        /// Why.
        reason: String,
    },
}

/// The result of one rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleResult {
    /// The rule's id: `SSH-001`.
    pub rule: String,
    /// What it asks for, as a short sentence fragment.
    pub title: String,
    /// How bad a violation is, under the profiles asked for.
    pub severity: Severity,
    /// Requirement and control ids that it serves: `A2`, `MP-L1`.
    pub requirements: Vec<String>,
    /// What to change, for a person.
    pub remedy: String,
    /// What it said.
    pub outcome: RuleOutcome,
}

/// A change that hardening made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedFix {
    /// The rule whose fix it was.
    pub rule: String,
    /// What was changed, one line each: `removed /etc/machine-id`.
    pub changes: Vec<String>,
}

/// The verdict of rules over one file tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanReport {
    /// The profiles that were asked for.
    pub profiles: Vec<String>,
    /// Each rule's result, by id.
    pub rules: Vec<RuleResult>,
    /// What hardening changed before the rules looked.
    pub fixes: Vec<AppliedFix>,
    /// How many files were looked at.
    pub files: u64,
    /// Waivers that no finding needed: probably leftovers.
    pub unused_waivers: Vec<String>,
}

impl ScanReport {
    /// Counts the rules by outcome: `pass`, `fail`, `waived`, `not_applicable`, `not_evaluated`.
    pub fn counts(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for rule in &self.rules {
            *counts.entry(rule.outcome.as_str()).or_default() += 1;
        }
        counts
    }

    /// Returns the results that stop an image at `gate`: failures at least that severe, and rules at least
    /// that severe that could not be evaluated.
    pub fn blocking(&self, gate: Severity) -> impl Iterator<Item = &RuleResult> {
        self.rules.iter().filter(move |rule| {
            rule.severity >= gate
                && matches!(rule.outcome, RuleOutcome::Fail { .. } | RuleOutcome::NotEvaluated { .. })
        })
    }
}

impl RuleOutcome {
    /// Returns the outcome's name.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail { .. } => "fail",
            Self::Waived { .. } => "waived",
            Self::NotApplicable { .. } => "not_applicable",
            Self::NotEvaluated { .. } => "not_evaluated",
        }
    }
}

/// The firmware that starts a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Firmware {
    /// UEFI (OVMF here, EC2's own on Nitro).
    Uefi,
    /// Legacy BIOS (`SeaBIOS` here).
    Bios,
}

impl Firmware {
    /// Returns the lower-case name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Uefi => "uefi",
            Self::Bios => "bios",
        }
    }
}

/// How one check of a boot test ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CheckOutcome {
    /// As expected.
    Pass,
    /// Not as expected.
    Fail,
    /// Not as expected, and not grave enough to fail the boot test.
    Noted,
    /// Not asked; `detail` tells why. Never counted as a pass.
    Skipped,
}

/// One check of a boot test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckResult {
    /// A stable id: `ssh-login`, `test-1`.
    pub id: String,
    /// What was asked, as a short sentence fragment.
    pub title: String,
    /// Requirement ids that it serves.
    pub requirements: Vec<String>,
    /// The rules about the image's files that it confirms on the running machine.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub rules: Vec<String>,
    /// How bad what it found is; none where it found nothing, or where any failure is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub severity: Option<Severity>,
    /// How it ended.
    pub outcome: CheckOutcome,
    /// What was seen; on failure what was expected and what came.
    pub detail: String,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
}

/// One power-on of a boot test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootRun {
    /// From power-on to a working SSH login, in milliseconds; none when it never came.
    pub login_ms: Option<u64>,
    /// The instance id that the guest was given.
    pub instance_id: String,
}

/// A rule of which the image's files say one thing and the running machine another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disagreement {
    /// The rule's id.
    pub rule: String,
    /// How bad a violation of the rule is.
    pub severity: Severity,
    /// The check that looked at the machine.
    pub check: String,
    /// What the files say.
    pub file: String,
    /// What the machine says.
    pub machine: String,
}

/// What a boot test found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootReport {
    /// The firmware that was used.
    pub firmware: Firmware,
    /// The accelerator that really ran the guest: `kvm` or `tcg`.
    pub accelerator: String,
    /// Why it was not a faster one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub accelerator_note: Option<String>,
    /// Each power-on, in order.
    pub boots: Vec<BootRun>,
    /// Every check, in order.
    pub checks: Vec<CheckResult>,
    /// The rules of which files and machine say different things, by id.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub disagreements: Vec<Disagreement>,
    /// The last lines of the serial console, kept only when something failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub console_tail: Option<String>,
}

impl BootReport {
    /// Tells whether at least one check ran and none failed.
    pub fn is_passed(&self) -> bool {
        let ran = self.checks.iter().any(|check| check.outcome == CheckOutcome::Pass);
        ran && self.checks.iter().all(|check| check.outcome != CheckOutcome::Fail)
    }
}

/// One package of an image.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Package {
    /// Binary package name.
    pub name: String,
    /// Version.
    pub version: String,
    /// Architecture, in Debian's words.
    pub architecture: String,
    /// Installed size in bytes, as the package declares it.
    pub installed_bytes: u64,
}

/// One partition of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partition {
    /// Number, from 1.
    pub number: u32,
    /// Name: `bios`, `esp`, `root`.
    pub name: String,
    /// First byte on the disk.
    pub start_bytes: u64,
    /// Size in bytes.
    pub bytes: u64,
    /// What is on it: `ext4`, `vfat`, `bios-boot`.
    pub content: String,
}

/// How long one step of a build took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepTime {
    /// The step.
    pub step: String,
    /// What it does, for people.
    pub title: String,
    /// Milliseconds.
    pub elapsed_ms: u64,
    /// The result in few words.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub detail: Option<String>,
}

/// What a build made and found: kept in the store beside the image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildReport {
    /// Version of this format: 1.
    pub format_version: u32,
    /// The image's name.
    pub name: ImageName,
    /// The image's version.
    pub version: ImageVersion,
    /// The image's architecture.
    pub architecture: Architecture,
    /// What it was made from: `Debian 13 (trixie)`.
    pub base: String,
    /// What the recipe says about the image.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub description: Option<String>,
    /// The image's digest (see the store's manifest).
    pub digest: Digest,
    /// Size of the disk in bytes.
    pub disk_bytes: u64,
    /// Bytes of blocks that carry anything.
    pub used_bytes: u64,
    /// The partitions.
    pub partitions: Vec<Partition>,
    /// The packages, by name.
    pub packages: Vec<Package>,
    /// Digest of the recipe's text.
    pub recipe_digest: Digest,
    /// No time stamp in the image is later than this (`SOURCE_DATE_EPOCH`).
    pub source_epoch: i64,
    /// When the build ended.
    pub built_at: Timestamp,
    /// Version of amint.
    pub tool_version: String,
    /// How long each step took.
    pub steps: Vec<StepTime>,
    /// The severity from which a violation stops the image.
    pub gate: Severity,
    /// The verdict of the rules.
    pub scan: ScanReport,
    /// The boot tests.
    pub boots: Vec<BootReport>,
}
