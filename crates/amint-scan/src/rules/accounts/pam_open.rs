use amint_types::Severity;
use amint_types::report::Finding;

use crate::facts::pam::{self, Entry, Item, Kind, Nature};
use crate::rule::finding_at;
use crate::{CheckError, Context, Rule, RuleMeta, Severities, Verdict};

/// PAM lets nobody in without proof.
pub(in crate::rules) struct PamOpen;

static META: RuleMeta = RuleMeta {
    id: "ACC-010",
    title: "PAM lets nobody in without proof",
    requirements: &["A2", "B6", "MP-G4", "MP-G7", "CIS-5.3"],
    rationale: "The order of a service's modules decides who gets in: one line that says yes too early opens the service \
                to everybody, and a program called at login sees every password or answers for one.",
    remedy: "Take `pam_permit` and what else proves nothing out of the way of the module that asks for proof, and remove \
             calls of unknown programs.",
    severities: Severities::public(Severity::Critical, Some(Severity::High)),
};

/// Services through which people come in or rise.
const SERVICES: [&str; 20] = [
    "common-auth",
    "cockpit",
    "dovecot",
    "gdm-password",
    "lightdm",
    "login",
    "other",
    "password-auth",
    "polkit-1",
    "remote",
    "sddm",
    "sshd",
    "su",
    "su-l",
    "sudo",
    "sudo-i",
    "system-auth",
    "system-login",
    "vsftpd",
    "xrdp-sesman",
];

impl Rule for PamOpen {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let mut findings = Vec::new();
        let mut is_used = false;
        for service in SERVICES {
            let items = pam::stack(cx, service, Kind::Auth)?;
            is_used |= !items.is_empty();
            judge(service, &items, &mut findings);
        }
        if !is_used {
            return Ok(Verdict::NotApplicable("PAM is not set up".to_owned()));
        }
        Ok(findings.into())
    }
}

fn judge(service: &str, items: &[Item], findings: &mut Vec<Finding>) {
    let entries: Vec<&Entry> = items.iter().flat_map(Item::entries).collect();
    for entry in &entries {
        if pam::nature(&entry.module) == Nature::Program {
            let message = format!("{} calls a program at login", entry.module);
            push(findings, entry, &message);
        }
    }
    // A whole file to include, such as common-auth, is judged with those that include it as well.
    let is_part = matches!(service, "system-login" | "password-auth" | "system-auth" | "common-auth");
    if !pam::opens_without_proof(items) {
        return;
    }
    let says_yes = |entry: &&&Entry| matches!(pam::nature(&entry.module), Nature::Permits | Nature::Depends);
    let Some(culprit) = entries.iter().find(says_yes).or(entries.first()) else { return };
    let who = if is_part { "every service that includes it" } else { service };
    push(findings, culprit, &format!("{who} lets everybody in without proof"));
}

fn push(findings: &mut Vec<Finding>, entry: &Entry, message: &str) {
    findings.push(finding_at(message, &entry.path, entry.line, &entry.text));
}

#[cfg(test)]
mod tests {
    use crate::Verdict;
    use crate::testing::Fixture;

    const COMMON: &str = "auth [success=1 default=ignore] pam_unix.so nullok\nauth requisite pam_deny.so\n\
                          auth required pam_permit.so\n";

    fn image(sshd: &str) -> Fixture {
        Fixture::new()
            .file("/etc/pam.d/common-auth", COMMON)
            .file("/etc/pam.d/other", "@include common-auth\n")
            .file("/etc/pam.d/su", "auth sufficient pam_rootok.so\n@include common-auth\n")
            .file("/etc/pam.d/sshd", sshd)
    }

    #[test]
    fn the_stacks_of_debian_pass() {
        assert!(image("@include common-auth\naccount required pam_nologin.so\n").is_pass("ACC-010"));
        assert!(matches!(Fixture::new().check("ACC-010"), Verdict::NotApplicable(_)));
    }

    #[test]
    fn a_permit_before_the_password_and_a_program_are_found() {
        assert_eq!(
            image("auth sufficient pam_permit.so\n@include common-auth\n").findings("ACC-010"),
            ["/etc/pam.d/sshd:1 sshd lets everybody in without proof"]
        );
        assert_eq!(
            image("auth optional pam_exec.so expose_authtok /opt/x\n@include common-auth\n")
                .findings("ACC-010"),
            ["/etc/pam.d/sshd:1 pam_exec.so calls a program at login"]
        );
    }
}
