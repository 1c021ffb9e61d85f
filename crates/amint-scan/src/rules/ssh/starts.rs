use amint_types::Severity;

use super::wanted::NO_SERVER;
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
        Ok(findings.into())
    }
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
    fn includes_that_go_round_in_circles_end() {
        let fixture = Fixture::with_sshd("Include /etc/ssh/sshd_config\n");
        assert_eq!(fixture.findings("SSH-014").len(), 1);
    }
}
