use std::path::Path;

use amint_types::Severity;
use amint_types::report::Finding;

use crate::facts::accounts::{PASSWD, User};
use crate::rule::finding_at;
use crate::rules::change::account;
use crate::{CheckError, Context, RecipeChange, Rule, RuleMeta, Severities, Verdict};

/// The builder's users stay behind.
pub(in crate::rules) struct LoginUsers;

static META: RuleMeta = RuleMeta {
    id: "ACC-007",
    title: "nobody but the expected user can log in",
    requirements: &["A2", "A8", "MP-L4", "MP-G7"],
    rationale: "One known user logs in and rises through sudo. Accounts of whoever built the image, or of a tool that \
                did, are doors that the owner of an instance does not know.",
    remedy: "Remove the account, or give it the shell /usr/sbin/nologin if a service runs under it.",
    severities: Severities::public(Severity::Critical, Some(Severity::High)),
};

/// Accounts that build tools make for themselves.
const BUILDERS: [&str; 10] =
    ["amint", "ansible", "build", "builder", "jenkins", "packer", "runner", "terraform", "vagrant", "test"];
/// Where people's ids begin (login.defs), and the id of nobody.
const FIRST_PERSON: u32 = 1000;
const NOBODY: u32 = 65534;

impl Rule for LoginUsers {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let expected = &cx.request().user;
        let is_person = |user: &User| user.uid >= FIRST_PERSON && user.uid != NOBODY;
        let is_builder = |user: &User| BUILDERS.contains(&user.name.as_str());
        let mut findings = Vec::new();
        for user in &cx.accounts()?.users {
            let is_unexpected = user.name != *expected && user.name != "root";
            if is_unexpected && user.has_login_shell() && (is_person(user) || is_builder(user)) {
                let message = format!("user {} can log in, only {expected} is expected to", user.name);
                let text = format!("{}:x:{}:…:{}", user.name, user.uid, user.shell);
                findings.push(finding_at(message, Path::new(PASSWD), user.line, &text));
            }
        }
        Ok(findings.into())
    }

    fn recipe_change(&self, finding: &Finding) -> Option<RecipeChange> {
        let (name, rest) = finding.message.strip_prefix("user ")?.split_once(' ')?;
        let name = account(name).filter(|_| rest.starts_with("can log in"))?;
        Some(RecipeChange::Run(format!("usermod --shell /usr/sbin/nologin {name}")))
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn people_and_builders_are_found_and_services_are_not() {
        let fixture = Fixture::new().file(
            "/etc/passwd",
            "root:x:0:0::/root:/bin/bash\nnobody:x:65534:65534::/:/bin/sh\nec2-user:x:1000:1000::/home/e:/bin/bash\n\
             debian:x:1001:1001::/home/d:/bin/bash\npacker:x:900:900::/:/bin/sh\napp:x:1002:1002::/srv:/usr/sbin/nologin\n",
        );
        assert_eq!(
            fixture.findings("ACC-007"),
            [
                "/etc/passwd:4 user debian can log in, only ec2-user is expected to",
                "/etc/passwd:5 user packer can log in, only ec2-user is expected to"
            ]
        );
    }
}
