use std::path::Path;

use amint_types::Severity;

use super::rewrite;
use crate::facts::accounts::{PASSWD, SHADOW};
use crate::rule::finding_at;
use crate::{CheckError, Context, Fix, Rule, RuleMeta, Severities, Verdict};

/// No account is open without a password.
pub(in crate::rules) struct EmptyPasswords;

static META: RuleMeta = RuleMeta {
    id: "ACC-001",
    title: "no account has an empty password",
    requirements: &["A2", "B6", "MP-L2", "MP-G4"],
    rationale: "An empty password field is no lock: whoever types the name is in.",
    remedy: "Lock the account: `passwd -l NAME`.",
    severities: Severities::public(Severity::Critical, Some(Severity::Critical)),
};

impl Rule for EmptyPasswords {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let accounts = cx.accounts()?;
        let mut findings = Vec::new();
        for user in accounts.users.iter().filter(|user| user.password.is_empty()) {
            let message = format!("user {} has an empty password", user.name);
            findings.push(finding_at(
                message,
                Path::new(PASSWD),
                user.line,
                &format!("{}::{}:…", user.name, user.uid),
            ));
        }
        for entry in accounts.shadow.iter().filter(|entry| entry.password.is_empty()) {
            let message = format!("user {} has an empty password", entry.name);
            findings.push(finding_at(message, Path::new(SHADOW), entry.line, &format!("{}::…", entry.name)));
        }
        Ok(findings.into())
    }

    fn fix(&self) -> Option<Fix> {
        Some(|cx| {
            rewrite(cx, SHADOW, &|fields| fields.get(1)?.is_empty().then_some("!*"))?;
            // `x` sends the question to the shadow file; without a line there, the account stays shut.
            rewrite(cx, PASSWD, &|fields| fields.get(1)?.is_empty().then_some("x"))
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn empty_fields_of_both_files_are_found_and_locked() {
        let fixture = Fixture::new()
            .file("/etc/passwd", "root:x:0:0::/root:/bin/sh\nold::7:7::/:/bin/sh\n")
            .file("/etc/shadow", "root::20780:0:99999:7:::\nold:!:1::::::\n");
        assert_eq!(fixture.findings("ACC-001").len(), 2);
        fixture.harden_twice();
        assert!(fixture.is_pass("ACC-001"));
        assert_eq!(fixture.read("/etc/shadow"), "root:!*:20780:0:99999:7:::\nold:!:1::::::\n");
        assert_eq!(fixture.read("/etc/passwd"), "root:x:0:0::/root:/bin/sh\nold:x:7:7::/:/bin/sh\n");
    }
}
