use std::path::{Path, PathBuf};

use amint_types::Severity;

use super::rewrite;
use crate::facts::accounts::{has_hash, records};
use crate::rule::{finding, finding_at};
use crate::{CheckError, Context, Fix, Rule, RuleMeta, Severities, Verdict};

/// No password is in the image, not even as a hash.
pub(in crate::rules) struct PasswordHashes;

static META: RuleMeta = RuleMeta {
    id: "ACC-002",
    title: "no password hashes are in the image",
    requirements: &["A2", "MP-G5", "MP-G4"],
    rationale: "A hash in the image is the same on every instance and can be cracked at leisure by everyone who has \
                the image; Marketplace counts hashed passwords as secrets. A lock in front of it does not hide it, and \
                copies of the files keep it.",
    remedy: "Lock the accounts without keeping their hashes, and remove the backups of the password files.",
    severities: Severities::public(Severity::Critical, Some(Severity::High)),
};

/// Files of `name:password:…` lines.
const FILES: [&str; 6] =
    ["/etc/passwd", "/etc/passwd-", "/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-"];
const OLD_PASSWORDS: &str = "/etc/security/opasswd";
const BACKUPS: &str = "/var/backups";

impl Rule for PasswordHashes {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let mut findings = Vec::new();
        let backups: Vec<String> =
            backups(cx)?.iter().map(|path| path.to_string_lossy().into_owned()).collect();
        for path in FILES.into_iter().chain(backups.iter().map(String::as_str)) {
            for (line, fields) in records(cx, path)? {
                let Some(field) = fields.get(1).filter(|field| has_hash(field)) else { continue };
                let message = format!("{} has a password hash", fields[0]);
                // The field's own words are masked here, because old hashes have no sign to know them by.
                let kind = field
                    .trim_start_matches('!')
                    .split('$')
                    .nth(1)
                    .map_or(String::new(), |kind| format!("${kind}$"));
                findings.push(finding_at(
                    message,
                    Path::new(path),
                    line,
                    &format!("{}:{kind}***", fields[0]),
                ));
            }
        }
        if cx.metadata(OLD_PASSWORDS)?.is_some_and(|metadata| metadata.bytes > 0) {
            findings.push(finding("hashes of former passwords", Path::new(OLD_PASSWORDS)));
        }
        Ok(findings.into())
    }

    fn fix(&self) -> Option<Fix> {
        Some(|cx| {
            for path in FILES {
                let locked = if path.contains("gshadow") { "!" } else { "!*" };
                rewrite(cx, path, &move |fields| has_hash(fields.get(1)?).then_some(locked))?;
            }
            if cx.look().metadata(OLD_PASSWORDS)?.is_some_and(|metadata| metadata.is_file()) {
                cx.truncate(OLD_PASSWORDS)?;
            }
            let backups = backups(&cx.look())?;
            backups.iter().try_for_each(|path| cx.remove(path))
        })
    }
}

/// Lists copies of password files that cron jobs and package scripts leave.
fn backups(cx: &Context<'_>) -> Result<Vec<PathBuf>, CheckError> {
    let mut found = Vec::new();
    for (folder, is_copy) in [(BACKUPS, true), ("/etc", false)] {
        for entry in cx.list(folder)? {
            let name = entry.name.to_string_lossy();
            let stem = name.split(['.', '~']).next().unwrap_or_default();
            let is_accounts = matches!(stem, "passwd" | "shadow" | "gshadow" | "master");
            let has_ending = name.len() > stem.len();
            let path = Path::new(folder).join(&entry.name);
            let is_file = cx.metadata(&path)?.is_some_and(|metadata| metadata.is_file());
            if is_accounts && is_file && (is_copy || has_ending) {
                found.push(path);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use crate::Verdict;
    use crate::testing::Fixture;

    fn image() -> Fixture {
        Fixture::new()
            .file("/etc/shadow", "root:*:1:0:99999:7:::\njoe:$6$salt$secrethash:1:0:99999:7:::\njim:!$y$j9T$x$y:1::::::\nold:abJnggxhB/yWI:1::::::\n")
            .file("/etc/shadow-", "joe:$6$salt$secrethash:1:0:99999:7:::\n")
            .file("/etc/gshadow", "adm:$5$a$b::\nsudo:*::\n")
            .file("/etc/security/opasswd", "joe:1000:1:x\n")
            .file("/var/backups/shadow.bak", "joe:$6$salt$secrethash:1::::::\n")
    }

    #[test]
    fn hashes_are_found_everywhere_and_never_shown() {
        let fixture = image();
        assert_eq!(fixture.findings("ACC-002").len(), 7);
        let Verdict::Fail(findings) = fixture.check("ACC-002") else { panic!("must fail") };
        let text = format!("{findings:?}");
        assert!(!text.contains("secrethash") && !text.contains("abJngg"), "{text}");
        assert!(text.contains("joe:$6$***"));
    }

    #[test]
    fn hardening_locks_and_keeps_the_dates() {
        let fixture = image();
        fixture.harden_twice();
        assert!(fixture.is_pass("ACC-002"));
        assert_eq!(
            fixture.read("/etc/shadow"),
            "root:!*:1:0:99999:7:::\njoe:!*:1:0:99999:7:::\njim:!*:1::::::\nold:!*:1::::::\n"
        );
        assert!(!fixture.has("/var/backups/shadow.bak"));
        assert_eq!(fixture.read("/etc/gshadow"), "adm:!::\nsudo:*::\n");
    }
}
