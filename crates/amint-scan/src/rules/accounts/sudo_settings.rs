use std::path::Path;

use amint_types::Severity;

use crate::facts::sudoers::{MAIN, Sudoers};
use crate::rule::{finding, finding_at};
use crate::{CheckError, Context, Fix, Rule, RuleMeta, Severities, Verdict};

/// What is done through sudo is kept apart and written down.
pub(in crate::rules) struct SudoSettings;

static META: RuleMeta = RuleMeta {
    id: "ACC-015",
    title: "sudo understands its rules, uses its own terminal and keeps a log",
    requirements: &["B6", "CIS-5.2"],
    rationale: "A program that runs on the caller's terminal can leave commands there for root; without a log of its own, \
                what was done as root is hard to find.",
    remedy: "Set `Defaults use_pty` and `Defaults logfile=\"/var/log/sudo.log\"`.",
    severities: Severities::hardened(Severity::Low),
};

const DROP_IN: &str = "/etc/sudoers.d/amint";
const TIMEOUT_MINUTES_MAX: f64 = 15.0;

impl Rule for SudoSettings {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        if !Sudoers::is_installed(cx)? {
            return Ok(Verdict::NotApplicable("sudo is not installed".to_owned()));
        }
        let sudoers = cx.fact(Sudoers::load)?;
        let mut findings = Vec::new();
        for problem in &sudoers.problems {
            let message = format!("sudo does not understand the line: {}", problem.what);
            findings.push(finding_at(message, &problem.place.path, problem.place.line, ""));
        }
        let mut tell = |message: &str| findings.push(finding(message, Path::new(MAIN)));
        if sudoers.global("use_pty").is_none_or(|setting| setting.is_negated) {
            tell("use_pty is off");
        }
        if sudoers.global("logfile").is_none_or(|setting| setting.is_negated) {
            tell("no logfile is set");
        }
        let timeout = sudoers.global("timestamp_timeout").and_then(|setting| setting.value.clone());
        let minutes: Option<f64> = timeout.and_then(|text| text.parse().ok());
        if minutes.is_some_and(|minutes| !(0.0..=TIMEOUT_MINUTES_MAX).contains(&minutes)) {
            tell("a password counts for longer than 15 minutes");
        }
        Ok(findings.into())
    }

    fn fix(&self) -> Option<Fix> {
        Some(|cx| {
            let look = cx.look();
            let sudoers = look.fact(Sudoers::load)?;
            // Without the folder of sudo's rules the drop-in would not be read.
            let main = look.text(MAIN)?.unwrap_or_default();
            let has_folder = main.lines().any(|line| {
                matches!(
                    line.split_whitespace().collect::<Vec<_>>()[..],
                    ["@includedir" | "#includedir", "/etc/sudoers.d"]
                )
            });
            if !has_folder || !Sudoers::is_installed(&look)? {
                return Ok(());
            }
            let mut content = "# Written by amint.\n".to_owned();
            let is_ours = |path: &Path| path == Path::new(DROP_IN);
            for (name, line) in
                [("use_pty", "Defaults use_pty\n"), ("logfile", "Defaults logfile=\"/var/log/sudo.log\"\n")]
            {
                let is_set = sudoers
                    .global(name)
                    .is_some_and(|setting| !setting.is_negated && !is_ours(&setting.place.path));
                if !is_set {
                    content.push_str(line);
                }
            }
            if content.contains("Defaults") { cx.write(DROP_IN, &content, 0o440) } else { Ok(()) }
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn what_is_missing_is_written_to_a_file_of_its_own() {
        let fixture = Fixture::new()
            .file("/usr/bin/sudo", "")
            .file("/etc/sudoers", "Defaults use_pty\n@includedir /etc/sudoers.d\n");
        assert_eq!(fixture.findings("ACC-015"), ["/etc/sudoers no logfile is set"]);
        fixture.harden_twice();
        assert!(fixture.is_pass("ACC-015"));
        assert!(!fixture.read("/etc/sudoers.d/amint").contains("use_pty"));
    }

    #[test]
    fn a_file_without_its_folder_is_left_alone_and_long_trust_is_found() {
        let fixture =
            Fixture::new().file("/usr/bin/sudo", "").file("/etc/sudoers", "Defaults timestamp_timeout=-1\n");
        assert_eq!(fixture.findings("ACC-015").len(), 3);
        fixture.harden_twice();
        assert!(!fixture.has("/etc/sudoers.d/amint"));
    }
}
