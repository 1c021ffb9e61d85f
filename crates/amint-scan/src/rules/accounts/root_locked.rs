use std::path::Path;

use amint_types::Severity;

use super::rewrite;
use crate::facts::accounts::{PASSWD, SHADOW, is_locked};
use crate::rule::{finding, finding_at};
use crate::{CheckError, Context, Fix, Rule, RuleMeta, Severities, Verdict};

/// The superuser has no password.
pub(in crate::rules) struct RootLocked;

static META: RuleMeta = RuleMeta {
    id: "ACC-004",
    title: "root's password is locked",
    requirements: &["A2", "A11", "MP-L2", "SHARED-3"],
    rationale: "With root locked, nobody becomes root by a password, neither at the console nor through su; sudo and \
                the boot process do not need it.",
    remedy: "Lock it: `passwd -l root`.",
    severities: Severities::public(Severity::Critical, Some(Severity::High)),
};

impl Rule for RootLocked {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let accounts = cx.accounts()?;
        let Some(root) = accounts.user("root") else {
            return Ok(Verdict::NotApplicable("there is no account `root`".to_owned()));
        };
        let (path, line, field) = match accounts.shadow_of("root") {
            Some(entry) if root.password == "x" => (SHADOW, entry.line, &entry.password),
            None if root.password == "x" => {
                // Without a line in the shadow file nobody can log in as root.
                return Ok(Verdict::Pass);
            }
            _ => (PASSWD, root.line, &root.password),
        };
        if is_locked(field) {
            return Ok(Verdict::Pass);
        }
        let message = if field.is_empty() { "root has an empty password" } else { "root has a password" };
        Ok(Verdict::Fail(vec![match field.as_str() {
            "" => finding(message, Path::new(path)),
            _ => finding_at(message, Path::new(path), line, "root:***"),
        }]))
    }

    fn fix(&self) -> Option<Fix> {
        Some(|cx| {
            // `!*` is what both `passwd -l` leaves and no password can ever match.
            rewrite(cx, SHADOW, &|fields| {
                (fields[0] == "root" && !fields.get(1)?.starts_with('!')).then_some("!*")
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    fn image(shadow: &str) -> Fixture {
        Fixture::new().file("/etc/passwd", "root:x:0:0::/root:/bin/sh\n").file("/etc/shadow", shadow)
    }

    #[test]
    fn a_star_and_an_exclamation_mark_are_locks_and_a_hash_is_none() {
        assert!(image("root:*:1::::::\n").is_pass("ACC-004"));
        assert!(image("root:!:1::::::\n").is_pass("ACC-004"));
        assert_eq!(image("root:$6$a$b:1::::::\n").findings("ACC-004"), ["/etc/shadow:1 root has a password"]);
        assert_eq!(image("root::1::::::\n").findings("ACC-004").len(), 1);
    }

    #[test]
    fn locking_keeps_the_other_fields() {
        let fixture = image("daemon:*:1::::::\nroot:*:20780:0:99999:7:::\n");
        fixture.harden_twice();
        assert_eq!(fixture.read("/etc/shadow"), "daemon:*:1::::::\nroot:!*:20780:0:99999:7:::\n");
    }
}
