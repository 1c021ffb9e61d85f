use std::path::{Path, PathBuf};

use amint_types::Severity;
use amint_types::report::Finding;

use crate::rule::{finding, finding_at};
use crate::rules::services::started::Started;
use crate::{CheckError, Context, RecipeChange, Rule, RuleMeta, Severities, Verdict, glob};

/// Traces are kept.
pub(in crate::rules) struct Trail;

static META: RuleMeta = RuleMeta {
    id: "AUD-001",
    title: "an audit trail is kept, and the journal survives a restart",
    requirements: &["B6", "CIS-6"],
    rationale: "After a break-in the traces are what is left. The audit daemon writes down who changed what, and a journal \
                in memory is gone with the restart that an attacker causes.",
    remedy: "Install auditd and let it start; set `Storage=persistent` in /etc/systemd/journald.conf.d.",
    severities: Severities::hardened_level_2(Severity::Low),
};

const DAEMONS: [&str; 1] = ["auditd.service"];
const PROGRAMS: [&str; 2] = ["/usr/sbin/auditd", "/sbin/auditd"];
const MISSING: &str = "auditd is not installed";
/// Files of journald's settings in the order in which they are read; the last value of a key wins (journald.conf(5)).
const MAIN: &str = "/etc/systemd/journald.conf";
const FOLDERS: [&str; 3] = [
    "/usr/lib/systemd/journald.conf.d",
    "/usr/local/lib/systemd/journald.conf.d",
    "/etc/systemd/journald.conf.d",
];

impl Rule for Trail {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let mut findings = Vec::new();
        let mut is_installed = false;
        for program in PROGRAMS {
            is_installed |= cx.exists(program)?;
        }
        if !is_installed {
            findings.push(finding(MISSING, Path::new(PROGRAMS[0])));
        } else if !cx.fact(Started::load)?.has(&DAEMONS) {
            findings.push(finding("auditd.service does not start", Path::new(PROGRAMS[0])));
        }
        if let Some((path, line, text, value)) = storage(cx)?
            && matches!(value.as_str(), "volatile" | "none")
        {
            findings.push(finding_at(format!("the journal's storage is {value}"), &path, line, &text));
        }
        Ok(findings.into())
    }

    fn recipe_change(&self, finding: &Finding) -> Option<RecipeChange> {
        match finding.message.as_str() {
            MISSING => Some(RecipeChange::InstallPackage("auditd".to_owned())),
            message if message.starts_with("auditd.service") => {
                Some(RecipeChange::EnableService("auditd.service".to_owned()))
            }
            _ => None,
        }
    }
}

/// Returns where the journal's storage is set, and to what.
fn storage(cx: &Context<'_>) -> Result<Option<(PathBuf, u32, String, String)>, CheckError> {
    let mut files: Vec<(std::ffi::OsString, PathBuf)> = Vec::new();
    for folder in FOLDERS {
        for entry in cx.list(folder)? {
            if !glob::is_match("*.conf", &entry.name.to_string_lossy()) {
                continue;
            }
            let path = Path::new(folder).join(&entry.name);
            // A file hides those of the same name in folders before.
            match files.iter_mut().find(|(name, _)| *name == entry.name) {
                Some(known) => known.1 = path,
                None => files.push((entry.name, path)),
            }
        }
    }
    files.sort();
    let mut found = None;
    for path in std::iter::once(PathBuf::from(MAIN)).chain(files.into_iter().map(|(_, path)| path)) {
        let mut is_journal = false;
        for (number, line) in (1_u32..).zip(cx.text(&path)?.unwrap_or_default().lines()) {
            let line = line.trim();
            if line.starts_with('[') {
                is_journal = line == "[Journal]";
            } else if let Some(value) = line.strip_prefix("Storage=").filter(|_| is_journal) {
                found = Some((path.clone(), number, line.to_owned(), value.trim().to_lowercase()));
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use crate::Profile;
    use crate::testing::Fixture;

    fn image() -> Fixture {
        let mut fixture = Fixture::new().file("/usr/sbin/auditd", "").started("auditd.service");
        fixture.request.profiles = vec![Profile::HardenedLevel2];
        fixture
    }

    #[test]
    fn the_last_setting_of_the_journal_wins() {
        assert!(image().is_pass("AUD-001"));
        let volatile =
            image().file("/usr/lib/systemd/journald.conf.d/50-x.conf", "[Journal]\nStorage=volatile\n");
        assert_eq!(
            volatile.findings("AUD-001"),
            ["/usr/lib/systemd/journald.conf.d/50-x.conf:2 the journal's storage is volatile"]
        );
        let hidden = volatile.file("/etc/systemd/journald.conf.d/50-x.conf", "[Journal]\n#Storage=none\n");
        assert!(hidden.is_pass("AUD-001"));
    }

    #[test]
    fn an_audit_daemon_has_to_be_there_and_to_start() {
        assert_eq!(Fixture::new().findings("AUD-001"), ["/usr/sbin/auditd auditd is not installed"]);
        let stopped = Fixture::new()
            .file("/usr/sbin/auditd", "")
            .file("/usr/lib/systemd/system/auditd.service", "[Service]\nExecStart=/x\n");
        assert_eq!(stopped.findings("AUD-001"), ["/usr/sbin/auditd auditd.service does not start"]);
    }
}
