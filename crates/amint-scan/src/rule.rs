//! What a rule is.

use std::path::Path;

use amint_types::Severity;
use amint_types::report::{Evidence, Finding};

use crate::redact::excerpt;
use crate::{CheckError, Context, FixContext, Profile, Protocol};

/// How bad a rule's violation is under each profile; none where the rule is not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Severities {
    /// Under [`Profile::Marketplace`].
    pub marketplace: Option<Severity>,
    /// Under [`Profile::SharedLinux`].
    pub shared_linux: Option<Severity>,
    /// Under [`Profile::Hardened`].
    pub hardened: Option<Severity>,
    /// Under [`Profile::HardenedLevel2`], when it is another than under [`Profile::Hardened`].
    pub hardened_level_2: Option<Severity>,
    /// Under [`Profile::Private`].
    pub private: Option<Severity>,
}

impl Severities {
    /// The rule is asked under no profile yet.
    pub const NONE: Self =
        Self { marketplace: None, shared_linux: None, hardened: None, hardened_level_2: None, private: None };

    /// The same severity under the three public profiles, another for private images.
    pub const fn public(severity: Severity, private: Option<Severity>) -> Self {
        let public = Some(severity);
        Self { marketplace: public, shared_linux: public, hardened: public, hardened_level_2: None, private }
    }

    /// Only hardened images are asked.
    pub const fn hardened(severity: Severity) -> Self {
        Self { hardened: Some(severity), ..Self::NONE }
    }

    /// Only hardened images of the second level are asked.
    pub const fn hardened_level_2(severity: Severity) -> Self {
        Self { hardened_level_2: Some(severity), ..Self::NONE }
    }

    /// Returns the severity under one profile.
    pub fn under(&self, profile: Profile) -> Option<Severity> {
        match profile {
            Profile::Marketplace => self.marketplace,
            Profile::SharedLinux => self.shared_linux,
            Profile::Hardened => self.hardened,
            Profile::HardenedLevel2 => self.hardened_level_2.or(self.hardened),
            Profile::Private => self.private,
        }
    }

    /// Returns the worst severity under `profiles`; none when the rule is not asked.
    pub fn under_all(&self, profiles: &[Profile]) -> Option<Severity> {
        profiles.iter().filter_map(|profile| self.under(*profile)).max()
    }
}

/// What is known of a rule without running it.
#[derive(Debug)]
pub struct RuleMeta {
    /// Its stable id: `SSH-001`.
    pub id: &'static str,
    /// What it asks for, as a short sentence fragment.
    pub title: &'static str,
    /// Ids of the requirements and controls that it serves.
    pub requirements: &'static [&'static str],
    /// Why it matters.
    pub rationale: &'static str,
    /// What a person does about a violation.
    pub remedy: &'static str,
    /// How bad a violation is.
    pub severities: Severities,
}

/// What a rule says about a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Looked, and found nothing.
    Pass,
    /// Found something.
    Fail(Vec<Finding>),
    /// There is nothing to look at; the text tells why.
    NotApplicable(String),
}

impl From<Vec<Finding>> for Verdict {
    fn from(findings: Vec<Finding>) -> Self {
        if findings.is_empty() { Self::Pass } else { Self::Fail(findings) }
    }
}

/// The change that makes a rule's demand true.
pub type Fix = fn(&FixContext<'_>) -> Result<(), CheckError>;

/// A change of the recipe that clears a finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RecipeChange {
    /// Hardening with a profile that asks the rule mends it.
    Harden,
    /// Newer packages are in the archive: `amint update`.
    UpdatePackages,
    /// A package is installed.
    InstallPackage(String),
    /// A package is taken out, under `[[run]]`.
    RemovePackage(String),
    /// A unit starts with the system.
    EnableService(String),
    /// A unit does not start by itself.
    DisableService(String),
    /// A unit cannot be started.
    MaskService(String),
    /// A file or folder is removed, under `[[run]]`.
    RemovePath(String),
    /// A shell command runs in the tree, under `[[run]]`.
    Run(String),
    /// A port is opened on purpose, under `[[ports]]`: number and protocol.
    DeclarePort(u16, Protocol),
    /// The right to pass something on is declared, under `[[rights]]`.
    DeclareRight(String),
}

/// One demand on an image.
pub trait Rule: Sync {
    /// Tells what is known of the rule without running it.
    fn meta(&self) -> &'static RuleMeta;

    /// Looks at the tree.
    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError>;

    /// Returns the change that makes the demand true, where there is one that is safe on any image.
    fn fix(&self) -> Option<Fix> {
        None
    }

    /// Returns the change of the recipe that clears a finding; none when only a person can.
    fn recipe_change(&self, _finding: &Finding) -> Option<RecipeChange> {
        self.fix().map(|_| RecipeChange::Harden)
    }
}

/// Makes a finding about a whole file.
pub(crate) fn finding(message: impl Into<String>, path: &Path) -> Finding {
    let path = path.to_string_lossy().into_owned();
    Finding {
        message: message.into(),
        evidence: Evidence { path, line: None, excerpt: None },
        severity: None,
    }
}

/// Makes a finding about a line of a file; secrets in `text` are masked.
pub(crate) fn finding_at(message: impl Into<String>, path: &Path, line: u32, text: &str) -> Finding {
    let mut finding = finding(message, path);
    finding.evidence.line = Some(line);
    finding.evidence.excerpt = Some(excerpt(text));
    finding
}
