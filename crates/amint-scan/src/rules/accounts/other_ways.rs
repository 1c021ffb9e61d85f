use std::path::Path;
use std::sync::LazyLock;

use amint_types::Severity;
use amint_types::report::Finding;
use regex::Regex;

use crate::redact::pattern;
use crate::rule::{finding, finding_at};
use crate::{CheckError, Context, Rule, RuleMeta, Severities, Verdict};

/// The other ways to root ask as well.
pub(in crate::rules) struct OtherWays;

static META: RuleMeta = RuleMeta {
    id: "ACC-009",
    title: "polkit and doas let nobody rise without a question",
    requirements: &["A2", "B6", "MP-G4", "MP-G7"],
    rationale: "polkit and doas are doors to root beside sudo: a rule that always says yes opens every action, or every \
                command, to whoever has any account.",
    remedy: "Tie polkit rules to an action and a group, and remove `nopass` from /etc/doas.conf for all but the expected \
             user.",
    severities: Severities::public(Severity::High, Some(Severity::Medium)),
};

const POLKIT: [&str; 3] =
    ["/etc/polkit-1/rules.d", "/usr/local/share/polkit-1/rules.d", "/usr/share/polkit-1/rules.d"];
const DOAS_FOLDER: &str = "/etc/doas.d";

impl Rule for OtherWays {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let mut findings = Vec::new();
        for folder in POLKIT {
            for entry in cx.list(folder)? {
                let path = Path::new(folder).join(&entry.name);
                let text = cx.text(&path)?.unwrap_or_default();
                if path.extension().is_some_and(|extension| extension == "rules") && is_unconditional(&text) {
                    findings.push(finding("polkit says yes to everybody", &path));
                }
            }
        }
        doas(cx, Path::new("/etc/doas.conf"), &mut findings)?;
        for entry in cx.list(DOAS_FOLDER)? {
            let path = Path::new(DOAS_FOLDER).join(&entry.name);
            if path.extension().is_some_and(|extension| extension == "conf") {
                doas(cx, &path, &mut findings)?;
            }
        }
        Ok(findings.into())
    }
}

/// Tells whether some function says yes without having looked at the action or at who asks.
fn is_unconditional(text: &str) -> bool {
    static COMMENT: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?s)/\*.*?\*/|//[^\n]*"));
    static FUNCTION: LazyLock<Regex> = LazyLock::new(|| {
        pattern(r"(?s)addRule\s*\(\s*(?:function\s*\([^)]*\)|\([^)]*\)\s*=>)\s*\{?(.*?)polkit\.Result\.(\w+)")
    });
    let text = COMMENT.replace_all(text, " ");
    FUNCTION.captures_iter(&text).any(|found| {
        let before = &found[1];
        let is_asked =
            ["if", "?", "&&", "switch", "action", "subject"].iter().any(|word| before.contains(word));
        &found[2] == "YES" && !is_asked
    })
}

fn doas(cx: &Context<'_>, path: &Path, findings: &mut Vec<Finding>) -> Result<(), CheckError> {
    for (number, line) in (1_u32..).zip(cx.text(path)?.unwrap_or_default().lines()) {
        let rule = line.split('#').next().unwrap_or_default();
        let words: Vec<&str> = rule.split_whitespace().collect();
        let is_free = words.first() == Some(&"permit") && words.contains(&"nopass");
        // Who is allowed stands behind the options; what stands behind them limits the rule.
        let is_limited =
            words.contains(&"cmd") || words.windows(2).any(|pair| pair[0] == "as" && pair[1] != "root");
        let is_expected = words.iter().any(|word| *word == cx.request().user || *word == "root");
        if is_free && !is_limited && !is_expected {
            findings.push(finding_at("doas asks for no password", path, number, line));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn rules_that_always_say_yes_are_found_and_others_are_not() {
        let rule = |body: &str| {
            Fixture::new().file(
                "/etc/polkit-1/rules.d/10-x.rules",
                &format!("polkit.addRule(function(action, subject) {{\n{body}\n}});\n"),
            )
        };
        assert_eq!(rule("return polkit.Result.YES;").findings("ACC-009").len(), 1);
        assert!(rule("if (subject.isInGroup(\"wheel\")) return polkit.Result.YES;").is_pass("ACC-009"));
        assert!(rule("// return polkit.Result.YES;\nreturn polkit.Result.NO;").is_pass("ACC-009"));
    }

    #[test]
    fn doas_without_a_password_is_found() {
        let conf =
            |line: &str| Fixture::new().file("/etc/doas.conf", &format!("# permit nopass joe\n{line}\n"));
        assert_eq!(conf("permit nopass keepenv :wheel").findings("ACC-009").len(), 1);
        for line in
            ["permit persist :wheel", "permit nopass ec2-user", "permit nopass joe as root cmd reboot"]
        {
            assert!(conf(line).is_pass("ACC-009"), "{line}");
        }
    }
}
