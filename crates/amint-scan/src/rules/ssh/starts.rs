use std::collections::HashMap;
use std::path::Path;

use amint_types::Severity;
use amint_types::report::Finding;

use super::wanted::NO_SERVER;
use crate::facts::sshd::{Condition, Directive};
use crate::harden::SSHD_BLOCK_END;
use crate::rule::finding_at;
use crate::{CheckError, Context, Rule, RuleMeta, Severities, Verdict};

/// The ssh server will start with this configuration.
pub(in crate::rules) struct Starts;

static META: RuleMeta = RuleMeta {
    id: "SSH-014",
    title: "sshd understands its configuration",
    requirements: &["A9", "MP-L5"],
    rationale: "One keyword that the installed version does not know keeps sshd from starting, and the instance cannot \
                be reached. It shows only after launch.",
    remedy: "Correct or remove the line; keywords of a newer OpenSSH need that version in the image.",
    severities: Severities::public(Severity::Critical, Some(Severity::Critical)),
};

impl Rule for Starts {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let Some(config) = cx.sshd()? else { return Ok(Verdict::NotApplicable(NO_SERVER.to_owned())) };
        let mut findings = Vec::new();
        for problem in config.problems() {
            let text = cx.text(&problem.place.path)?.unwrap_or_default();
            let line = text.lines().nth(problem.place.line.saturating_sub(1) as usize).unwrap_or_default();
            findings.push(finding_at(problem.what.clone(), &problem.place.path, problem.place.line, line));
        }
        findings.extend(overshadowed(cx, config.directives())?);
        Ok(findings.into())
    }
}

/// Keywords whose values add up, or that stand for several things.
const REPEATED: [&str; 13] = [
    "acceptenv",
    "allowgroups",
    "allowusers",
    "denygroups",
    "denyusers",
    "hostcertificate",
    "hostkey",
    "listenaddress",
    "persourcepenalties",
    "port",
    "setenv",
    "subsystem",
    "logverbose",
];

/// Finds directives without effect because the same file says otherwise before: whoever wrote them believes they count.
///
/// One that another file overrules is no mistake: that is what drop-ins are for.
fn overshadowed(cx: &Context<'_>, directives: &[Directive]) -> Result<Vec<Finding>, CheckError> {
    let mut first: HashMap<(&Path, &str, Option<String>), &Directive> = HashMap::new();
    let mut findings = Vec::new();
    for directive in directives {
        if REPEATED.contains(&directive.keyword.as_str()) {
            continue;
        }
        let condition = directive.condition.as_ref().map(Condition::text);
        let key = (directive.place.path.as_path(), directive.keyword.as_str(), condition);
        let Some(earlier) = first.get(&key) else {
            first.insert(key, directive);
            continue;
        };
        if earlier.arguments != directive.arguments {
            let text = cx.text(&directive.place.path)?.unwrap_or_default();
            // Lines that hardening puts first, for servers without drop-ins, overrule on purpose.
            let ours = text.lines().position(|line| line == SSHD_BLOCK_END.trim_end()).unwrap_or(0);
            if earlier.place.line as usize <= ours {
                continue;
            }
            let number = directive.place.line;
            let line = text.lines().nth(number.saturating_sub(1) as usize).unwrap_or_default();
            let message = format!("has no effect: line {} set it before", earlier.place.line);
            let mut found = finding_at(message, &directive.place.path, number, line);
            found.severity = Some(Severity::Low);
            findings.push(found);
        }
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn unknown_misplaced_and_open_ended_lines_are_found() {
        let fixture = Fixture::with_sshd(
            "PermitRootLogins no\nPort 22\nBanner \"x\nMatch User a\nPort 23\nMatch Planet earth\n",
        );
        let findings = fixture.findings("SSH-014");
        assert_eq!(findings.len(), 4, "{findings:?}");
        assert!(findings[0].contains("permitrootlogins"));
    }

    #[test]
    fn keywords_of_a_later_version_are_unknown_to_an_earlier_one() {
        let status = |version: &str| {
            format!("Package: openssh-server\nStatus: install ok installed\nVersion: {version}\n")
        };
        let config = "PerSourcePenalties no\n";
        assert!(
            Fixture::with_sshd(config).file("/var/lib/dpkg/status", &status("1:10.0p1-7")).is_pass("SSH-014")
        );
        let old = Fixture::with_sshd(config).file("/var/lib/dpkg/status", &status("1:9.2p1-2+deb12u7"));
        assert_eq!(old.findings("SSH-014").len(), 1);
    }

    #[test]
    fn a_line_that_the_same_file_overrules_is_told_and_one_that_a_drop_in_overrules_is_not() {
        let fixture = Fixture::with_sshd(
            "Include /etc/ssh/sshd_config.d/*.conf\nX11Forwarding yes\nPasswordAuthentication yes\nHostKey /a\nHostKey /b\n\
             PasswordAuthentication no\nMatch User a\nPasswordAuthentication no\n",
        )
        .file("/etc/ssh/sshd_config.d/a.conf", "X11Forwarding no\n");
        assert_eq!(
            fixture.findings("SSH-014"),
            ["/etc/ssh/sshd_config:6 has no effect: line 3 set it before"]
        );
    }

    #[test]
    fn includes_that_go_round_in_circles_end() {
        let fixture = Fixture::with_sshd("Include /etc/ssh/sshd_config\n");
        assert_eq!(fixture.findings("SSH-014").len(), 1);
    }
}
