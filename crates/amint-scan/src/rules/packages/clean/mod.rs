//! VUL-007: packages are whole, and come from sources that are checked.

mod architectures;
mod held;
mod keys;
mod sources;
mod state;

pub(in crate::rules) use sources::is_own_suite;

use amint_types::Severity;
use amint_types::report::Finding;

use crate::facts::packages::{installed, repositories};
use crate::rules::change::without_drop_in;
use crate::{CheckError, Context, Fix, RecipeChange, Rule, RuleMeta, Severities, Verdict};

/// Packages are whole, and come from sources that are checked.
pub(in crate::rules) struct CleanPackages;

static META: RuleMeta = RuleMeta {
    id: "VUL-007",
    title: "packages are whole, and their sources signed and known",
    requirements: &["A2", "A5", "A7", "CIS-1.2"],
    rationale: "A package that is half installed or held back misses its fixes; a source without a checked signature \
                lets anybody on the way put programs of root into every instance.",
    remedy: "Finish or remove broken packages, let go of what is held, and let every source name the key that it is \
             signed with.",
    severities: Severities::public(Severity::High, Some(Severity::Medium)),
};

impl Rule for CleanPackages {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let installed = installed(cx)?;
        let repositories = repositories(cx)?;
        if installed.is_empty() && repositories.files.is_empty() {
            return Ok(Verdict::NotApplicable("there is no package manager".to_owned()));
        }
        let mut findings = state::check(&installed);
        findings.extend(held::check(cx, &repositories)?);
        findings.extend(sources::check(cx, &installed, &repositories)?);
        findings.extend(keys::check(cx)?);
        findings.extend(architectures::check(cx, &installed)?);
        Ok(findings.into())
    }

    fn fix(&self) -> Option<Fix> {
        Some(sources::close)
    }

    fn recipe_change(&self, finding: &Finding) -> Option<RecipeChange> {
        if finding.message == sources::OPEN {
            return Some(RecipeChange::Harden);
        }
        if let Some(change) = without_drop_in(finding) {
            return Some(change);
        }
        // Names come from the image: what is no name must not become part of a command.
        let named = finding.message.split('`').nth(1).filter(|name| is_package_name(name))?;
        if finding.message.contains("is held, so") {
            Some(RecipeChange::Run(format!("apt-mark unhold {named}")))
        } else if finding.message.contains("is not whole") {
            Some(RecipeChange::Run("dpkg --configure -a".to_owned()))
        } else if finding.message.starts_with("packages of the foreign architecture") {
            Some(RecipeChange::Run(format!("dpkg --remove-architecture {named}")))
        } else {
            None
        }
    }
}

/// Tells whether a text has only what names of packages and architectures have.
pub(super) fn is_package_name(text: &str) -> bool {
    text.starts_with(|letter: char| letter.is_ascii_alphanumeric())
        && text.chars().all(|letter| letter.is_ascii_alphanumeric() || "+.-_".contains(letter))
}

/// Gives a finding a severity that is less than the rule's.
fn milder(mut finding: Finding, severity: Severity) -> Finding {
    finding.severity = Some(severity);
    finding
}

#[cfg(test)]
mod tests;
