use std::path::Path;

use amint_types::Severity;

use crate::facts::pam::{self, Item, Kind};
use crate::rule::finding;
use crate::{CheckError, Context, Rule, RuleMeta, Severities, Verdict};

/// Not everybody may use su, cron and at.
pub(in crate::rules) struct LimitedWays;

static META: RuleMeta = RuleMeta {
    id: "ACC-018",
    title: "su, cron and at are for few",
    requirements: &["B6", "CIS-5.2", "CIS-2.4"],
    rationale: "Who cannot call su cannot try passwords through it, and who cannot set up jobs cannot stay behind when \
                their session ends.",
    remedy: "Use pam_wheel with `use_uid` in /etc/pam.d/su, and list who may use cron and at in /etc/cron.allow and \
             /etc/at.allow.",
    severities: Severities::hardened(Severity::Low),
};

impl Rule for LimitedWays {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let mut findings = Vec::new();
        if cx.exists("/etc/pam.d/su")? {
            let items = pam::stack(cx, "su", Kind::Auth)?;
            let mut entries = items.iter().flat_map(Item::entries);
            let is_limited = entries.any(|entry| {
                entry.module.contains("pam_wheel") && !entry.arguments.iter().any(|word| word == "trust")
            });
            if !is_limited {
                findings.push(finding("everybody may try passwords with su", Path::new("/etc/pam.d/su")));
            }
        }
        for (program, name) in [("/usr/bin/crontab", "cron"), ("/usr/bin/at", "at")] {
            let path = format!("/etc/{name}.allow");
            if cx.exists(program)? && !cx.exists(&path)? {
                findings.push(finding(format!("everybody may set up jobs of {name}"), Path::new(&path)));
            }
        }
        Ok(findings.into())
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn ways_that_are_open_to_all_are_found() {
        let fixture = Fixture::new()
            .file("/etc/pam.d/su", "# auth required pam_wheel.so\nauth required pam_unix.so\n")
            .file("/usr/bin/crontab", "");
        assert_eq!(fixture.paths("ACC-018"), ["/etc/cron.allow", "/etc/pam.d/su"]);
        let fixture = fixture
            .file("/etc/pam.d/su", "auth required pam_wheel.so use_uid\n")
            .file("/etc/cron.allow", "root\n");
        assert!(fixture.is_pass("ACC-018"));
    }
}
