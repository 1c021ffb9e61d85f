//! Whether everything in the image may be passed on and sold (`amint-rights`).

mod report;
mod trials;

use amint_rights::RightsRule;
use amint_types::Severity;
use amint_types::report::Finding;

use crate::{CheckError, Context, RecipeChange, Rule, RuleMeta, Severities, Verdict};

pub use report::source_manifest;

/// One rule about rights.
struct Rights {
    rule: RightsRule,
    meta: RuleMeta,
}

/// Severity of what nobody may sell without a right; images that stay at home need none.
const fn sold(severity: Severity) -> Severities {
    Severities { marketplace: Some(severity), shared_linux: Some(severity), ..Severities::NONE }
}

static SYSTEM: Rights = Rights {
    rule: RightsRule::System,
    meta: RuleMeta {
        id: "RES-001",
        title: "the operating system may be passed on",
        requirements: &["A1", "MP-G1"],
        rationale: "Some systems may be sold only with their owner's agreement, or through AWS's own billing; an image \
                    without either is taken down.",
        remedy: "Build on a free system or on AWS's own image of it, or declare the right in `[[rights]]`.",
        severities: sold(Severity::Critical),
    },
};

static SOFTWARE: Rights = Rights {
    rule: RightsRule::Software,
    meta: RuleMeta {
        id: "RES-002",
        title: "every package and product may be passed on and sold",
        requirements: &["A1", "MP-G1"],
        rationale: "What is not free needs its owner's agreement before it is sold with an image; what tells no licence \
                    gives no right at all.",
        remedy: "Remove the software, or declare the right that you hold in `[[rights]]`.",
        severities: sold(Severity::Critical),
    },
};

static SOURCE: Rights = Rights {
    rule: RightsRule::Source,
    meta: RuleMeta {
        id: "RES-003",
        title: "licences go with the copies, and sources can be offered",
        requirements: &["A1"],
        rationale: "Copyleft asks whoever passes on programs to offer their source, and all licences ask that their text \
                    stays with the copies.",
        remedy: "Keep the copyright files, and publish the list that `amint scan --source-offer` writes.",
        severities: sold(Severity::Medium),
    },
};

static TERMS: Rights = Rights {
    rule: RightsRule::Terms,
    meta: RuleMeta {
        id: "RES-004",
        title: "no trademarks, terms of others or software on trial",
        requirements: &["A1", "MP-U1"],
        rationale: "A buyer must not meet the terms, marks or trial periods of somebody who has not agreed to be part of \
                    the product.",
        remedy: "Remove the software, get its owner's agreement, or declare the right in `[[rights]]`.",
        severities: sold(Severity::Medium),
    },
};

/// The rules of this family.
pub(super) static RULES: &[&dyn Rule] = &[
    &SYSTEM,   // RES-001
    &SOFTWARE, // RES-002
    &SOURCE,   // RES-003
    &TERMS,    // RES-004
];

impl Rule for Rights {
    fn meta(&self) -> &'static RuleMeta {
        // Every value of this type is one of the statics above.
        match self.rule {
            RightsRule::System => &SYSTEM.meta,
            RightsRule::Source => &SOURCE.meta,
            RightsRule::Terms => &TERMS.meta,
            _ => &SOFTWARE.meta,
        }
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        match self.rule {
            RightsRule::Source if !report::has_packages(cx)? => {
                Ok(Verdict::NotApplicable("no package tells its licence".to_owned()))
            }
            RightsRule::Terms => {
                let mut findings = report::findings(cx, self.rule)?;
                findings.extend(trials::find(cx)?);
                Ok(findings.into())
            }
            rule => Ok(report::findings(cx, rule)?.into()),
        }
    }

    fn recipe_change(&self, finding: &Finding) -> Option<RecipeChange> {
        let name = finding.message.split_once("declare `").and_then(|(_, rest)| rest.split('`').next())?;
        Some(RecipeChange::DeclareRight(name.to_owned()))
    }
}

#[cfg(test)]
mod tests;
