use std::collections::BTreeMap;
use std::path::Path;

use amint_types::Severity;
use amint_types::report::Finding;

use crate::facts::accounts::{GROUP, PASSWD, SHADOW, records};
use crate::rule::finding_at;
use crate::rules::change::account;
use crate::{CheckError, Context, RecipeChange, Rule, RuleMeta, Severities, Verdict};

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

/// Accounts that Red Hat's and SUSE's packages put into root's group: none of them lets anybody in.
const ROOTS_GROUP: [&str; 5] = ["halt", "operator", "root", "shutdown", "sync"];

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
        for (path, what) in [(PASSWD, "accounts"), (SHADOW, "passwords"), (GROUP, "groups")] {
            for (line, fields) in records(cx, path)? {
                // Compatibility entries of NIS; a plain file has no names like these.
                if fields[0].starts_with(['+', '-']) {
                    let message = format!("the line lets a directory add {what}");
                    findings.push(finding_at(message, Path::new(path), line, &fields[0]));
                }
            }
        }
        findings.extend(groups(cx)?);
        Ok(findings.into())
    }

    fn recipe_change(&self, finding: &Finding) -> Option<RecipeChange> {
        let (name, rest) = finding.message.strip_prefix("user ")?.split_once(' ')?;
        let name = account(name).filter(|_| rest == "has id 0" || rest == "shares id 0 with root")?;
        // `userdel` would take the home of root along.
        Some(RecipeChange::Run(format!("sed -i '/^{name}:/d' /etc/passwd /etc/shadow")))
    }
}

/// Judges groups: root's is root's alone, and no name or number stands twice.
fn groups(cx: &Context<'_>) -> Result<Vec<Finding>, CheckError> {
    let mut findings = Vec::new();
    for user in &cx.accounts()?.users {
        if user.gid == Some(0) && user.uid != 0 && !ROOTS_GROUP.contains(&user.name.as_str()) {
            let message = format!("user {} is in root's group", user.name);
            let text = format!("{}:x:{}:0:…", user.name, user.uid);
            findings.push(finding_at(message, Path::new(PASSWD), user.line, &text));
        }
    }
    let mut names = BTreeMap::new();
    let mut ids = BTreeMap::new();
    for (line, fields) in records(cx, GROUP)? {
        let mut tell = |message: String| {
            findings.push(finding_at(message, Path::new(GROUP), line, &format!("{}:…", fields[0])));
        };
        if let Some(first) = names.insert(fields[0].clone(), line) {
            tell(format!("the group {} stands on line {first} already", fields[0]));
        }
        let id = fields.get(2).filter(|id| !id.is_empty());
        if let Some(first) = id.and_then(|id| ids.insert(id.clone(), fields[0].clone())) {
            tell(format!("group {} shares its id with {first}", fields[0]));
        }
    }
    Ok(findings)
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
                "/etc/passwd:4 the name a stands on line 3 already",
                "/etc/passwd:5 the line lets a directory add accounts"
            ]
        );
    }

    #[test]
    fn groups_that_share_an_id_and_users_in_roots_group_are_found() {
        let fixture = Fixture::new()
            .file(
                "/etc/passwd",
                "root:x:0:0::/root:/bin/sh\nsync:x:5:0::/sbin:/bin/sync\njoe:x:9:0::/:/bin/sh\n",
            )
            .file("/etc/group", "root:x:0:\na:x:7:\nb:x:7:\na:x:8:\n");
        assert_eq!(
            fixture.findings("ACC-005"),
            [
                "/etc/group:3 group b shares its id with a",
                "/etc/group:4 the group a stands on line 2 already",
                "/etc/passwd:3 user joe is in root's group"
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
