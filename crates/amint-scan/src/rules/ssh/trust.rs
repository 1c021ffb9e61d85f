use amint_types::Severity;

use super::wanted::{Wanted, check, off};
use crate::{CheckError, Context, Fix, Rule, RuleMeta, Severities, Verdict};

/// The ssh server trusts neither other hosts nor users' environments.
pub(in crate::rules) struct Trust;

static META: RuleMeta = RuleMeta {
    id: "SSH-018",
    title: "sshd trusts no hosts, no user environments, no careless modes",
    requirements: &["B6", "CIS-5.1"],
    rationale: "Host-based trust passes a break-in on; an environment set by a user can replace the libraries of a \
                forced command; keys in files that others may write are no proof of anybody.",
    remedy: "Keep `HostbasedAuthentication no`, `IgnoreRhosts yes`, `PermitUserEnvironment no`, `StrictModes yes` and \
             a log level of INFO or VERBOSE.",
    severities: Severities::hardened(Severity::Medium),
};

const WANTED: [Wanted; 5] = [
    off("HostbasedAuthentication"),
    Wanted { keyword: "IgnoreRhosts", value: "yes", accepts: |value| value == "yes" },
    Wanted {
        keyword: "LogLevel",
        value: "VERBOSE",
        accepts: |value| matches!(value.to_ascii_uppercase().as_str(), "INFO" | "VERBOSE"),
    },
    off("PermitUserEnvironment"),
    Wanted { keyword: "StrictModes", value: "yes", accepts: |value| value == "yes" },
];

impl Rule for Trust {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        check(cx, &WANTED, None)
    }

    fn fix(&self) -> Option<Fix> {
        Some(|cx| {
            for wanted in &WANTED {
                cx.set_sshd(wanted.keyword, wanted.value);
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn the_compiled_defaults_pass_and_their_opposites_do_not() {
        assert!(Fixture::with_sshd("").is_pass("SSH-018"));
        let fixture = Fixture::with_sshd("StrictModes no\nPermitUserEnvironment LANG,LC_*\nLogLevel QUIET\n");
        assert_eq!(fixture.findings("SSH-018").len(), 3);
        fixture.harden_twice();
        assert!(fixture.is_pass("SSH-018"));
    }
}
