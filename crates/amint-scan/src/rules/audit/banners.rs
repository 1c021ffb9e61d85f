use std::path::Path;

use amint_types::Severity;
use amint_types::report::Finding;

use crate::rule::finding_at;
use crate::{CheckError, Context, RecipeChange, Rule, RuleMeta, Severities, Verdict};

/// Greetings tell nothing of the system, and send nobody elsewhere.
pub(in crate::rules) struct Banners;

static META: RuleMeta = RuleMeta {
    id: "BAN-001",
    title: "greetings tell no versions and lead to no other cloud",
    requirements: &["B6", "CIS-1.6", "MP-U6"],
    rationale: "What is shown before a login is shown to everybody, and a version tells which holes to try. Marketplace \
                forbids to send buyers to other places of sale.",
    remedy: "Write words of your own into /etc/issue and /etc/issue.net, and take other clouds out of /etc/motd.",
    severities: Severities::public(Severity::Low, Some(Severity::Low)),
};

/// Shown before the login.
const BEFORE: [&str; 2] = ["/etc/issue", "/etc/issue.net"];
/// Shown after it.
const AFTER: &str = "/etc/motd";
/// What agetty puts in place of an escape: name, release and version of system and kernel (agetty(8)).
const ESCAPES: [&str; 6] = ["\\S", "\\m", "\\o", "\\r", "\\s", "\\v"];
const SYSTEMS: [&str; 12] = [
    "AlmaLinux",
    "Alpine",
    "Amazon Linux",
    "CentOS",
    "Debian",
    "Fedora",
    "Oracle Linux",
    "Red Hat",
    "Rocky Linux",
    "SUSE",
    "Ubuntu",
    "openSUSE",
];
const CLOUDS: [&str; 8] = [
    "alibabacloud.com",
    "azure.com",
    "azuremarketplace.microsoft.com",
    "cloud.google.com",
    "cloud.oracle.com",
    "digitalocean.com",
    "hetzner.com",
    "linode.com",
];
const VERSION: &str = "tells the system's version before the login";

impl Rule for Banners {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let mut findings = Vec::new();
        for path in BEFORE {
            for (number, line) in (1_u32..).zip(cx.text(path)?.unwrap_or_default().lines()) {
                let is_named = SYSTEMS.iter().any(|system| line.contains(system))
                    && line.contains(|letter: char| letter.is_ascii_digit());
                if is_named || ESCAPES.iter().any(|escape| line.contains(escape)) {
                    findings.push(finding_at(VERSION, Path::new(path), number, line));
                }
            }
        }
        for path in BEFORE.into_iter().chain([AFTER]) {
            for (number, line) in (1_u32..).zip(cx.text(path)?.unwrap_or_default().lines()) {
                if CLOUDS.iter().any(|cloud| line.to_lowercase().contains(cloud)) {
                    findings.push(finding_at("leads to another cloud", Path::new(path), number, line));
                }
            }
        }
        Ok(findings.into())
    }

    fn recipe_change(&self, finding: &Finding) -> Option<RecipeChange> {
        let path = BEFORE.into_iter().find(|path| *path == finding.evidence.path)?;
        let is_version = finding.message == VERSION;
        is_version.then(|| RecipeChange::Run(format!("echo 'Authorized use only.' > {path}")))
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn versions_before_the_login_and_other_clouds_are_found() {
        let fixture = Fixture::new()
            .file("/etc/issue", "Debian GNU/Linux 12 \\n \\l\n")
            .file("/etc/issue.net", "Kernel \\r\n")
            .file("/etc/motd", "Debian GNU/Linux 12\nSee https://console.cloud.google.com/x\n");
        assert_eq!(
            fixture.findings("BAN-001"),
            [
                "/etc/issue.net:1 tells the system's version before the login",
                "/etc/issue:1 tells the system's version before the login",
                "/etc/motd:2 leads to another cloud"
            ]
        );
    }

    #[test]
    fn words_that_tell_nothing_pass() {
        let fixture = Fixture::new()
            .file("/etc/issue", "Authorized use only. \\l\n")
            .file("/etc/motd", "Welcome to 12\n");
        assert!(fixture.is_pass("BAN-001"));
        assert!(Fixture::new().is_pass("BAN-001"));
    }
}
