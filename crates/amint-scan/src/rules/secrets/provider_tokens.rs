use amint_types::Severity;

use super::report;
use crate::facts::sweep::Kind;
use crate::{CheckError, Context, Rule, RuleMeta, Severities, Verdict};

/// No tokens of other providers in text files.
pub(in crate::rules) struct ProviderTokens;

static META: RuleMeta = RuleMeta {
    id: "SEC-004",
    title: "no tokens or passwords of other services are in the image",
    requirements: &["A2", "MP-G5"],
    rationale: "Tokens of code hosts, package registries and cloud services are known by their form, and so are \
                passwords inside addresses; everyone who has the image can use them.",
    remedy: "Remove the token and make it invalid where it was issued.",
    severities: Severities::public(Severity::Critical, Some(Severity::High)),
};

impl Rule for ProviderTokens {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let hits = cx.sweep()?.of(&[Kind::Token]);
        Ok(hits.map(|hit| report(hit, true)).collect::<Vec<_>>().into())
    }
}

#[cfg(test)]
mod tests {
    use crate::Verdict;
    use crate::testing::Fixture;

    #[test]
    fn a_token_is_found_and_masked() {
        let token = format!("glpat-{}", "Zx9Qv7Lm2Kp4Rt6Yw8Bn");
        let fixture = Fixture::new()
            .file("/opt/x", &format!("CI_TOKEN={token}\nurl=https://joe:hunter2@git.example/\n"));
        let Verdict::Fail(findings) = fixture.check("SEC-004") else { panic!("must fail") };
        let text = format!("{findings:?}");
        assert!(findings.len() == 2 && !text.contains(&token) && !text.contains("hunter2"), "{text}");
    }
}
