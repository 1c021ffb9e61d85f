use std::path::{Path, PathBuf};

use amint_types::Severity;

use crate::rule::finding;
use crate::{CheckError, Context, Fix, Rule, RuleMeta, Severities, Verdict, glob};

/// Files that decide who is who belong to root alone.
pub(in crate::rules) struct Permissions;

static META: RuleMeta = RuleMeta {
    id: "FS-003",
    title: "account, sudo, cron and ssh files have safe modes and owners",
    requirements: &["A2", "B6", "CIS-7.1"],
    rationale: "Who can write these files is root; who can read the shadow files has the hashes.",
    remedy: "Give the file to root and take the extra bits away with chmod.",
    severities: Severities {
        marketplace: Some(Severity::High),
        shared_linux: Some(Severity::Medium),
        hardened: Some(Severity::High),
        hardened_level_2: None,
        private: Some(Severity::Medium),
    },
};

/// Paths or patterns, and the most that their modes may allow.
const TABLE: [(&str, u32); 26] = [
    ("/boot/grub/grub.cfg", 0o600),
    ("/boot/grub2/grub.cfg", 0o600),
    ("/etc/cron.d", 0o755),
    ("/etc/cron.daily", 0o755),
    ("/etc/cron.hourly", 0o755),
    ("/etc/cron.monthly", 0o755),
    ("/etc/cron.weekly", 0o755),
    ("/etc/crontab", 0o644),
    ("/etc/group", 0o644),
    ("/etc/group-", 0o644),
    ("/etc/gshadow", 0o640),
    ("/etc/gshadow-", 0o640),
    ("/etc/hosts.equiv", 0o600),
    ("/etc/passwd", 0o644),
    ("/etc/passwd-", 0o644),
    ("/etc/security/opasswd", 0o600),
    ("/etc/shadow", 0o640),
    ("/etc/shadow-", 0o640),
    ("/etc/ssh", 0o755),
    ("/etc/ssh/sshd_config", 0o644),
    ("/etc/ssh/sshd_config.d", 0o755),
    ("/etc/ssh/sshd_config.d/*", 0o644),
    ("/etc/sudoers", 0o440),
    ("/etc/sudoers.d", 0o755),
    ("/etc/sudoers.d/*", 0o440),
    // Red Hat and its like ship 0550: the group is root too.
    ("/root", 0o750),
];

impl Rule for Permissions {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let mut findings = Vec::new();
        for (path, most) in present(cx)? {
            let Some(metadata) = cx.metadata(&path)? else { continue };
            if metadata.mode & !most != 0 {
                findings
                    .push(finding(format!("mode {:04o}, wanted at most {most:04o}", metadata.mode), &path));
            }
            if metadata.uid != 0 {
                findings.push(finding(format!("belongs to user {}, wanted root", metadata.uid), &path));
            }
        }
        Ok(findings.into())
    }

    fn fix(&self) -> Option<Fix> {
        Some(|cx| {
            for (path, most) in present(&cx.look())? {
                let Some(metadata) = cx.look().metadata(&path)? else { continue };
                if metadata.uid != 0 {
                    cx.chown(&path, 0, metadata.gid)?;
                }
                cx.chmod(&path, metadata.mode & most)?;
            }
            Ok(())
        })
    }
}

/// Lists what is there; links are left out, because their modes mean nothing.
fn present(cx: &Context<'_>) -> Result<Vec<(PathBuf, u32)>, CheckError> {
    let mut found = Vec::new();
    for (pattern, most) in TABLE {
        let paths =
            if pattern.contains('*') { glob::expand(cx, pattern)? } else { vec![PathBuf::from(pattern)] };
        for path in paths {
            let is_folder_wanted = most & 0o100 != 0;
            let is_kind = |path: &Path| {
                cx.metadata(path).map(|metadata| {
                    metadata.is_some_and(|metadata| {
                        if is_folder_wanted { metadata.is_dir() } else { metadata.is_file() }
                    })
                })
            };
            if is_kind(&path)? {
                found.push((path, most));
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn extra_bits_are_found_and_taken_away() {
        let fixture = Fixture::new()
            .file("/etc/passwd", "root:x:0:0::/root:/bin/sh\n")
            .mode("/etc/passwd", 0o666)
            .file("/etc/shadow", "root:!*:1::::::\n")
            .mode("/etc/shadow", 0o600)
            .file("/etc/sudoers.d/x", "")
            .mode("/etc/sudoers.d/x", 0o644)
            .dir("/root")
            .mode("/root", 0o755);
        if std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(fixture.host("/etc")).unwrap()) != 0 {
            eprintln!("SKIPPED: only root can make files of root");
            return;
        }
        assert_eq!(
            fixture.findings("FS-003"),
            [
                "/etc/passwd mode 0666, wanted at most 0644",
                "/etc/sudoers.d/x mode 0644, wanted at most 0440",
                "/root mode 0755, wanted at most 0750"
            ]
        );
        fixture.harden_twice();
        assert!(fixture.is_pass("FS-003"));
    }
}
