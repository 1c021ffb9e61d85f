use amint_types::Severity;
use amint_types::report::Finding;

use super::{left_out, removal, report_all};
use crate::{CheckError, Context, RecipeChange, Rule, RuleMeta, Severities, Verdict};

/// No AWS credentials in files.
pub(in crate::rules) struct AwsKeys;

static META: RuleMeta = RuleMeta {
    id: "SEC-001",
    title: "no AWS access keys are in the image",
    requirements: &["A2", "A11", "MP-G5", "MP-G6", "SHARED-7"],
    rationale: "A key in an image is a key published; software on an instance gets short-lived credentials from its \
                role. The keys of AWS's own documentation are not counted.",
    remedy: "Remove the key, make it invalid in IAM, and use an instance role.",
    severities: Severities::public(Severity::Critical, Some(Severity::Critical)),
};

impl Rule for AwsKeys {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let findings = report_all(&*cx.secrets()?, META.id, |_| true);
        Ok(findings.map_or_else(|| Verdict::NotApplicable(left_out()), Verdict::from))
    }

    fn recipe_change(&self, finding: &Finding) -> Option<RecipeChange> {
        removal(finding)
    }
}

#[cfg(test)]
mod tests {
    use amint_types::Severity;

    use crate::Verdict;
    use crate::testing::Fixture;

    #[test]
    fn a_key_pair_is_found_and_masked() {
        let id = format!("AKIA{}", "QRSTUV2345672ABC");
        let secret = "Zx9Qv7Lm2Kp4Rt6Yw8Bn3Cd5Fg1Hj0Zx9Qv7Lm2K";
        let fixture = Fixture::new().file(
            "/srv/job.sh",
            &format!("#!/bin/sh\naws_access_key_id={id}\naws_secret_access_key={secret}\n"),
        );
        let Verdict::Fail(findings) = fixture.check("SEC-001") else { panic!("must fail") };
        assert_eq!(
            findings.iter().map(|finding| finding.evidence.line).collect::<Vec<_>>(),
            [Some(2), Some(3)]
        );
        let text = format!("{findings:?}");
        assert!(!text.contains(&id) && !text.contains(secret), "{text}");
    }

    #[test]
    fn keys_of_manuals_weigh_nothing() {
        let fixture = Fixture::new().file("/opt/README", "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE\n");
        match fixture.check("SEC-001") {
            Verdict::Pass => {}
            Verdict::Fail(findings) => {
                assert!(
                    findings.iter().all(|finding| finding.severity == Some(Severity::Info)),
                    "{findings:?}"
                );
            }
            other @ Verdict::NotApplicable(_) => panic!("{other:?}"),
        }
    }
}
