use amint_types::Severity;
use amint_types::report::Finding;

use super::wanted::{NO_SERVER, report};
use crate::facts::pam::{self, Kind, Nature};
use crate::sshd::{Setting, SshdConfig};
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

impl Rule for KeyboardInteractive {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let Some(config) = cx.sshd()? else { return Ok(Verdict::NotApplicable(NO_SERVER.to_owned())) };
        let asks: Vec<Setting> = config
            .reachable("KbdInteractiveAuthentication", None)
            .into_iter()
            .filter(|setting| setting.text() != "no")
            .collect();
        // Without PAM nothing asks; with a key in every list of methods, a password alone is not enough.
        if asks.is_empty() || config.global("UsePAM").text() != "yes" || needs_key(config) {
            return Ok(Verdict::Pass);
        }
        let Some(modules) = answering_modules(cx, config)? else { return Ok(Verdict::Pass) };
        let findings: Vec<Finding> = asks
            .iter()
            .map(|setting| {
                let mut finding = report(config, setting, "KbdInteractiveAuthentication", "no");
                finding.message = format!("{}; {modules}", finding.message);
                finding
            })
            .collect();
        Ok(findings.into())
    }

    fn fix(&self) -> Option<Fix> {
        Some(|cx| {
            cx.set_sshd("KbdInteractiveAuthentication", "no");
            Ok(())
        })
    }
}

/// Tells whether every login needs something that is no answer to a question.
fn needs_key(config: &SshdConfig) -> bool {
    let has_key = |list: &String| {
        list.split(',').any(|method| matches!(method, "publickey" | "hostbased" | "gssapi-with-mic"))
    };
    let settings = config.reachable("AuthenticationMethods", None);
    settings.iter().all(|setting| setting.arguments.iter().all(has_key))
}

/// Tells which modules of PAM answer for sshd; none when only another proof than a password opens.
fn answering_modules(cx: &Context<'_>, config: &SshdConfig) -> Result<Option<String>, CheckError> {
    let named = config.global("PAMServiceName").text();
    let service = if named.is_empty() { "sshd" } else { named.as_str() };
    let items = pam::stack(cx, service, Kind::Auth)?;
    if items.is_empty() {
        return Ok(Some("PAM has no rules for sshd".to_owned()));
    }
    if pam::opens_without_proof(&items) {
        return Ok(Some("PAM lets everybody in".to_owned()));
    }
    let open = pam::open_by(&items);
    let answering: Vec<&str> = open
        .iter()
        .filter(|entry| pam::nature(&entry.module) != Nature::Proof)
        .map(|entry| entry.module.as_str())
        .collect();
    Ok(if answering.is_empty() {
        None
    } else {
        Some(format!("{} of PAM takes a password", answering.join(", ")))
    })
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
        let fixture =
            Fixture::with_sshd("UsePAM yes\nSkeyAuthentication yes\nKbdInteractiveAuthentication no\n");
        assert_eq!(fixture.paths("SSH-002"), ["/etc/ssh/sshd_config"]);
        fixture.harden_twice();
        assert!(fixture.is_pass("SSH-002"));
    }

    #[test]
    fn only_what_a_password_answers_is_found() {
        let image = |config: &str, stack: &str| {
            Fixture::with_sshd(&format!("UsePAM yes\n{config}")).file("/etc/pam.d/sshd", stack)
        };
        let password = "auth required pam_unix.so\n";
        let findings = image("", password).findings("SSH-002");
        assert!(findings[0].contains("pam_unix.so of PAM takes a password"), "{findings:?}");
        assert!(image("", "auth required pam_google_authenticator.so\n").is_pass("SSH-002"));
        assert!(image("AuthenticationMethods publickey,keyboard-interactive\n", password).is_pass("SSH-002"));
        assert!(!image("AuthenticationMethods keyboard-interactive\n", password).is_pass("SSH-002"));
        assert!(Fixture::with_sshd("UsePAM no\n").is_pass("SSH-002"));
    }
}
