use amint_types::Severity;

use super::wanted::{Wanted, check, off};
use crate::{CheckError, Context, Fix, Rule, RuleMeta, Severities, Verdict};

/// Nobody types a password in answer to a question of PAM.
pub(in crate::rules) struct KeyboardInteractive;

static META: RuleMeta = RuleMeta {
    id: "SSH-002",
    title: "sshd asks no questions that a password answers",
    requirements: &["A2", "A11", "B6", "MP-L1", "MP-G4"],
    rationale: "With PAM, keyboard-interactive authentication asks for the account's password: the same door as \
                password authentication under another name, and open by sshd's own default.",
    remedy: "Set `KbdInteractiveAuthentication no`; its older name is `ChallengeResponseAuthentication`.",
    severities: Severities::public(Severity::Critical, Some(Severity::High)),
};

const WANTED: [Wanted; 1] = [off("KbdInteractiveAuthentication")];

impl Rule for KeyboardInteractive {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        check(cx, &WANTED, None)
    }

    fn fix(&self) -> Option<Fix> {
        Some(|cx| {
            cx.set_sshd("KbdInteractiveAuthentication", "no");
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn the_old_name_counts_and_the_first_of_both_wins() {
        assert!(
            Fixture::with_sshd("ChallengeResponseAuthentication no\nKbdInteractiveAuthentication yes\n")
                .is_pass("SSH-002")
        );
        let fixture = Fixture::with_sshd("SkeyAuthentication yes\nKbdInteractiveAuthentication no\n");
        assert_eq!(fixture.paths("SSH-002"), ["/etc/ssh/sshd_config"]);
        fixture.harden_twice();
        assert!(fixture.is_pass("SSH-002"));
    }
}
