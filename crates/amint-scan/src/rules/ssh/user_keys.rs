use std::path::{Path, PathBuf};

use amint_types::Severity;

use crate::rule::finding;
use crate::{CheckError, Context, Fix, Rule, RuleMeta, Severities, Verdict};

/// Nobody's private ssh key travels with the image.
pub(in crate::rules) struct UserKeys;

static META: RuleMeta = RuleMeta {
    id: "SSH-009",
    title: "no private ssh keys of users are in the image",
    requirements: &["A2", "A11", "MP-G5", "SHARED-7"],
    rationale: "A private key left in somebody's `.ssh` opens whatever trusts it to everyone who has the image.",
    remedy: "Remove the keys from the image, and take them out of every list that trusts them: they were copied.",
    severities: Severities::public(Severity::Critical, Some(Severity::Critical)),
};

impl Rule for UserKeys {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let keys = private_keys(cx)?;
        Ok(keys.iter().map(|path| finding("a private ssh key", path)).collect::<Vec<_>>().into())
    }

    fn fix(&self) -> Option<Fix> {
        Some(|cx| {
            for path in private_keys(&cx.look())? {
                cx.remove(&path)?;
                let mut public = path.into_os_string();
                public.push(".pub");
                cx.remove(PathBuf::from(public))?;
            }
            Ok(())
        })
    }
}

fn private_keys(cx: &Context<'_>) -> Result<Vec<PathBuf>, CheckError> {
    let mut found = Vec::new();
    let homes = cx.homes()?.iter();
    // Keys of AWS are downloaded to the home itself, and backups take the whole folder along.
    let folders = homes
        .flat_map(|home| [home.join(".ssh"), home.join(".ssh.bak"), home.join(".ssh/keys"), home.clone()]);
    for folder in folders {
        let is_home = !folder.to_string_lossy().contains("/.ssh");
        for entry in cx.list(&folder)? {
            let path = folder.join(&entry.name);
            let name = entry.name.to_string_lossy();
            let is_likely =
                Path::new(&entry.name).extension().is_some_and(|ending| ending == "pem" || ending == "ppk");
            if is_home && !is_likely && !name.starts_with("id_") {
                continue;
            }
            let is_small_file = cx
                .metadata_following(&path)?
                .is_some_and(|metadata| metadata.is_file() && metadata.bytes < 1 << 20);
            if !is_small_file {
                continue;
            }
            let is_named_so = !is_home && name.starts_with("id_") && !name.ends_with(".pub");
            let text = cx.text(&path)?.unwrap_or_default();
            let is_key =
                text.lines().any(|line| line.starts_with("-----BEGIN ") && line.contains("PRIVATE KEY"));
            if is_named_so || is_key || text.starts_with("PuTTY-User-Key-File-") {
                found.push(path);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn keys_are_found_by_name_and_by_content_and_removed_with_their_public_half() {
        let fixture = Fixture::new()
            .file("/root/.ssh/id_ed25519", "x")
            .file("/root/.ssh/id_ed25519.pub", "x")
            .file("/home/joe/.ssh/deploy", &format!("-----BEGIN RSA {}-----\n", "PRIVATE KEY"))
            .file("/home/joe/cert.pem", "-----BEGIN CERTIFICATE-----\n")
            .file("/home/joe/.ssh/config", "Host *\n");
        assert_eq!(fixture.paths("SSH-009"), ["/home/joe/.ssh/deploy", "/root/.ssh/id_ed25519"]);
        fixture.harden_twice();
        assert!(fixture.is_pass("SSH-009") && !fixture.has("/root/.ssh/id_ed25519.pub"));
        assert!(fixture.has("/home/joe/.ssh/config"));
    }
}
