use std::path::Path;

use amint_types::Severity;
use amint_types::report::Finding;

use super::{left_out, removal, report_all};
use crate::facts::secrets::FoundSecret;
use crate::rule::finding;
use crate::{CheckError, Context, RecipeChange, Rule, RuleMeta, Severities, Verdict};

/// No tokens of other providers in files.
pub(in crate::rules) struct ProviderTokens;

static META: RuleMeta = RuleMeta {
    id: "SEC-004",
    title: "no tokens or passwords of other services are in the image",
    requirements: &["A2", "MP-G5"],
    rationale: "Tokens of code hosts, package registries and cloud services are known by their form, and so are \
                passwords inside addresses; everyone who has the image can use them.",
    remedy: "Remove the token and make it invalid where it was issued; unpack or remove what cannot be looked into.",
    severities: Severities::public(Severity::Critical, Some(Severity::High)),
};

/// Where hashes of passwords belong: other rules judge them there.
const ACCOUNTS: [&str; 4] = ["/etc/gshadow", "/etc/gshadow-", "/etc/shadow", "/etc/shadow-"];

impl Rule for ProviderTokens {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let found = cx.secrets()?;
        let Some(mut findings) = report_all(&found, META.id, |one| !is_account(one)) else {
            return Ok(Verdict::NotApplicable(left_out()));
        };
        findings.extend(found.unlooked.iter().map(|gap| Finding {
            severity: Some(Severity::Medium),
            ..finding(format!("was not searched for secrets: {}", gap.reason), Path::new(&gap.path))
        }));
        Ok(findings.into())
    }

    fn recipe_change(&self, finding: &Finding) -> Option<RecipeChange> {
        removal(finding)
    }
}

fn is_account(found: &FoundSecret) -> bool {
    found.secret.kind.starts_with("hash-") && ACCOUNTS.contains(&found.path.as_str())
}

#[cfg(test)]
mod tests {
    use amint_types::Severity;

    use crate::Verdict;
    use crate::testing::Fixture;

    #[test]
    fn a_token_is_found_and_masked() {
        let token = format!("glpat-{}", "Zx9Qv7Lm2Kp4Rt6Yw8Bn");
        let password = "k7Rz-pq9Wm";
        let fixture = Fixture::new()
            .file("/opt/x", &format!("CI_TOKEN={token}\nurl=https://joe:{password}@git.corp.internal/\n"));
        let Verdict::Fail(findings) = fixture.check("SEC-004") else { panic!("must fail") };
        let text = format!("{findings:?}");
        assert!(findings.len() == 2 && !text.contains(&token) && !text.contains(password), "{text}");
    }

    #[test]
    fn hashes_of_accounts_are_left_to_their_rules_and_placeholders_are_no_tokens() {
        let hash = format!("$6$Zx9Qv7Lm$ {}", "Zx9Qv7Lm2Kp4Rt6Yw8Bn3".repeat(5)).replace(' ', "");
        let fixture = Fixture::new()
            .file("/etc/shadow", &format!("root:{}:1:::::\n", &hash[..98]))
            .file("/opt/x.conf", "url=https://user:${PASSWORD}@git.internal.test/\n");
        assert!(fixture.is_pass("SEC-004"));
    }

    #[test]
    fn what_cannot_be_looked_into_is_told() {
        let fixture = Fixture::new().file("/opt/backup.7z", "7z\u{bc}").mode("/opt/backup.7z", 0o600);
        std::fs::write(fixture.host("/opt/backup.7z"), b"7z\xBC\xAF\x27\x1C rest").unwrap();
        let Verdict::Fail(findings) = fixture.check("SEC-004") else { panic!("must fail") };
        assert_eq!(findings[0].severity, Some(Severity::Medium));
        assert!(findings[0].message.starts_with("was not searched"), "{findings:?}");
    }
}
