use std::path::Path;

use amint_types::Severity;

use crate::facts::pam::{self, Item, Kind};
use crate::rule::{finding, finding_at};
use crate::{CheckError, Context, Rule, RuleMeta, Severities, Verdict};

/// Passwords are hard to guess and kept well.
pub(in crate::rules) struct PamStrength;

static META: RuleMeta = RuleMeta {
    id: "ACC-017",
    title: "PAM slows guessing, asks for good passwords and keeps them well",
    requirements: &["B6", "CIS-5.3"],
    rationale: "Accounts of an image have no passwords, but its owners may set some: then guessing must be stopped, bad \
                words refused, and hashes made in a form that is slow to crack.",
    remedy: "Use pam_faillock in auth, pam_pwquality or pam_passwdqc in password, and `yescrypt` or `sha512` with \
             pam_unix.",
    severities: Severities::hardened(Severity::Low),
};

const SERVICES: [(&str, &str); 3] =
    [("common-auth", "common-password"), ("password-auth", "password-auth"), ("login", "passwd")];
const GUARDS: [&str; 4] = ["pam_faillock", "pam_tally2", "pam_tally", "pam_abl"];
const JUDGES: [&str; 3] = ["pam_pwquality", "pam_passwdqc", "pam_cracklib"];
const STRONG: [&str; 4] = ["yescrypt", "gost_yescrypt", "sha512", "blowfish"];
const WEAK: [&str; 3] = ["md5", "bigcrypt", "sha256"];

impl Rule for PamStrength {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        for (auth, password) in SERVICES {
            let auth_path = format!("/etc/pam.d/{auth}");
            if cx.exists(&auth_path)? {
                return judge(cx, auth, password, Path::new(&auth_path));
            }
        }
        Ok(Verdict::NotApplicable("PAM is not set up".to_owned()))
    }
}

fn judge(cx: &Context<'_>, auth: &str, password: &str, auth_path: &Path) -> Result<Verdict, CheckError> {
    let mut findings = Vec::new();
    let auth = pam::stack(cx, auth, Kind::Auth)?;
    let password_path = format!("/etc/pam.d/{password}");
    let password = pam::stack(cx, password, Kind::Password)?;
    let has = |items: &[Item], modules: &[&str]| {
        let mut entries = items.iter().flat_map(Item::entries);
        entries.any(|entry| modules.iter().any(|module| entry.module.contains(module)))
    };
    if !has(&auth, &GUARDS) {
        findings.push(finding("nothing counts failed tries", auth_path));
    }
    if !has(&password, &JUDGES) {
        findings.push(finding("nothing judges new passwords", Path::new(&password_path)));
    }
    for entry in password.iter().flat_map(Item::entries) {
        let says = |words: &[&str]| entry.arguments.iter().any(|word| words.contains(&word.as_str()));
        if entry.module.contains("pam_unix") && (says(&WEAK) || !says(&STRONG)) {
            let message = "passwords are not kept as yescrypt or sha512";
            findings.push(finding_at(message, &entry.path, entry.line, &entry.text));
        }
    }
    Ok(findings.into())
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn what_is_missing_or_weak_is_found() {
        let fixture = Fixture::new()
            .file("/etc/pam.d/common-auth", "auth required pam_unix.so\n")
            .file("/etc/pam.d/common-password", "password required pam_unix.so md5\n");
        assert_eq!(fixture.findings("ACC-017").len(), 3);
        let fixture = fixture
            .file(
                "/etc/pam.d/common-auth",
                "auth required pam_faillock.so preauth\nauth required pam_unix.so\n",
            )
            .file(
                "/etc/pam.d/common-password",
                "password requisite pam_pwquality.so\npassword required pam_unix.so yescrypt\n",
            );
        assert!(fixture.is_pass("ACC-017"));
    }
}
