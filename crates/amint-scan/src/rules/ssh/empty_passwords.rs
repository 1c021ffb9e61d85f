use amint_types::Severity;

use super::wanted::{Wanted, check, off};
use crate::{CheckError, Context, Fix, Rule, RuleMeta, Severities, Verdict};

/// Accounts without a password stay closed.
pub(in crate::rules) struct EmptyPasswords;

static META: RuleMeta = RuleMeta {
    id: "SSH-004",
    title: "sshd accepts no empty passwords",
    requirements: &["A2", "A11", "B6", "MP-G4", "CIS-5.1"],
    rationale: "An account without a password would be open to everyone as soon as passwords are accepted anywhere.",
    remedy: "Set `PermitEmptyPasswords no`, or remove the line that sets it otherwise.",
    severities: Severities::public(Severity::Critical, Some(Severity::Critical)),
};

const WANTED: [Wanted; 1] = [off("PermitEmptyPasswords")];

impl Rule for EmptyPasswords {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        check(cx, &WANTED, None)
    }

    fn fix(&self) -> Option<Fix> {
        Some(|cx| {
            cx.set_sshd("PermitEmptyPasswords", "no");
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn unset_is_off_and_on_is_found() {
        assert!(Fixture::with_sshd("").is_pass("SSH-004"));
        assert_eq!(Fixture::with_sshd("PermitEmptyPasswords true\n").findings("SSH-004").len(), 1);
    }
}
