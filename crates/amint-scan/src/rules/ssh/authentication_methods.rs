use amint_types::Severity;

use super::wanted::{NO_SERVER, report};
use crate::{CheckError, Context, Rule, RuleMeta, Severities, Verdict};

/// No list of methods that a password alone satisfies.
pub(in crate::rules) struct AuthenticationMethods;

static META: RuleMeta = RuleMeta {
    id: "SSH-005",
    title: "no list of login methods is satisfied without a key",
    requirements: &["A2", "MP-L1"],
    rationale: "`AuthenticationMethods` lists what a login needs. A list without `publickey`, `hostbased` or \
                `gssapi-with-mic` is satisfied by a password.",
    remedy: "Remove the lists that hold only `password` or `keyboard-interactive`.",
    severities: Severities::public(Severity::High, Some(Severity::Medium)),
};

impl Rule for AuthenticationMethods {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let Some(config) = cx.sshd()? else { return Ok(Verdict::NotApplicable(NO_SERVER.to_owned())) };
        let mut findings = Vec::new();
        for setting in config.reachable("AuthenticationMethods", None) {
            let is_password_only = |list: &String| {
                list.split(',').all(|method| {
                    method.starts_with("password") || method.starts_with("keyboard-interactive")
                })
            };
            if setting.arguments.iter().any(is_password_only) {
                findings.push(report(config, &setting, "AuthenticationMethods", "publickey in every list"));
            }
        }
        Ok(findings.into())
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn a_list_with_a_key_passes_and_one_without_fails() {
        assert!(Fixture::with_sshd("").is_pass("SSH-005"));
        assert!(Fixture::with_sshd("AuthenticationMethods publickey,password\n").is_pass("SSH-005"));
        let fixture =
            Fixture::with_sshd("AuthenticationMethods publickey keyboard-interactive:pam,password\n");
        assert_eq!(fixture.findings("SSH-005").len(), 1);
    }
}
