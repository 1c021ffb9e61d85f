use std::collections::BTreeSet;
use std::path::Path;

use amint_types::Severity;
use amint_types::report::Finding;

use crate::facts::accounts::{SHADOW, has_hash, records};
use crate::facts::crypt;
use crate::rule::finding_at;
use crate::rules::change::account;
use crate::{CheckError, Context, RecipeChange, Rule, RuleMeta, Severities, Verdict};

/// No password that everybody tries first.
pub(in crate::rules) struct KnownPasswords;

static META: RuleMeta = RuleMeta {
    id: "ACC-003",
    title: "no account has a well-known password",
    requirements: &["A2", "B6", "MP-G4"],
    rationale: "The password of a build tool, of a distribution or of a tutorial is tried by every machine that scans \
                the internet within minutes of the first start.",
    remedy: "Lock the account: `passwd -l NAME`.",
    severities: Severities::public(Severity::Critical, Some(Severity::Critical)),
};

/// Words that are tried for every account, most likely first.
const WORDS: [&str; 20] = [
    "",
    "password",
    "admin",
    "root",
    "toor",
    "vagrant",
    "packer",
    "changeme",
    "ubuntu",
    "debian",
    "centos",
    "ec2-user",
    "test",
    "123456",
    "secret",
    "default",
    "Password1",
    "P@ssw0rd",
    "linux",
    "qwerty",
];
/// How many hashes are tried: an image with more is refused for having them.
const HASHES_MAX: usize = 8;

impl Rule for KnownPasswords {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let mut findings = Vec::new();
        let mut seen = BTreeSet::new();
        let host = cx.text("/etc/hostname")?.unwrap_or_default();
        for path in [SHADOW, "/etc/passwd", "/etc/shadow-"] {
            for (line, fields) in records(cx, path)? {
                let Some(hash) = fields.get(1).map(|field| field.trim_start_matches('!')) else { continue };
                if !has_hash(hash) || !seen.insert(hash.to_owned()) || seen.len() > HASHES_MAX {
                    continue;
                }
                let name = fields[0].as_str();
                let own = [name, host.trim()].map(str::to_owned).into_iter();
                let also = [format!("{name}123"), format!("{name}1"), name.chars().rev().collect()];
                let mut words = own.chain(also).chain(WORDS.map(str::to_owned));
                if words.any(|word| crypt::is_password(hash, &word) == Some(true)) {
                    let message = format!("the password of {name} is one that everybody tries");
                    findings.push(finding_at(message, Path::new(path), line, &format!("{name}:***")));
                }
            }
        }
        Ok(findings.into())
    }

    fn recipe_change(&self, finding: &Finding) -> Option<RecipeChange> {
        let name = finding.message.strip_prefix("the password of ")?.split(' ').next().and_then(account)?;
        // As `passwd -d` and `-l` in one: the hash itself must not stay.
        Some(RecipeChange::Run(format!("usermod --password '!' {name}")))
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn words_that_everybody_tries_are_found_and_others_are_not() {
        // `password`, then a word that is in no list; both by crypt(3), with few rounds.
        let fixture = Fixture::new()
            .file("/etc/hostname", "x\n")
            .file("/etc/shadow", "root:$6$rounds=1000$saltsalt$Z/J9iYO1iE9xnr8JPQL57ZWsVRtVjrUv3CiWc/wKWseqXgSqn3HFYJ/Ng7YXa8XlLj.wpdAwHOJJzuGFqBBRa0:1::::::\njoe:!$6$rounds=1000$saltsalt$TQxqQO6Bb2jNsumdhobK2o5nrwI.pqy0IMI15wWyZsUCjk/XWFVeNsqcxl2E2pnl6/sA.QlUs0aaPMz8js0Tv1:1::::::\njim:*:1::::::\n");
        assert_eq!(
            fixture.findings("ACC-003"),
            ["/etc/shadow:1 the password of root is one that everybody tries"]
        );
    }

    #[test]
    fn the_name_of_the_account_is_tried() {
        assert_eq!(
            Fixture::new()
                .file("/etc/shadow", "joe:$1$saltsalt$RBeLZ8FqxzhQvU46IFegX/:1::::::\n")
                .findings("ACC-003")
                .len(),
            1
        );
        assert!(
            Fixture::new()
                .file("/etc/shadow", "jim:$1$saltsalt$RBeLZ8FqxzhQvU46IFegX/:1::::::\n")
                .is_pass("ACC-003")
        );
    }
}
