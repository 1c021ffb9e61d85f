use std::path::{Path, PathBuf};

use amint_disk::tree::{Metadata, WalkLimits, WalkStep};
use amint_types::Severity;

use super::weighed;
use crate::rule::finding;
use crate::{CheckError, Context, Fix, Rule, RuleMeta, Severities, Verdict};

/// The image has no past.
pub(in crate::rules) struct Logs;

static META: RuleMeta = RuleMeta {
    id: "SEC-006",
    title: "the logs are empty, and no answers of an installer are left",
    requirements: &["A2", "A11", "MP-G5"],
    rationale: "Logs of the build tell of the machine that made the image, and its times make every build another; on \
                an instance they are mistaken for its own past.",
    remedy: "Remove what an installer was told, empty the logs of services in place, and remove journals, rotated logs and the logs of package tools.",
    severities: Severities::public(Severity::Critical, Some(Severity::High)),
};

/// How bad a log without a secret is.
const HARMLESS: Severities = Severities::public(Severity::Medium, Some(Severity::Low));

const FOLDER: &str = "/var/log";
/// Logs that their programs make anew, so they are removed instead of emptied.
const REMADE: [&str; 12] = [
    "alternatives.log",
    "anaconda",
    "apt",
    "bootstrap.log",
    "cloud-init",
    "dnf",
    "dpkg.log",
    "fontconfig.log",
    "hawkey.log",
    "installer",
    "unattended-upgrades",
    "yum.log",
];

/// What installers were told, and what they wrote of it, with passwords of accounts among it.
const ANSWERS: [&str; 14] = [
    "/autoinst.xml",
    "/etc/cloud/cloud.cfg.d/99-installer.cfg",
    "/preseed.cfg",
    "/root/anaconda-ks.cfg",
    "/root/autoinst.xml",
    "/root/initial-setup-ks.cfg",
    "/root/install.log",
    "/root/install.log.syslog",
    "/root/ks-post.log",
    "/root/ks-pre.log",
    "/root/original-ks.cfg",
    "/root/preseed.cfg",
    "/var/adm/autoinstall/cache/installedSystem.xml",
    "/var/lib/preseed/log",
];

impl Rule for Logs {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let logs = logs(cx)?;
        let mut findings: Vec<_> = logs.iter().map(|(path, _)| finding("a log of the build", path)).collect();
        findings.extend(answers(cx)?.iter().map(|path| finding("what an installer was told", path)));
        Ok(weighed(cx, findings, HARMLESS)?.into())
    }

    fn fix(&self) -> Option<Fix> {
        Some(|cx| {
            for (path, metadata) in logs(&cx.look())? {
                // A file with a second name elsewhere must not lose its content there.
                let is_emptied = metadata.is_file() && metadata.nlink == 1 && !is_remade(&path);
                if metadata.is_dir() {
                    cx.remove_tree(&path)?;
                } else if is_emptied {
                    cx.truncate(&path)?;
                } else {
                    cx.remove(&path)?;
                }
            }
            answers(&cx.look())?.iter().try_for_each(|path| cx.remove(path))
        })
    }
}

/// Lists files with content, and the journal's folders; all other folders stay, because services need them.
fn logs(cx: &Context<'_>) -> Result<Vec<(PathBuf, Metadata)>, CheckError> {
    if !cx.metadata(FOLDER)?.is_some_and(|metadata| metadata.is_dir()) {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    cx.tree().walk(Path::new(FOLDER), WalkLimits::default(), &mut |entry| {
        let is_journal = entry.path.parent() == Some(Path::new("/var/log/journal"));
        if is_journal && entry.metadata.is_dir() {
            found.push((entry.path.clone(), entry.metadata));
            return WalkStep::Skip;
        }
        if entry.metadata.is_file() && entry.metadata.bytes > 0 {
            found.push((entry.path.clone(), entry.metadata));
        }
        WalkStep::Continue
    })?;
    Ok(found)
}

/// Lists the answers that are there.
fn answers(cx: &Context<'_>) -> Result<Vec<PathBuf>, CheckError> {
    let mut found = Vec::new();
    for path in ANSWERS {
        if cx.metadata(path)?.is_some_and(|metadata| metadata.is_file()) {
            found.push(PathBuf::from(path));
        }
    }
    Ok(found)
}

fn is_remade(path: &Path) -> bool {
    let below = path.strip_prefix(FOLDER).unwrap_or(path).to_string_lossy();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_rotated = name.split('.').any(|part| {
        matches!(part, "gz" | "xz" | "zst" | "bz2" | "old")
            || (!part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
    });
    is_rotated || name.ends_with(".journal") || REMADE.iter().any(|prefix| below.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;

    #[test]
    fn logs_are_emptied_or_removed_and_folders_stay() {
        let fixture = Fixture::new()
            .file("/var/log/nginx/access.log", "x")
            .file("/var/log/nginx/access.log.1", "x")
            .file("/var/log/wtmp", "x")
            .file("/var/log/dpkg.log", "x")
            .file("/var/log/apt/term.log", "x")
            .file("/var/log/btmp", "")
            .file("/var/log/journal/0123456789abcdef0123456789abcdef/system.journal", "x");
        assert_eq!(fixture.paths("SEC-006").len(), 6);
        fixture.harden_twice();
        assert!(fixture.is_pass("SEC-006"));
        assert_eq!(fixture.read("/var/log/nginx/access.log"), "");
        for kept in ["/var/log/wtmp", "/var/log/apt", "/var/log/journal", "/var/log/btmp"] {
            assert!(fixture.has(kept), "{kept}");
        }
        for gone in ["/var/log/nginx/access.log.1", "/var/log/dpkg.log", "/var/log/apt/term.log"] {
            assert!(!fixture.has(gone), "{gone}");
        }
    }

    #[test]
    fn a_log_that_is_a_second_name_of_another_file_does_not_empty_it() {
        let fixture = Fixture::new().file("/etc/passwd", "root:x:0:0::/root:/bin/sh\n").dir("/var/log");
        std::fs::hard_link(fixture.host("/etc/passwd"), fixture.host("/var/log/trick")).unwrap();
        fixture.harden_twice();
        assert_eq!(fixture.read("/etc/passwd"), "root:x:0:0::/root:/bin/sh\n");
        assert!(!fixture.has("/var/log/trick"));
    }

    #[test]
    fn answers_of_installers_go_and_a_secret_in_a_log_weighs_more() {
        let token = format!("glpat-{}", "Zx9Qv7Lm2Kp4Rt6Yw8Bn");
        let fixture = Fixture::new()
            .file("/root/anaconda-ks.cfg", "lang en_US\n")
            .file("/var/log/build.log", &format!("token {token}\n"))
            .file("/root/notes.cfg", "x");
        let Verdict::Fail(findings) = fixture.check("SEC-006") else { panic!("must fail") };
        let told: Vec<_> =
            findings.iter().map(|finding| (finding.evidence.path.as_str(), finding.severity)).collect();
        assert_eq!(told, [("/var/log/build.log", None), ("/root/anaconda-ks.cfg", Some(Severity::Medium))]);
        fixture.harden_twice();
        assert!(fixture.is_pass("SEC-006") && fixture.has("/root/notes.cfg"));
    }
}
