use std::path::{Path, PathBuf};

use amint_disk::tree::Metadata;
use amint_types::Severity;
use amint_types::report::Finding;

use super::wanted::NO_SERVER;
use crate::rule::finding;
use crate::{CheckError, Context, Fix, Rule, RuleMeta, Severities, Verdict};

/// Only root changes what sshd reads.
pub(in crate::rules) struct Rights;

static META: RuleMeta = RuleMeta {
    id: "SSH-013",
    title: "only root may change what sshd reads",
    requirements: &["B6", "CIS-5.1"],
    rationale: "Whoever may write to sshd's configuration decides who logs in, and whoever may write to the folders of \
                keys adds one of their own.",
    remedy: "Give /etc/ssh and all that it holds to root, with no right to write for anybody else, and close `.ssh` of \
             every home to others.",
    severities: Severities::hardened(Severity::Medium),
};

const FOLDERS: [&str; 4] =
    ["/etc/ssh", "/etc/ssh/sshd_config.d", "/etc/ssh/authorized_keys.d", "/etc/ssh/authorized_keys"];
const WRITE: u32 = 0o022;

impl Rule for Rights {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        if cx.sshd()?.is_none() {
            return Ok(Verdict::NotApplicable(NO_SERVER.to_owned()));
        }
        let mut findings = Vec::new();
        for path in paths(cx)? {
            judge(cx, &path, &mut findings)?;
        }
        for user in &cx.accounts()?.users {
            for path in [PathBuf::from(&user.home), Path::new(&user.home).join(".ssh")] {
                if !user.has_login_shell() || path.parent().is_none() {
                    continue;
                }
                let Some(metadata) = cx.metadata_following(&path)?.filter(Metadata::is_dir) else {
                    continue;
                };
                if metadata.mode & WRITE != 0 {
                    let message = format!("others may write to it, and sshd refuses {}'s keys", user.name);
                    findings.push(finding(message, &path));
                }
            }
        }
        Ok(findings.into())
    }

    fn fix(&self) -> Option<Fix> {
        Some(|cx| {
            let look = cx.look();
            if look.sshd()?.is_none() {
                return Ok(());
            }
            let owner = look.metadata("/")?.map(|root| (root.uid, root.gid)).unwrap_or_default();
            for path in paths(&look)? {
                let Some(metadata) = look.metadata(&path)?.filter(|metadata| !metadata.is_link()) else {
                    continue;
                };
                if metadata.uid != 0 && metadata.uid != owner.0 {
                    cx.chown(&path, owner.0, owner.1)?;
                }
                if metadata.mode & WRITE != 0 {
                    cx.chmod(&path, metadata.mode & !WRITE)?;
                }
            }
            Ok(())
        })
    }
}

fn judge(cx: &Context<'_>, path: &Path, findings: &mut Vec<Finding>) -> Result<(), CheckError> {
    let Some(metadata) = cx.metadata_following(path)? else { return Ok(()) };
    let root = cx.metadata("/")?.map(|root| root.uid).unwrap_or_default();
    if metadata.uid != 0 && metadata.uid != root {
        findings.push(finding(format!("belongs to user {}, not to root", metadata.uid), path));
    }
    if metadata.mode & WRITE != 0 {
        findings.push(finding(format!("others may write to it: its mode is {:04o}", metadata.mode), path));
    }
    Ok(())
}

/// Lists the folders, what they hold, and every other file that the configuration comes from.
fn paths(cx: &Context<'_>) -> Result<Vec<PathBuf>, CheckError> {
    let mut found = Vec::new();
    for folder in FOLDERS {
        if cx.exists(folder)? {
            found.push(PathBuf::from(folder));
        }
        for entry in cx.list(folder)? {
            found.push(Path::new(folder).join(entry.name));
        }
    }
    found.push(PathBuf::from("/run/sshd"));
    if let Some(config) = cx.sshd()? {
        found.push(config.main().to_owned());
        found.extend(config.directives().iter().map(|directive| directive.place.path.clone()));
    }
    found.sort();
    found.dedup();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn what_others_may_write_is_found_and_closed() {
        let fixture = Fixture::with_sshd("Include /srv/ssh/*.conf\n")
            .file("/srv/ssh/x.conf", "Port 22\n")
            .mode("/srv/ssh/x.conf", 0o664)
            .file("/etc/ssh/moduli", "")
            .mode("/etc/ssh/moduli", 0o646)
            .mode("/etc/ssh", 0o755)
            .mode("/etc/ssh/sshd_config", 0o600);
        assert_eq!(fixture.paths("SSH-013"), ["/etc/ssh/moduli", "/srv/ssh/x.conf"]);
        fixture.harden_twice();
        assert!(fixture.is_pass("SSH-013"));
    }

    #[test]
    fn homes_that_others_may_write_to_keep_their_owner_out() {
        let fixture = Fixture::with_sshd("")
            .mode("/etc/ssh", 0o755)
            .mode("/etc/ssh/sshd_config", 0o644)
            .file("/etc/passwd", "joe:x:1000:1000::/home/joe:/bin/sh\nsvc:x:9:9::/tmp:/usr/sbin/nologin\n")
            .dir("/tmp")
            .mode("/tmp", 0o777)
            .dir("/home/joe/.ssh")
            .mode("/home/joe", 0o755)
            .mode("/home/joe/.ssh", 0o770);
        assert_eq!(fixture.paths("SSH-013"), ["/home/joe/.ssh"]);
    }
}
