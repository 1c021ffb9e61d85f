use amint_types::Severity;

use super::report;
use crate::facts::sweep::{Hit, Kind};
use crate::{CheckError, Context, Rule, RuleMeta, Severities, Verdict};

/// No private keys in text files.
pub(in crate::rules) struct PrivateKeys;

static META: RuleMeta = RuleMeta {
    id: "SEC-003",
    title: "no private keys are in the image",
    requirements: &["A2", "A11", "A13", "MP-G5", "SHARED-7"],
    rationale: "A private key in an image is shared by all instances and known to everyone who has the image: no \
                certificate made with it protects anybody, and that includes the snake-oil key that a package makes.",
    remedy: "Remove the key, and let each instance make or fetch its own at first boot.",
    severities: Severities::public(Severity::Critical, Some(Severity::High)),
};

impl Rule for PrivateKeys {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        // Host keys and users' ssh keys have rules of their own.
        let is_ssh = |hit: &&Hit| {
            let path = hit.path.to_string_lossy();
            path.contains("/.ssh/") || path.starts_with("/etc/ssh/")
        };
        let hits = cx.sweep()?.of(&[Kind::PrivateKey]).filter(|hit| !is_ssh(hit));
        Ok(hits.map(|hit| report(hit, false)).collect::<Vec<_>>().into())
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn keys_are_found_where_they_stand_and_ssh_keys_left_to_their_rules() {
        let key = format!("-----BEGIN {}-----\n", "PRIVATE KEY");
        let fixture = Fixture::new()
            .file("/etc/ssl/private/ssl-cert-snakeoil.key", &key)
            .file("/opt/app/config.json", &format!("{{\n\"key\": \"{}\\n\"}}", key.trim()))
            .file("/etc/ssh/ssh_host_rsa_key", &key)
            .file("/root/.ssh/id_rsa", &key);
        assert_eq!(
            fixture.findings("SEC-003"),
            [
                "/etc/ssl/private/ssl-cert-snakeoil.key:1 a private key",
                "/opt/app/config.json:2 a private key"
            ]
        );
    }
}
