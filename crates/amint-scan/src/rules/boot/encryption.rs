use std::path::Path;

use amint_types::Severity;

use crate::rule::{finding, finding_at};
use crate::{CheckError, Context, Rule, RuleMeta, Severities, Verdict};

/// Nothing in the image is encrypted by the image itself.
pub(in crate::rules) struct Encryption;

static META: RuleMeta = RuleMeta {
    id: "FS-005",
    title: "no file system or folder is encrypted by the image itself",
    requirements: &["A6", "MP-A6"],
    rationale: "Marketplace takes unencrypted snapshots only: its scan has to read everything. A key that an image has \
                with it protects nothing, and one that it has not stops the boot.",
    remedy: "Remove the encryption, and let EBS encrypt the volume of an instance.",
    severities: Severities {
        marketplace: Some(Severity::Critical),
        shared_linux: Some(Severity::Medium),
        ..Severities::NONE
    },
};

const CRYPTTAB: &str = "/etc/crypttab";
/// Folders that kinds of encryption leave at the root of what they encrypt.
const TRACES: [(&str, &str); 3] = [
    ("/.fscrypt", "fscrypt encrypts folders"),
    ("/home/.ecryptfs", "eCryptfs encrypts homes"),
    ("/etc/zfs/keys", "keys of encrypted ZFS file systems lie here"),
];

impl Rule for Encryption {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let mut findings = Vec::new();
        for (number, line) in (1_u32..).zip(cx.text(CRYPTTAB)?.unwrap_or_default().lines()) {
            let mut fields = line.split_whitespace();
            let Some(name) = fields.next().filter(|name| !name.starts_with('#')) else { continue };
            let key = fields.nth(1).unwrap_or_default();
            // Swap with a new key at each boot keeps nothing (crypttab(5)).
            if matches!(key, "/dev/random" | "/dev/urandom") {
                continue;
            }
            findings.push(finding_at(
                format!("{name} is an encrypted device"),
                Path::new(CRYPTTAB),
                number,
                line,
            ));
        }
        for (path, what) in TRACES {
            if cx.exists(path)? {
                findings.push(finding(what, Path::new(path)));
            }
        }
        Ok(findings.into())
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn encrypted_devices_and_folders_are_found() {
        let fixture = Fixture::new()
            .file(
                "/etc/crypttab",
                "# name device key\ndata UUID=1 none luks\nswap /dev/x /dev/urandom swap\n",
            )
            .dir("/.fscrypt");
        assert_eq!(
            fixture.findings("FS-005"),
            ["/.fscrypt fscrypt encrypts folders", "/etc/crypttab:2 data is an encrypted device"]
        );
        assert!(Fixture::new().file("/etc/crypttab", "").is_pass("FS-005"));
    }
}
