use amint_types::Severity;

use super::report;
use crate::facts::sweep::Kind;
use crate::{CheckError, Context, Rule, RuleMeta, Severities, Verdict};

/// No AWS credentials in text files.
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
        let hits = cx.sweep()?.of(&[Kind::AwsKeyId, Kind::AwsSecret]);
        Ok(hits.map(|hit| report(hit, true)).collect::<Vec<_>>().into())
    }
}

#[cfg(test)]
mod tests {
    use crate::Verdict;
    use crate::testing::Fixture;

    #[test]
    fn a_key_pair_is_found_and_masked() {
        let id = format!("AKIA{}", "QRSTUV2345672ABC");
        let secret = "Zx9Qv7Lm2Kp4Rt6Yw8Bn3Cd5Fg1Hj0Zx9Qv7Lm2K";
        let fixture = Fixture::new().file(
            "/root/.aws/credentials",
            &format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n"),
        );
        let Verdict::Fail(findings) = fixture.check("SEC-001") else { panic!("must fail") };
        assert_eq!(
            findings.iter().map(|finding| finding.evidence.line).collect::<Vec<_>>(),
            [Some(2), Some(3)]
        );
        let text = format!("{findings:?}");
        assert!(!text.contains(&id) && !text.contains(secret), "{text}");
        assert!(text.contains("AKIAQRST***"), "{text}");
    }
}
