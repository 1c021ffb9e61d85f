use std::path::Path;

use amint_types::Severity;

use super::weighed;
use crate::rule::finding;
use crate::{CheckError, Context, Fix, Rule, RuleMeta, Severities, Verdict};

/// Nothing temporary, crashed or undelivered.
pub(in crate::rules) struct TemporaryFiles;

static META: RuleMeta = RuleMeta {
    id: "SEC-017",
    title: "no temporary files, crash dumps or mails are in the image",
    requirements: &["A2", "A11", "MP-G5"],
    rationale: "Build tools put scripts with credentials into /tmp, and a crash dump holds the memory of a program.",
    remedy: "Empty /tmp, /var/tmp, /var/crash, the core dumps and the mail spool.",
    severities: Severities::public(Severity::Critical, Some(Severity::High)),
};

/// How bad a left-over without a secret is.
const HARMLESS: Severities = Severities::public(Severity::Medium, Some(Severity::Low));

const FOLDERS: [&str; 12] = [
    "/tmp",
    "/var/crash",
    "/var/lib/apport/coredump",
    "/var/lib/systemd/coredump",
    "/var/mail",
    "/var/spool/abrt",
    "/var/spool/clientmqueue",
    "/var/spool/exim4/input",
    "/var/spool/mail",
    "/var/spool/mqueue",
    "/var/spool/postfix/maildrop",
    "/var/tmp",
];

impl Rule for TemporaryFiles {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let mut findings = Vec::new();
        for folder in FOLDERS {
            if !cx.metadata(folder)?.is_some_and(|metadata| metadata.is_dir()) {
                continue;
            }
            for entry in cx.list(folder)? {
                findings.push(finding("a left-over", &Path::new(folder).join(entry.name)));
            }
        }
        Ok(weighed(cx, findings, HARMLESS)?.into())
    }

    fn fix(&self) -> Option<Fix> {
        Some(|cx| {
            for folder in FOLDERS {
                let left: Vec<_> = match cx.look().metadata(folder)? {
                    Some(metadata) if metadata.is_dir() => cx.look().list(folder)?,
                    _ => continue,
                };
                for entry in left {
                    let path = Path::new(folder).join(&entry.name);
                    if cx.look().metadata(&path)?.is_some_and(|metadata| metadata.is_dir()) {
                        cx.remove_tree(&path)?;
                    } else {
                        cx.remove(&path)?;
                    }
                }
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use jiff::civil::date;

    use crate::Waiver;
    use crate::testing::Fixture;

    #[test]
    fn left_overs_go_and_the_folders_keep_their_modes() {
        let fixture = Fixture::new()
            .file("/tmp/script_123.sh", "x")
            .file("/tmp/deep/er/x", "x")
            .link("/etc", "/tmp/etc")
            .mode("/tmp", 0o1777)
            .file("/var/tmp/x", "x")
            .file("/etc/keep", "");
        assert_eq!(fixture.paths("SEC-017"), ["/tmp/deep", "/tmp/etc", "/tmp/script_123.sh", "/var/tmp/x"]);
        fixture.harden_twice();
        assert!(fixture.is_pass("SEC-017") && fixture.has("/etc/keep"));
        assert_eq!(std::fs::metadata(fixture.host("/tmp")).unwrap().mode() & 0o7777, 0o1777);
    }

    #[test]
    fn what_a_waiver_names_is_left_alone() {
        let mut fixture = Fixture::new().file("/var/tmp/keep", "x").file("/var/tmp/go", "x");
        fixture.request.waivers = vec![Waiver {
            rule: "SEC-017".into(),
            reason: "the product looks for it".into(),
            owner: "team".into(),
            until: date(2027, 1, 1),
            path: Some("/var/tmp/keep".into()),
            package: None,
            version: None,
        }];
        fixture.harden_twice();
        assert!(fixture.has("/var/tmp/keep") && !fixture.has("/var/tmp/go"));
        let report = fixture.scan();
        let result = report.rules.iter().find(|result| result.rule == "SEC-017").unwrap();
        assert_eq!(result.outcome.as_str(), "waived");
        assert!(report.unused_waivers.is_empty());
    }
}
