use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use amint_types::Severity;

use crate::rule::finding;
use crate::{CheckError, Context, Fix, Rule, RuleMeta, Severities, Verdict};

/// No host keys in the image.
pub(in crate::rules) struct HostKeys;

static META: RuleMeta = RuleMeta {
    id: "SSH-006",
    title: "no ssh host keys are in the image",
    requirements: &["A2", "A11", "MP-G5", "SHARED-4"],
    rationale: "Whoever has the image has its host keys and can pose as every instance started from it. AWS looks for \
                them in public images and withdraws those that keep them.",
    remedy: "Delete host keys with their public halves and copies, and let each instance make its own at first boot.",
    severities: Severities::public(Severity::Critical, Some(Severity::High)),
};

impl Rule for HostKeys {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let found = host_keys(cx)?;
        Ok(found.iter().map(|path| finding("an ssh host key", path)).collect::<Vec<_>>().into())
    }

    fn fix(&self) -> Option<Fix> {
        Some(|cx| {
            let found = host_keys(&cx.look())?;
            found.iter().try_for_each(|path| cx.remove(path))
        })
    }
}

/// Lists host keys, public halves and copies, wherever sshd or dropbear keep them.
fn host_keys(cx: &Context<'_>) -> Result<Vec<PathBuf>, CheckError> {
    let mut found = BTreeSet::new();
    if let Some(config) = cx.sshd()? {
        for setting in config.all("HostKey").iter().chain(&config.all("HostCertificate")) {
            for path in setting.arguments.iter().filter(|path| path.starts_with('/')) {
                found.insert(PathBuf::from(path));
                found.insert(PathBuf::from(format!("{path}.pub")));
            }
        }
    }
    for (folder, marker) in
        [("/etc/ssh", "ssh_host_"), ("/etc/dropbear", "_host_key"), ("/var/lib/dropbear", "_host_key")]
    {
        for entry in cx.list(folder)? {
            let path = Path::new(folder).join(&entry.name);
            if entry.name.to_string_lossy().contains(marker) || is_private_key(cx, &path)? {
                found.insert(path);
            }
        }
    }
    let mut present = Vec::new();
    for path in found {
        // A link may lead to a key elsewhere, and a folder of that name is no key.
        if cx.metadata(&path)?.is_some_and(|metadata| !metadata.is_dir()) {
            present.push(path);
        }
    }
    Ok(present)
}

fn is_private_key(cx: &Context<'_>, path: &Path) -> Result<bool, CheckError> {
    if !cx.metadata(path)?.is_some_and(|metadata| metadata.is_file() && metadata.bytes < 64 << 10) {
        return Ok(false);
    }
    let text = cx.text(path)?.unwrap_or_default();
    Ok(text.starts_with("-----BEGIN ")
        && text.lines().next().is_some_and(|line| line.contains("PRIVATE KEY")))
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn keys_copies_and_keys_at_unusual_places_are_found_and_removed() {
        let fixture = Fixture::with_sshd("HostKey /srv/keys/one\n")
            .file("/srv/keys/one", "k")
            .file("/srv/keys/one.pub", "k")
            .file("/etc/ssh/ssh_host_rsa_key", "k")
            .file("/etc/ssh/ssh_host_rsa_key.pub", "k")
            .file("/etc/ssh/ssh_host_ed25519_key.bak~", "k")
            .file("/etc/ssh/old", &format!("-----BEGIN OPENSSH {}-----\n", "PRIVATE KEY"))
            .file("/etc/ssh/moduli", "# PRIVATE KEY\n")
            .file("/etc/dropbear/dropbear_rsa_host_key", "k");
        assert_eq!(
            fixture.paths("SSH-006"),
            [
                "/etc/dropbear/dropbear_rsa_host_key",
                "/etc/ssh/old",
                "/etc/ssh/ssh_host_ed25519_key.bak~",
                "/etc/ssh/ssh_host_rsa_key",
                "/etc/ssh/ssh_host_rsa_key.pub",
                "/srv/keys/one",
                "/srv/keys/one.pub"
            ]
        );
        fixture.harden_twice();
        assert!(fixture.is_pass("SSH-006"));
        assert!(fixture.has("/etc/ssh/moduli"));
    }
}
