use std::path::Path;

use amint_types::Severity;
use jiff::tz::TimeZone;

use super::trusted_authorities::{BUNDLE, read};
use crate::rule::finding;
use crate::{CheckError, Context, RecipeChange, Rule, RuleMeta, Severities, Verdict};

/// No authority is trusted that lapsed or lost the trust of browsers.
pub(in crate::rules) struct OldAuthorities;

static META: RuleMeta = RuleMeta {
    id: "CRY-004",
    title: "no authority is trusted that lapsed or was removed by browsers",
    requirements: &["A2", "B6"],
    rationale: "Browsers took authorities out that issued certificates to the wrong people. A trust store that still \
                holds them is old.",
    remedy: "Update the package ca-certificates, and remove authorities that it no longer brings.",
    severities: Severities::public(Severity::Low, Some(Severity::Info)),
};

/// Bundles of the distributions.
const BUNDLES: [&str; 3] =
    [BUNDLE, "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/var/lib/ca-certificates/ca-bundle.pem"];
/// Names of authorities that Mozilla and others removed for cause (bugzilla.mozilla.org, "CA Program" removals).
const REMOVED: [&str; 10] = [
    "DigiNotar",
    "CNNIC",
    "WoSign",
    "StartCom",
    "PROCERT",
    "Certinomis",
    "TrustCor",
    "E-Tugra",
    "Symantec",
    "Camerfirma",
];

impl Rule for OldAuthorities {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let mut findings = Vec::new();
        let mut is_any = false;
        for bundle in BUNDLES {
            for certificate in read(cx, Path::new(bundle))? {
                is_any = true;
                let last = certificate.not_after.to_zoned_datetime(TimeZone::UTC).date();
                if last < cx.request().today {
                    let message = format!("`{}` expired on {last}", certificate.subject);
                    findings.push(finding(message, Path::new(bundle)));
                } else if let Some(name) = REMOVED.iter().find(|name| certificate.subject.contains(*name)) {
                    let message = format!("`{}` is of {name}, which browsers removed", certificate.subject);
                    findings.push(finding(message, Path::new(bundle)));
                }
            }
        }
        if !is_any {
            return Ok(Verdict::NotApplicable("no bundle of authorities".to_owned()));
        }
        Ok(findings.into())
    }

    fn recipe_change(&self, _finding: &amint_types::report::Finding) -> Option<RecipeChange> {
        Some(RecipeChange::UpdatePackages)
    }
}

#[cfg(test)]
mod tests {
    use crate::Verdict;
    use crate::facts::certificates::tests::{AUTHORITY, OLD};
    use crate::testing::Fixture;

    #[test]
    fn lapsed_authorities_are_told_and_others_are_not() {
        let bundle = "/etc/ssl/certs/ca-certificates.crt";
        assert!(Fixture::new().file(bundle, AUTHORITY).is_pass("CRY-004"));
        assert_eq!(Fixture::new().file(bundle, &format!("{AUTHORITY}{OLD}")).findings("CRY-004").len(), 1);
        assert!(matches!(Fixture::new().check("CRY-004"), Verdict::NotApplicable(_)));
    }
}
