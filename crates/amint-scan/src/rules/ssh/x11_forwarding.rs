use amint_types::Severity;

use super::wanted::{Wanted, check, off};
use crate::{CheckError, Context, Fix, Rule, RuleMeta, Severities, Verdict};

/// No windows of the instance on the desks of its users.
pub(in crate::rules) struct X11Forwarding;

static META: RuleMeta = RuleMeta {
    id: "SSH-019",
    title: "sshd forwards no X11",
    requirements: &["B6", "CIS-5.1"],
    rationale: "A forwarded display lets root of the instance read the keys that its user types. Debian's package turns \
                it on.",
    remedy: "Set `X11Forwarding no`.",
    severities: Severities::hardened(Severity::Medium),
};

const WANTED: [Wanted; 1] = [off("X11Forwarding")];

impl Rule for X11Forwarding {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        check(cx, &WANTED, None)
    }

    fn fix(&self) -> Option<Fix> {
        Some(|cx| {
            cx.set_sshd("X11Forwarding", "no");
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn debians_yes_is_found_and_beaten() {
        let fixture = Fixture::with_sshd("Include sshd_config.d/*.conf\nX11Forwarding yes\n");
        assert_eq!(fixture.findings("SSH-019").len(), 1);
        fixture.harden_twice();
        assert!(fixture.is_pass("SSH-019"));
    }
}
