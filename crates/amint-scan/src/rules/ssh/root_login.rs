use amint_types::Severity;

use super::wanted::{Wanted, check};
use crate::{CheckError, Context, Fix, Profile, Rule, RuleMeta, Severities, Verdict};

/// The superuser does not log in over ssh.
pub(in crate::rules) struct RootLogin;

static META: RuleMeta = RuleMeta {
    id: "SSH-003",
    title: "root cannot log in over ssh",
    requirements: &["A2", "A11", "B6", "MP-L2", "SHARED-2", "CIS-5.1"],
    rationale: "People become root through sudo, so that every step up is tied to a person. Marketplace disables root \
                login first of all; the shared-image guidelines accept root with a key, but never with a password.",
    remedy: "Set `PermitRootLogin no`, also in Match blocks that root may meet.",
    severities: Severities::public(Severity::Critical, Some(Severity::High)),
};

const NEVER: [Wanted; 1] =
    [Wanted { keyword: "PermitRootLogin", value: "no", accepts: |value| value == "no" }];
const NOT_BY_PASSWORD: [Wanted; 1] = [Wanted {
    keyword: "PermitRootLogin",
    value: "no or prohibit-password",
    accepts: |value| matches!(value, "no" | "prohibit-password" | "forced-commands-only"),
}];

impl Rule for RootLogin {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let is_strict = cx.has_profile(Profile::Marketplace) || cx.has_profile(Profile::Hardened);
        check(cx, if is_strict { &NEVER } else { &NOT_BY_PASSWORD }, Some("root"))
    }

    fn fix(&self) -> Option<Fix> {
        Some(|cx| {
            cx.set_sshd("PermitRootLogin", "no");
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::Profile;
    use crate::testing::Fixture;

    #[test]
    fn a_key_only_root_passes_where_the_guidelines_allow_it() {
        let mut fixture = Fixture::with_sshd("PermitRootLogin without-password\n");
        assert_eq!(fixture.paths("SSH-003"), ["/etc/ssh/sshd_config"]);
        fixture.request.profiles = vec![Profile::SharedLinux];
        assert!(fixture.is_pass("SSH-003"));
    }

    #[test]
    fn only_blocks_that_root_may_meet_count() {
        let block = |user: &str| {
            Fixture::with_sshd(&format!("PermitRootLogin no\nMatch User {user}\nPermitRootLogin yes\n"))
        };
        assert!(block("alice,bob").is_pass("SSH-003"));
        assert!(block("*,!root").is_pass("SSH-003"));
        assert_eq!(block("r*").findings("SSH-003").len(), 1);
    }
}
