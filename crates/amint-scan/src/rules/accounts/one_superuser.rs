use std::collections::BTreeMap;
use std::path::Path;

use amint_types::Severity;

use crate::facts::accounts::PASSWD;
use crate::rule::finding_at;
use crate::{CheckError, Context, Rule, RuleMeta, Severities, Verdict};

/// Root is the only superuser, and every name and number stands once.
pub(in crate::rules) struct OneSuperuser;

static META: RuleMeta = RuleMeta {
    id: "ACC-005",
    title: "only root has user id 0, and no name or id is used twice",
    requirements: &["A2", "B6", "MP-G7", "CIS-7.2"],
    rationale: "A second account with id 0 is root under another name: the oldest back door. Accounts that share a name \
                or an id cannot be told apart.",
    remedy: "Remove the account, or give it an id of its own.",
    severities: Severities::public(Severity::Critical, Some(Severity::Critical)),
};

impl Rule for OneSuperuser {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let mut findings = Vec::new();
        let mut names = BTreeMap::new();
        let mut ids = BTreeMap::new();
        for user in &cx.accounts()?.users {
            let mut tell = |message: String| {
                let text = format!("{}:x:{}:…", user.name, user.uid);
                findings.push(finding_at(message, Path::new(PASSWD), user.line, &text));
            };
            if user.uid == 0 && user.name != "root" {
                tell(format!("user {} has id 0", user.name));
            }
            if let Some(first) = names.insert(user.name.clone(), user.line) {
                tell(format!("the name {} stands on line {first} already", user.name));
            }
            if let Some(first) = ids.insert(user.uid, user.name.clone()) {
                tell(format!("user {} shares id {} with {first}", user.name, user.uid));
            }
        }
        Ok(findings.into())
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn a_second_root_is_found() {
        let fixture = Fixture::new().file(
            "/etc/passwd",
            "root:x:0:0::/root:/bin/sh\ntoor:x:0:0::/root:/bin/sh\na:x:7:7::/:/bin/sh\na:x:8:8::/:/bin/sh\n+nis\n",
        );
        assert_eq!(
            fixture.findings("ACC-005"),
            [
                "/etc/passwd:2 user toor has id 0",
                "/etc/passwd:2 user toor shares id 0 with root",
                "/etc/passwd:4 the name a stands on line 3 already"
            ]
        );
    }

    #[test]
    fn a_line_that_is_no_account_is_not_evaluated_instead_of_passed() {
        let fixture = Fixture::new().file("/etc/passwd", "root:x:zero:0::/root:/bin/sh\n");
        let report = fixture.scan();
        let result = report.rules.iter().find(|result| result.rule == "ACC-005").unwrap();
        assert_eq!(result.outcome.as_str(), "not_evaluated");
    }
}
