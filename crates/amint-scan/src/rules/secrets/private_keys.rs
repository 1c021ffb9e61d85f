use std::path::{Path, PathBuf};

use amint_disk::tree::{WalkLimits, WalkStep};
use amint_types::Severity;
use amint_types::report::Finding;

use super::{left_out, removal, report_all};
use crate::{CheckError, Context, RecipeChange, Rule, RuleMeta, Severities, Verdict};

/// No private keys in files.
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

/// The key that Debian's `ssl-cert` makes when it is installed, and how services name it or its certificate.
const SNAKE_OIL: &str = "/etc/ssl/private/ssl-cert-snakeoil.key";
const SNAKE_OIL_NAME: &str = "ssl-cert-snakeoil";
/// Where services are configured that use certificates.
const SERVICES: [&str; 11] = [
    "/etc/apache2/sites-enabled",
    "/etc/courier",
    "/etc/cups",
    "/etc/dovecot",
    "/etc/exim4",
    "/etc/haproxy",
    "/etc/lighttpd/conf-enabled",
    "/etc/mysql",
    "/etc/nginx/sites-enabled",
    "/etc/postfix",
    "/etc/postgresql",
];
/// Where host keys lie, which have a rule of their own.
const HOST_KEYS: [&str; 3] = ["/etc/dropbear", "/etc/ssh", "/var/lib/dropbear"];

impl Rule for PrivateKeys {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        // Host keys and users' ssh keys have rules of their own.
        let mut elsewhere: Vec<PathBuf> = HOST_KEYS.iter().map(PathBuf::from).collect();
        elsewhere.extend(cx.homes()?.iter().map(|home| home.join(".ssh")));
        let is_elsewhere =
            |path: &str| elsewhere.iter().any(|folder| Path::new(path).parent() == Some(folder.as_path()));
        let Some(mut findings) = report_all(&*cx.secrets()?, META.id, |found| !is_elsewhere(&found.path))
        else {
            return Ok(Verdict::NotApplicable(left_out()));
        };
        for finding in findings.iter_mut().filter(|finding| finding.evidence.path == SNAKE_OIL) {
            if uses_snake_oil(cx)? {
                finding.message.push_str(", which a service of the image uses");
            } else {
                finding.severity = finding.severity.min(Some(Severity::High));
            }
        }
        Ok(findings.into())
    }

    fn recipe_change(&self, finding: &Finding) -> Option<RecipeChange> {
        removal(finding)
    }
}

/// Tells whether the configuration of some service names the snake-oil key.
fn uses_snake_oil(cx: &Context<'_>) -> Result<bool, CheckError> {
    for folder in SERVICES {
        if !cx.metadata(folder)?.is_some_and(|metadata| metadata.is_dir()) {
            continue;
        }
        let mut files = Vec::new();
        cx.tree().walk(Path::new(folder), WalkLimits::default(), &mut |entry| {
            if !entry.metadata.is_dir() {
                files.push(entry.path.clone());
            }
            WalkStep::Continue
        })?;
        for path in files {
            if !cx.metadata_following(&path)?.is_some_and(|metadata| metadata.is_file()) {
                continue;
            }
            let text = cx.text(&path)?.unwrap_or_default();
            let names_it = |line: &str| line.contains(SNAKE_OIL_NAME) && !line.trim_start().starts_with('#');
            if text.lines().any(names_it) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use amint_types::Severity;

    use crate::Verdict;
    use crate::testing::Fixture;

    /// A key that belongs to nobody: an elliptic one of RFC 5958 whose number is made of a pattern.
    fn der() -> Vec<u8> {
        let number: Vec<u8> = (0..32_u8).map(|at| at.wrapping_mul(97).wrapping_add(41)).collect();
        let mut inner = vec![0x30, 0x25, 0x02, 0x01, 0x01, 0x04, 0x20];
        inner.extend(number);
        let algorithm = [
            0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A, 0x86, 0x48,
            0xCE, 0x3D, 0x03, 0x01, 0x07,
        ];
        let mut body = vec![0x02, 0x01, 0x00];
        body.extend(algorithm);
        body.extend([0x04, u8::try_from(inner.len()).unwrap()]);
        body.extend(inner);
        let mut key = vec![0x30, u8::try_from(body.len()).unwrap()];
        key.extend(body);
        key
    }

    fn pem() -> String {
        let label = "PRIVATE KEY";
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der()))
    }

    #[test]
    fn keys_are_found_where_they_stand_and_ssh_keys_left_to_their_rules() {
        let key = pem();
        let fixture = Fixture::new()
            .file("/opt/app/tls.pem", &key)
            .file("/opt/app/config.json", &format!("{{\n\"key\": \"{}\"}}", key.trim().replace('\n', "\\n")))
            .file("/srv/deploy/.ssh/id_ed25519", &key)
            .file("/etc/ssh/ssh_host_rsa_key", &key)
            .file("/root/.ssh/id_rsa", &key)
            .file(
                "/opt/app/public.pem",
                "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n",
            );
        assert_eq!(
            fixture.paths("SEC-003"),
            ["/opt/app/config.json", "/opt/app/tls.pem", "/srv/deploy/.ssh/id_ed25519"]
        );
    }

    #[test]
    fn a_binary_key_is_found() {
        let fixture = Fixture::new().dir("/opt");
        std::fs::write(fixture.host("/opt/server.der"), der()).unwrap();
        assert_eq!(fixture.paths("SEC-003"), ["/opt/server.der"]);
    }

    #[test]
    fn the_snake_oil_key_weighs_more_when_a_service_uses_it() {
        let severity = |fixture: &Fixture| match fixture.check("SEC-003") {
            Verdict::Fail(findings) => findings[0].severity,
            other => panic!("{other:?}"),
        };
        let fixture = Fixture::new()
            .file(super::SNAKE_OIL, &pem())
            .file("/etc/postfix/main.cf", "# smtpd_tls_key_file=/etc/ssl/private/ssl-cert-snakeoil.key\n");
        assert_eq!(severity(&fixture), Some(Severity::High));
        let fixture = fixture
            .file("/etc/postfix/main.cf", "smtpd_tls_key_file=/etc/ssl/private/ssl-cert-snakeoil.key\n");
        assert_eq!(severity(&fixture), Some(Severity::Critical));
    }
}
